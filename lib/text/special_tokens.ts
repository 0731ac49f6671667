/**
 * Control tokens: which there are, and where a text holds allowed ones.
 *
 * @module
 */

import type { EncodeOptions } from "./tokenizer.ts";

/** The special tokens of one tokenizer. */
export class SpecialTokens {
  /** The id of each text. */
  readonly ids: ReadonlyMap<string, number>;
  readonly #texts: ReadonlyMap<number, string>;

  /** Takes texts and their ids; throws on an empty or malformed text. */
  constructor(ids: ReadonlyMap<string, number>) {
    for (const text of ids.keys()) {
      if (text === "" || !text.isWellFormed()) {
        throw new RangeError(
          `Cannot make ${JSON.stringify(text)} a special token: ` +
            `expected at least one character and no lone surrogates`,
        );
      }
    }
    this.ids = new Map(ids);
    this.#texts = new Map([...ids].map(([text, id]) => [id, text]));
  }

  /** The text of an id, if it is a special token's. */
  textOf(id: number): string | undefined {
    return this.#texts.get(id);
  }

  /**
   * Cuts a text at the allowed tokens, the longest first where several begin:
   * a string is plain text, a number a special token's id.
   */
  *cut(
    text: string,
    allowed: EncodeOptions["allowedSpecial"] = [],
  ): Generator<string | number> {
    const tokens = [...allowed === "all" ? this.ids.keys() : allowed];
    for (const token of tokens) this.#mustHave(token);
    if (tokens.length === 0) {
      yield text;
      return;
    }

    const longestFirst = tokens.sort((a, b) => b.length - a.length);
    const pattern = new RegExp(longestFirst.map(RegExp.escape).join("|"), "gu");
    let start = 0;
    for (const match of text.matchAll(pattern)) {
      if (match.index > start) yield text.slice(start, match.index);
      yield this.ids.get(match[0])!;
      start = match.index + match[0].length;
    }
    if (start < text.length) yield text.slice(start);
  }

  #mustHave(token: string): void {
    if (this.ids.has(token)) return;
    const have = [...this.ids.keys()].map((text) => JSON.stringify(text));
    throw new RangeError(
      `Cannot allow the special token ${
        JSON.stringify(token)
      }: the tokenizer ` +
        `has ${have.length > 0 ? have.join(", ") : "none"}`,
    );
  }
}
