/**
 * Keeping what people say apart from what a template writes: the text of a
 * control token in a message stays plain text.
 *
 * @module
 */

import type { Tokenizer } from "./tokenizer.ts";

/** Messages whose texts hold no control token, and how to encode them. */
export interface PlainMessages<T> {
  /** The messages, with a mark inside the text of each control token. */
  readonly messages: readonly T[];
  /** The ids of a text that was made from them: the mark is left out. */
  encode(text: string): Uint32Array<ArrayBuffer>;
}

/** Marks messages, so that only what stands around them becomes control tokens. */
export function plainMessages<T>(
  tokenizer: Tokenizer,
  messages: readonly T[],
): PlainMessages<T> {
  const tokens = specialPattern(tokenizer);
  if (tokens === undefined) {
    return { messages, encode: (text) => tokenizer.encode(text) };
  }
  const mark = markBeside(messages);
  return {
    messages: messages.map((message) =>
      keepPlain(message, { tokens, mark }) as T
    ),
    encode: (text) => tokenizer.encode(text, { allowedSpecial: "all", mark }),
  };
}

const patterns = new WeakMap<Tokenizer, RegExp>();

/** Finds control tokens, the longest first. */
function specialPattern(tokenizer: Tokenizer): RegExp | undefined {
  const { specialTokens } = tokenizer;
  if (specialTokens.size === 0) return undefined;
  const known = patterns.get(tokenizer);
  if (known !== undefined) return known;
  const names = [...specialTokens.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(names.map(RegExp.escape).join("|"), "gu");
  patterns.set(tokenizer, pattern);
  return pattern;
}

/** Values with a mark between the characters of special tokens in their strings. */
function keepPlain(
  value: unknown,
  { tokens, mark }: { readonly tokens: RegExp; readonly mark: string },
): unknown {
  if (typeof value === "string") {
    return value.replace(tokens, (token) => [...token].join(mark));
  }
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    return value.map((item) => keepPlain(item, { tokens, mark }));
  }
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, item]) => [key, keepPlain(item, { tokens, mark })]),
  );
}

/** A character that no text has: one of those that Unicode keeps for programs. */
function markBeside(messages: readonly unknown[]): string {
  const text = JSON.stringify(messages);
  for (let code = 0xfdd0; code <= 0xfdef; code++) {
    const mark = String.fromCharCode(code);
    if (!text.includes(mark)) return mark;
  }
  throw new RangeError(
    "Cannot encode a conversation that holds every noncharacter of Unicode",
  );
}
