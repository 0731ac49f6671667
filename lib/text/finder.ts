/**
 * Finding the matches of a pattern in a text of any length.
 *
 * @module
 */

import { LongMatcher } from "./long_match.ts";

/** Finds the matches of a pattern one by one. */
export class Finder {
  /** Where the match that was found last begins. */
  index = 0;
  /** Where it ends. */
  end = 0;
  /** Where to look for the next: there, or a character further if it is empty. */
  next = 0;

  readonly #pattern: RegExp;
  #long: LongMatcher | undefined; // for what V8 cannot match

  /** Takes an expression with the flag u. */
  constructor(pattern: RegExp) {
    this.#pattern = new RegExp(pattern.source, "gu");
  }

  /** Finds the first match at an index or after it; false if there is none. */
  find(text: string, from: number): boolean {
    if (!this.#find(text, from)) return false;
    this.next = this.end;
    if (this.index === this.end) {
      this.next += (text.codePointAt(this.end) ?? 0) > 0xffff ? 2 : 1;
    }
    return true;
  }

  #find(text: string, from: number): boolean {
    if (from > text.length) return false;
    const pattern = this.#pattern;
    pattern.lastIndex = from;
    try {
      const match = pattern.exec(text);
      if (match === null) return false;
      this.index = match.index;
      this.end = pattern.lastIndex;
      return true;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error; // not a full stack
    }
    this.#long ??= new LongMatcher(pattern.source);
    const match = this.#long.find(text, from);
    if (match === undefined) return false;
    this.index = match.index;
    this.end = match.end;
    return true;
  }
}
