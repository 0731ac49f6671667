/**
 * Chat templates: how a model wants a conversation written.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { JsonCursor } from "./json_cursor.ts";
import { JinjaTemplate, type RenderLimits } from "./jinja.ts";
import { plainMessages } from "./plain_messages.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** One turn of a conversation. */
export interface ChatMessage {
  /** Whose turn it is: "system", "user", "assistant", or what the template knows. */
  readonly role: string;
  /** What is said: text, or what the template knows. */
  readonly content?: unknown;
  /** What else the template knows. */
  readonly [key: string]: unknown;
}

/** How {@linkcode ChatTemplate.render} writes. */
export interface RenderOptions extends RenderLimits {
  /** Whether to end where the model is to answer; false by default. */
  readonly addGenerationPrompt?: boolean;
  /** Functions that the model may call, as JSON schemas; none by default. */
  readonly tools?: readonly unknown[];
  /** Which of several templates; by default "tool_use" if there are tools, else "default". */
  readonly name?: string;
  /** What else the template knows. */
  readonly variables?: Readonly<Record<string, unknown>>;
}

/**
 * A model's way to write a conversation as one text, in which control tokens
 * stand as text. {@linkcode ChatTemplate.encode} gives its ids, for which only
 * the template writes control tokens: in a message they are plain text.
 *
 * ```ts
 * import { ChatTemplate } from "@shaderloom/shaderloom";
 * import { assertEquals } from "@std/assert";
 *
 * const template = new ChatTemplate(
 *   "{% for m in messages %}[{{ m.role }}] {{ m.content }}{{ eos_token }}{% endfor %}",
 *   { eos_token: "</s>" },
 * );
 * const text = template.render([{ role: "user", content: "Hello" }]);
 * assertEquals(text, "[user] Hello</s>");
 * ```
 */
export class ChatTemplate {
  /** The templates in Jinja, by name; one alone is "default". */
  readonly sources: Readonly<Record<string, string>>;
  /** The variables of every conversation, such as `bos_token`. */
  readonly tokens: Readonly<Record<string, unknown>>;

  readonly #templates: ReadonlyMap<string, JinjaTemplate>;

  /** Takes a template in Jinja, or several by name, and variables such as `bos_token`. */
  constructor(
    source: string | Readonly<Record<string, string>>,
    tokens: Readonly<Record<string, unknown>> = {},
  ) {
    this.sources = typeof source === "string" ? { default: source } : source;
    this.tokens = tokens;
    this.#templates = new Map(
      Object.entries(this.sources).map(([name, source]) => {
        try {
          return [name, new JinjaTemplate(source)];
        } catch (error) {
          throw new SyntaxError(
            `Cannot read the chat template ${name}: ${
              (error as Error).message
            }`,
          );
        }
      }),
    );
  }

  /** The text of the token that ends a turn, if that is known: `eos_token`. */
  get endToken(): string | undefined {
    const { eos_token: token } = this.tokens;
    return typeof token === "string" ? token : undefined;
  }

  /** The ids of a conversation. Throws as {@linkcode ChatTemplate.render} does. */
  encode(
    tokenizer: Tokenizer,
    messages: readonly ChatMessage[],
    options: RenderOptions = {},
  ): Uint32Array<ArrayBuffer> {
    const plain = plainMessages(tokenizer, messages);
    return plain.encode(this.render(plain.messages, options));
  }

  /** The text of a conversation. Throws an Error where the template refuses it or exceeds a limit. */
  render(
    messages: readonly ChatMessage[],
    options: RenderOptions = {},
  ): string {
    const { tools, addGenerationPrompt = false } = options;
    const name = options.name ??
      (tools && this.#templates.has("tool_use") ? "tool_use" : "default");
    const template = this.#templates.get(name);
    if (template === undefined) {
      throw new RangeError(
        `Cannot write a conversation by the template ${name}: there are ${
          [...this.#templates.keys()].join(", ")
        }`,
      );
    }
    if (messages.length === 0) {
      throw new RangeError("Cannot write a conversation of no messages");
    }
    const variables = new Map<string, unknown>(Object.entries({
      ...this.tokens,
      messages,
      tools: tools ?? null,
      documents: null,
      add_generation_prompt: addGenerationPrompt,
      ...options.variables,
    }));
    try {
      return template.render(variables, options);
    } catch (error) {
      throw new Error(
        `Cannot write the conversation by its template: ${
          (error as Error).message
        }`,
      );
    }
  }
}

/**
 * The chat template of a model folder: chat_template.jinja, or what
 * tokenizer_config.json has; undefined where there is none. Throws one line
 * that says what is malformed.
 */
export async function loadChatTemplate(
  folder: string,
): Promise<ChatTemplate | undefined> {
  const place = folder.replace(/(?<=.)\/+$/, "");
  const path = `${place}/tokenizer_config.json`;
  const json = await textOf(path);
  const config = JsonCursor.parse(json ?? "{}", path);
  const source = await textOf(`${place}/chat_template.jinja`) ??
    readTemplates(config.at("chat_template"));
  if (source === undefined) return undefined;
  return new ChatTemplate(source, readTokens(config));
}

/**
 * The special tokens that the tokenizer_config.json of a model folder names, as
 * templates know them: `bos_token`, `eos_token` and so on. Throws one line that
 * says what is malformed.
 */
export async function loadTemplateTokens(
  folder: string,
): Promise<Readonly<Record<string, string>>> {
  const path = `${folder.replace(/(?<=.)\/+$/, "")}/tokenizer_config.json`;
  return readTokens(JsonCursor.parse(await textOf(path) ?? "{}", path));
}

/** One template, or several as a list of names and templates. */
function readTemplates(
  template: JsonCursor,
): string | Record<string, string> | undefined {
  if (template.absent) return undefined;
  if (!Array.isArray(template.value)) return template.string();
  return Object.fromEntries(
    template.elements().map((one) => [
      one.at("name").string(),
      one.at("template").string(),
    ]),
  );
}

/** The variables that stand for special tokens. */
function readTokens(config: JsonCursor): Record<string, string> {
  const tokens: Record<string, string> = {};
  for (const kind of ["bos", "eos", "unk", "sep", "pad", "cls", "mask"]) {
    const token = config.at(`${kind}_token`);
    if (token.absent) continue;
    tokens[`${kind}_token`] = typeof token.value === "string"
      ? token.value
      : token.at("content").string();
  }
  return tokens;
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return undefined;
    throw error;
  }
}
