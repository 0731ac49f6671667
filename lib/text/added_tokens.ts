/**
 * Tokens that are found in the text itself, before it is cut into words: the
 * control tokens, which must be allowed, and whole words added to a vocabulary.
 *
 * @module
 */

import type { EncodeOptions } from "./tokenizer.ts";
import type { AddedTokenJson } from "./tokenizer_form.ts";

/** A token that is found in the text itself, as Hugging Face describes it. */
export interface AddedToken {
  /** Its id. */
  readonly id: number;
  /** Its text. */
  readonly content: string;
  /** Whether it is a control token, only found where allowed. */
  readonly special: boolean;
  /** Whether it is looked for after normalization, itself normalized; false by default. */
  readonly normalized?: boolean;
  /** Whether it may not stand inside a word; false by default. */
  readonly singleWord?: boolean;
  /** Whether it takes in the white space before it; false by default. */
  readonly lstrip?: boolean;
  /** Whether it takes in the white space after it; false by default. */
  readonly rstrip?: boolean;
}

/** The added tokens of one tokenizer. */
export class AddedTokens {
  /** The id of each special token. */
  readonly ids: ReadonlyMap<string, number>;
  /** All tokens, by id. */
  readonly tokens: readonly AddedToken[];

  readonly #normalize: (text: string) => string;
  readonly #texts: ReadonlyMap<number, string>;
  readonly #matchers = new Map<string, Matchers>();

  /**
   * Takes tokens, or texts of special tokens and their ids; throws on a text
   * that is empty, malformed or there twice. `normalize` is done to the text
   * between tokens.
   */
  constructor(
    tokens: ReadonlyMap<string, number> | readonly AddedToken[],
    normalize: (text: string) => string = (text) => text,
  ) {
    const all = tokens instanceof Map
      ? Array.from(tokens, ([content, id]) => ({ id, content, special: true }))
      : [...tokens as readonly AddedToken[]];
    const seen = new Set<string>();
    for (const { content } of all) {
      if (content === "" || !content.isWellFormed()) {
        throw new RangeError(
          `Cannot make ${JSON.stringify(content)} a special token: ` +
            `expected at least one character and no lone surrogates`,
        );
      }
      if (seen.has(content)) {
        throw new RangeError(
          `Cannot make ${JSON.stringify(content)} a special token twice`,
        );
      }
      seen.add(content);
    }
    this.tokens = all.sort((a, b) => a.id - b.id);
    this.ids = new Map(
      all.filter((token) => token.special)
        .map((token) => [token.content, token.id]),
    );
    this.#normalize = normalize;
    this.#texts = new Map(all.map((token) => [token.id, this.#sought(token)]));
  }

  /** The text of an id, if it is an added token's: normalized, where it is sought so. */
  textOf(id: number): string | undefined {
    return this.#texts.get(id);
  }

  /** The added tokens of a Hugging Face tokenizer.json. */
  toJSON(): AddedTokenJson[] {
    return this.tokens.map((token) => ({
      id: token.id,
      content: token.content,
      single_word: token.singleWord ?? false,
      lstrip: token.lstrip ?? false,
      rstrip: token.rstrip ?? false,
      normalized: token.normalized ?? false,
      special: token.special,
    }));
  }

  /**
   * Cuts a text at its tokens, the longest first where several begin: a string
   * is normalized text, a number a token's id.
   */
  *cut(
    text: string,
    { allowedSpecial = [], mark = "" }: EncodeOptions = {},
  ): Generator<string | number> {
    const { verbatim, normalized } = this.#matchersFor(allowedSpecial);
    const unmarked = (text: string) =>
      mark === "" ? text : text.replaceAll(mark, "");
    for (const part of find(text, verbatim)) {
      if (typeof part === "number") yield part;
      else if (normalized === null) yield this.#normalize(unmarked(part));
      else {
        for (const piece of find(this.#normalize(part), normalized)) {
          yield typeof piece === "number" ? piece : unmarked(piece);
        }
      }
    }
  }

  #matchersFor(allowed: "all" | Iterable<string>): Matchers {
    const texts = allowed === "all" ? this.ids : new Set(allowed);
    const key = allowed === "all" ? "all" : JSON.stringify([...texts.keys()]);
    const known = this.#matchers.get(key);
    if (known !== undefined) return known;

    for (const text of texts.keys()) this.#mustHave(text);
    const wanted = this.tokens.filter(({ special, content }) =>
      !special || texts.has(content)
    );
    const matchers = {
      verbatim: matcher(
        wanted.filter((token) => !token.normalized)
          .map((token) => [this.#sought(token), token]),
      ),
      normalized: matcher(
        wanted.filter((token) => token.normalized)
          .map((token) => [this.#sought(token), token]),
      ),
    };
    if (this.#matchers.size === MOST_MATCHERS) this.#matchers.clear();
    this.#matchers.set(key, matchers);
    return matchers;
  }

  /** What stands in the text where the token is. */
  #sought({ content, normalized }: AddedToken): string {
    return normalized ? this.#normalize(content) : content;
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

interface Matcher {
  readonly pattern: RegExp;
  readonly tokens: ReadonlyMap<string, AddedToken>;
}

interface Matchers {
  readonly verbatim: Matcher | null; // null where there is nothing to find
  readonly normalized: Matcher | null;
}

// One for each set of allowed tokens in use, of which there are few.
const MOST_MATCHERS = 64;

function matcher(entries: (readonly [string, AddedToken])[]): Matcher | null {
  const tokens = new Map(entries.filter(([text]) => text !== ""));
  if (tokens.size === 0) return null;
  const longestFirst = [...tokens.keys()].sort((a, b) => b.length - a.length);
  const source = longestFirst.map(RegExp.escape).join("|");
  return { pattern: new RegExp(source, "gu"), tokens };
}

function* find(
  text: string,
  matcher: Matcher | null,
): Generator<string | number> {
  let start = 0;
  for (const match of matcher ? text.matchAll(matcher.pattern) : []) {
    const token = matcher!.tokens.get(match[0])!;
    let [from, to] = [match.index, match.index + match[0].length];
    if (token.singleWord && inWord(text, from, to)) continue;
    if (token.lstrip) {
      // A token before this one may have taken the white space in already.
      while (from > start && isSpace(text[from - 1])) from--;
    }
    if (token.rstrip) {
      while (to < text.length && isSpace(text[to])) to++;
    }
    if (from > start) yield text.slice(start, from);
    yield token.id;
    start = to;
  }
  if (start < text.length) yield text.slice(start);
}

function isSpace(char: string): boolean {
  return /\p{White_Space}/u.test(char); // all of it is in the BMP
}

// Word characters as the Rust library behind Hugging Face's has them. Always
// looked for from the start: V8 does not find [\p{M}]$ in a character beyond
// the BMP.
const STARTS_WITH_WORD = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;

function inWord(text: string, from: number, to: number): boolean {
  const before = [...text.slice(Math.max(0, from - 2), from)].at(-1) ?? "";
  return STARTS_WITH_WORD.test(before) ||
    STARTS_WITH_WORD.test(text.slice(to, to + 2));
}
