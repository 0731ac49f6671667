/**
 * A conversation as ids, of which some are to be learned.
 *
 * @module
 */

import type { ChatMessage, ChatTemplate } from "./chat_template.ts";
import { plainMessages } from "./plain_messages.ts";
import { answerEnd } from "./prompt_style.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** Ids, and which of them a model is to learn to write. */
export interface MaskedConversation {
  /** The ids of the text. `[length]` */
  readonly ids: Uint32Array<ArrayBuffer>;
  /** 1 where the id is to be learned, 0 where it is only read. `[length]` */
  readonly learned: Uint8Array<ArrayBuffer>;
}

/** How a conversation is written, and what of it is learned. */
export interface MaskOptions {
  /** How the model wants it written. */
  readonly template: ChatTemplate;
  /** How that becomes ids. */
  readonly tokenizer: Tokenizer;
  /** Only the answers of the assistant, each with the token that ends it; or all. (Default "answers".) */
  readonly learn?: "answers" | "all";
  /** The first message whose answer is learned. (Default 0.) */
  readonly learnFrom?: number;
  /** Functions that the model may call, as JSON schemas. */
  readonly tools?: readonly unknown[];
}

/**
 * The ids of a conversation up to its last answer, with what is learned.
 *
 * The ids before an answer are those of what leads to it alone, from which the
 * model will write it: no token has a part of both. An answer ends
 * with the last special token that the template writes after it, and what comes
 * after that is read alone; if the template writes none, the last answer is
 * ended by {@linkcode answerEnd}.
 *
 * This is one sequence where the template writes the beginning of a
 * conversation as it writes that beginning alone. Some do not, such as those
 * that leave out the thoughts of earlier turns: then there is one sequence for
 * each answer, with what leads to it as the model will see it.
 *
 * @throws {Error} Where the template refuses the conversation, or writes an
 * answer otherwise than where it asks for one.
 */
export function maskConversation(
  messages: readonly ChatMessage[],
  options: MaskOptions,
): MaskedConversation[] {
  const { template, tokenizer, tools, learn = "answers" } = options;
  const { learnFrom = 0 } = options;
  const turns = messages.keys().toArray().filter((i) =>
    i >= Math.max(1, learnFrom) && messages[i].role === "assistant"
  );
  if (turns.length === 0) {
    throw new RangeError(
      "Cannot learn from a conversation in which the assistant answers nothing",
    );
  }

  const plain = plainMessages(tokenizer, messages);
  const render = (count: number, addGenerationPrompt: boolean) =>
    template.render(plain.messages.slice(0, count), {
      tools,
      addGenerationPrompt,
    });
  const answers = turns.map((turn) => {
    const prompt = render(turn, true);
    const text = render(turn + 1, false);
    if (!text.startsWith(prompt)) throw misfit(turn, { prompt, text });
    return { start: prompt.length, text };
  });

  const specials = new Set(tokenizer.specialTokens.values());
  const end = answerEnd(template, tokenizer);
  const encoding = { encode: plain.encode, learn, specials, end };
  const { text } = answers.at(-1)!;
  if (learn === "all") {
    const holds = answers.every((answer) =>
      text.startsWith(answer.text.slice(0, answer.start))
    );
    const starts = (holds ? answers : answers.slice(-1))
      .map(({ start }) => start);
    const spans = starts.map((start, i) => ({
      start,
      stop: starts[i + 1] ?? text.length,
    }));
    return [maskSpans(text, spans, encoding)];
  }
  const spans = answers.map(({ start, text }) => ({
    start,
    stop: text.length,
  }));
  return answers.every((answer) => text.startsWith(answer.text))
    ? [maskSpans(text, spans, encoding)]
    : answers.map(({ text }, i) => maskSpans(text, [spans[i]], encoding));
}

/** Where an answer stands in a text, with what ends it. */
interface Span {
  readonly start: number;
  readonly stop: number;
}

interface Encoding {
  readonly encode: (text: string) => Uint32Array<ArrayBuffer>;
  readonly learn: "answers" | "all";
  readonly specials: ReadonlySet<number>;
  readonly end: number;
}

/** The sequence of a text with these answers, of which the last ends it. */
function maskSpans(
  text: string,
  spans: readonly Span[],
  { encode, learn, specials, end }: Encoding,
): MaskedConversation {
  const ids: number[] = [];
  const learned: number[] = [];
  const add = (part: Iterable<number>, isLearned: boolean) => {
    for (const id of part) {
      ids.push(id);
      learned.push(isLearned ? 1 : 0);
    }
  };
  const isAll = learn === "all";
  let done = 0;
  let before = "";
  spans.forEach(({ start, stop }, i) => {
    const prompt = text.slice(done, start);
    const answer = text.slice(start, stop);
    add(encodeAfter(before, prompt, encode), isAll);
    const told = encodeAfter(prompt, answer, encode);
    const ending = told.findLastIndex((id) => specials.has(id));
    const cut = ending < 0 ? told.length : ending + 1;
    const isLast = i === spans.length - 1;
    add(told.subarray(0, cut), true);
    if (isLast && ending < 0) add([end], true);
    if (isAll || !isLast) add(told.subarray(cut), isAll);
    done = stop;
    before = answer;
  });
  return { ids: Uint32Array.from(ids), learned: Uint8Array.from(learned) };
}

/**
 * The ids of a text that follows another: what it adds to the ids of both, if
 * those begin with the ids of the first, or else its own.
 *
 * Some tokenizers put a space before a text, which has no place after another;
 * so its own ids are taken after a line end, where they can be told apart there.
 */
function encodeAfter(
  before: string,
  text: string,
  encode: (text: string) => Uint32Array<ArrayBuffer>,
): Uint32Array<ArrayBuffer> {
  if (before === "") return encode(text);
  for (const context of [before, "\n"]) {
    const head = encode(context);
    const both = encode(context + text);
    if (head.every((id, i) => both[i] === id)) return both.slice(head.length);
  }
  return encode(text);
}

/** Says how a template writes a prompt otherwise with the answer than without. */
function misfit(
  turn: number,
  { prompt, text }: { readonly prompt: string; readonly text: string },
): Error {
  let at = 0;
  while (prompt[at] === text[at]) at++;
  const near = (text: string) => JSON.stringify(text.slice(at, at + 30));
  return new Error(
    `the chat template writes what leads to message ${
      turn + 1
    } otherwise once the answer follows: ${near(prompt)} becomes ${
      near(text)
    }; use another prompt style`,
  );
}
