/**
 * Ways to write instructions and answers for a model that has none of its own.
 * Each is a chat template, which the trained model's folder keeps.
 *
 * @module
 */

import { ChatTemplate } from "./chat_template.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** The names of the styles. */
export const PROMPT_STYLES = ["alpaca", "phi-3", "chatml", "plain"] as const;

/** A way to write instructions, by name. */
export type PromptStyle = typeof PROMPT_STYLES[number];

/** A template that ends each answer by `eos_token`, and how it does that. */
interface Style {
  readonly source: string;
  /** What ends an answer, where the tokenizer has it as a special token. */
  readonly end?: string;
}

// A text begins as the model's texts do, if that is not how they end too.
const BEGIN = String.raw`
{%- if bos_token and bos_token != eos_token %}
    {{- bos_token }}
{%- endif %}`;

// What is inside `generation` is what trl learns; rendering ignores the tags.
const ANSWER =
  "{%- generation %}{{- message.content + eos_token }}{%- endgeneration %}";

const ALPACA = String.raw`
{%- if messages[0].role == 'system' %}
    {{- messages[0].content }}
{%- else %}
    {{- 'Below is an instruction that describes a task. Write a response that appropriately completes the request.' }}
{%- endif %}
{%- for message in messages %}
    {%- if message.role == 'user' %}
        {{- '\n\n### Instruction:\n' + message.content }}
    {%- elif message.role == 'assistant' %}
        {{- '\n\n### Response:\n' }}${ANSWER}
    {%- elif message.role != 'system' or not loop.first %}
        {{- raise_exception('the alpaca style has no ' + message.role + ' here') }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '\n\n### Response:\n' }}
{%- endif %}`;

const PHI_3 = String.raw`
{%- for message in messages %}
    {{- '<|' + message.role + '|>\n' }}
    {%- if message.role == 'assistant' %}
        ${ANSWER}{{- '\n' }}
    {%- else %}
        {{- message.content + '<|end|>\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|assistant|>\n' }}
{%- endif %}`;

const CHATML = String.raw`
{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\n' }}
    {%- if message.role == 'assistant' %}
        ${ANSWER}{{- '\n' }}
    {%- else %}
        {{- message.content + '<|im_end|>\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
{%- endif %}`;

const PLAIN = String.raw`
{%- for message in messages %}
    {%- if message.role == 'assistant' %}
        ${ANSWER}
    {%- else %}
        {{- message.content }}
    {%- endif %}
{%- endfor %}`;

const STYLES: Readonly<Record<PromptStyle, Style>> = {
  "alpaca": { source: BEGIN + ALPACA },
  "phi-3": { source: BEGIN + PHI_3, end: "<|end|>" },
  "chatml": { source: BEGIN + CHATML, end: "<|im_end|>" },
  "plain": { source: BEGIN + PLAIN },
};

/** What a style needs to know of the model. */
export interface PromptStyleOptions {
  /** How the model's text becomes ids. */
  readonly tokenizer: Tokenizer;
  /** What its folder says of special tokens: `bos_token`, `eos_token`. */
  readonly tokens?: Readonly<Record<string, unknown>>;
}

/**
 * The template of a style. `alpaca` is the book's text; `phi-3` and `chatml`
 * are as published, and where the tokenizer has no special token `<|end|>` or
 * `<|im_end|>`, its own end of text ends an answer; `plain` writes the answer
 * right after the prompt.
 *
 * ```ts
 * import { ByteTokenizer, promptStyle } from "@shaderloom/shaderloom";
 * import { assertEquals } from "@std/assert";
 *
 * const tokenizer = new ByteTokenizer(["<|endoftext|>"]);
 * const template = promptStyle("phi-3", { tokenizer });
 * const text = template.render(
 *   [{ role: "user", content: "Hello" }],
 *   { addGenerationPrompt: true },
 * );
 * assertEquals(text, "<|user|>\nHello<|end|>\n<|assistant|>\n");
 * ```
 *
 * @throws {RangeError} Where the tokenizer has no token that could end an answer.
 */
export function promptStyle(
  name: PromptStyle,
  { tokenizer, tokens = {} }: PromptStyleOptions,
): ChatTemplate {
  const { source, end } = STYLES[name];
  const eos_token = end !== undefined && tokenizer.specialTokens.has(end)
    ? end
    : endOfText(tokenizer, tokens);
  return new ChatTemplate(source, { ...tokens, eos_token });
}

/** The special token that ends a text: the folder's, or else the first. */
function endOfText(
  { specialTokens }: Tokenizer,
  { eos_token: named }: Readonly<Record<string, unknown>>,
): string {
  if (typeof named === "string" && specialTokens.has(named)) return named;
  const [first] = specialTokens.keys();
  if (first !== undefined) return first;
  throw new RangeError(
    "Cannot teach a model to end its answers: its tokenizer has no special token, such as <|endoftext|>",
  );
}

/** The id by which a model ends its answers. Throws a RangeError where there is none. */
export function answerEnd(
  template: ChatTemplate,
  tokenizer: Tokenizer,
): number {
  return tokenizer.specialTokens.get(endOfText(tokenizer, template.tokens))!;
}

/**
 * The content of a message that is read with `input`, what it is about: joined
 * as the template wants it, which knows no such part.
 */
export function joinInput(
  template: ChatTemplate,
  { content, input }: { readonly content: string; readonly input?: string },
): string {
  if (input === undefined) return content;
  const isAlpaca = Object.values(template.sources)
    .some((source) => source.includes("### Instruction:"));
  return `${content}${isAlpaca ? "\n\n### Input:\n" : "\n"}${input}`;
}
