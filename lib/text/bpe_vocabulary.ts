/**
 * The tables of a byte-pair encoding: ids, bytes and merges, checked once.
 *
 * @module
 */

import { type AddedToken, AddedTokens } from "./added_tokens.ts";
import { BYTE_CHARACTERS, bytesToAlphabet } from "./byte_alphabet.ts";
import { ID_LIMIT, Merges } from "./bpe_merge.ts";
import {
  type CharacterOptions,
  characterSymbols,
} from "./character_symbols.ts";
import { BYTE_LEVEL, type Decoder } from "./decoder.ts";
import type { Normalizer } from "./normalizer.ts";
import type { PreTokenizer } from "./pre_tokenizer.ts";
import type { Template } from "./template.ts";
import { stringToBytes } from "./wtf8.ts";

/**
 * What defines a byte-pair tokenizer. Token texts are in GPT-2's byte alphabet,
 * or they are characters.
 */
export interface BpeParts {
  /** Tokens and their ids, all 256 bytes among them if tokens are bytes. */
  readonly vocab: ReadonlyMap<string, number>;
  /** Pairs of tokens, first merged first. */
  readonly merges: readonly (readonly [string, string])[];
  /** How a text is cut into words. */
  readonly pattern: PreTokenizer;
  /** Control tokens by their plain text, and their ids; none by default. */
  readonly specialTokens?: ReadonlyMap<string, number>;
  /** In place of `specialTokens`: tokens found in the text, with their rules. */
  readonly addedTokens?: readonly AddedToken[];
  /** Whether a word that is a token needs no merges to become it; false by default. */
  readonly ignoreMerges?: boolean;
  /** What is done to a text before it is cut; nothing by default. */
  readonly normalizer?: Normalizer;
  /** Special tokens around a text; none by default. */
  readonly template?: Template;
  /** How tokens become text; by default they are bytes. */
  readonly decoder?: Decoder;
  /** Given if tokens are characters: what becomes of those that have none. */
  readonly characters?: CharacterOptions;
}

/** Looks up ids, bytes and merges. */
export class BpeVocabulary {
  /** One more than the largest id. */
  readonly size: number;
  /** The merges, by rank. */
  readonly merges: Merges = new Merges();
  /** The tokens that are found in the text itself. */
  readonly added: AddedTokens;
  /** How tokens become text. */
  readonly decoder: Decoder;
  /** Ids of ordinary tokens by their text, in the byte alphabet if they are bytes. */
  readonly ids: ReadonlyMap<string, number>;

  /** The ids that a word starts with, before merging. */
  readonly symbols: (word: string) => number[];
  /** The token that a word is, if it is one. */
  readonly whole: (word: string) => number | undefined;

  /** Whether nothing merges across the start of a word, so that words can be cached. */
  readonly wordsStandAlone: boolean;

  readonly #bytes: (Uint8Array | undefined)[] = [];
  readonly #texts = new Map<number, string>();

  /** Throws a RangeError that says which token or merge is wrong, and why. */
  constructor(parts: BpeParts) {
    const { normalizer, characters, decoder = BYTE_LEVEL } = parts;
    this.decoder = decoder;
    this.added = new AddedTokens(
      parts.addedTokens ?? parts.specialTokens ?? new Map(),
      normalizer && ((text) => normalizer.normalize(text)),
    );
    this.ids = this.#ordinary(parts.vocab);
    for (const [text, id] of this.ids) {
      this.#place(text, id, decoder.bytesOf(text));
    }
    for (const { content, id } of this.added.tokens) {
      if (this.ids.get(content) === id) continue;
      const text = this.added.textOf(id)!;
      const bytes = characters ? decoder.bytesOf(text) : stringToBytes(text);
      this.#place(text, id, bytes);
    }
    this.size = this.#bytes.length;

    if (characters) {
      const unknownId = unknownIdOf(characters.unknown, parts.vocab);
      this.symbols = characterSymbols({ ids: this.ids, unknownId }, characters);
      this.whole = (word) => this.ids.get(word);
    } else {
      this.symbols = byteSymbols(this.ids);
      this.whole = (word) => this.ids.get(bytesToAlphabet(stringToBytes(word)));
    }
    parts.merges.forEach((pair, rank) => this.#merge(pair, rank));

    this.wordsStandAlone = characters !== undefined && !parts.ignoreMerges &&
      this.ids.has(SPACE) && !parts.merges.some(joinsWords);
  }

  /** Whether there is a token of an id. */
  has(id: number): boolean {
    return this.#bytes[id] !== undefined;
  }

  /** The bytes of an id. Throws if the vocabulary does not have it. */
  bytesOf(id: number): Uint8Array {
    const bytes = this.#bytes[id];
    if (bytes !== undefined) return bytes;
    throw new RangeError(
      `Cannot decode id ${id}: the vocabulary has ${
        id < this.size ? "no token of this id" : `${this.size} ids`
      }`,
    );
  }

  /** The bytes of the id that a text begins with. */
  firstBytesOf(id: number): Uint8Array {
    const text = this.#texts.get(id);
    return text === undefined || !this.decoder.firstBytesOf
      ? this.bytesOf(id)
      : this.decoder.firstBytesOf(text);
  }

  /** The tokens that may come of plain text: all but the special ones. */
  #ordinary(vocab: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
    const added = new Map(this.added.tokens.map((t) => [t.content, t]));
    const ids = new Map<string, number>();
    for (const [text, id] of vocab) {
      const token = added.get(text);
      if (token !== undefined && token.id !== id) {
        throw refused(
          `special token ${quote(text)} has id ${token.id}, ` +
            `but ${id} in the vocabulary`,
        );
      }
      const isWord = token === undefined ||
        !token.special && this.decoder.bytesOf(text) !== undefined;
      if (isWord) ids.set(text, id);
    }
    return ids;
  }

  #place(text: string, id: number, bytes: Uint8Array | undefined): void {
    if (!Number.isInteger(id) || id < 0 || id >= ID_LIMIT) {
      throw refused(
        `token ${quote(text)} has id ${id}, ` +
          `expected a whole number from 0 to ${ID_LIMIT - 1}`,
      );
    }
    if (text === "" || bytes === undefined) {
      throw refused(
        `token ${quote(text)} (id ${id}) is not written in the byte alphabet`,
      );
    }
    if (this.#bytes[id] !== undefined) {
      throw refused(`token ${quote(text)} has id ${id}, which another has too`);
    }
    while (this.#bytes.length < id) this.#bytes.push(undefined);
    this.#bytes[id] = bytes;
    if (this.decoder.firstBytesOf) this.#texts.set(id, text);
  }

  #merge(pair: readonly [string, string], rank: number): void {
    const [left, right] = pair;
    const a = this.ids.get(left);
    const b = this.ids.get(right);
    const merged = this.ids.get(left + right);
    if (a === undefined || b === undefined || merged === undefined) {
      const missing = a === undefined
        ? left
        : b === undefined
        ? right
        : left + right;
      throw refused(
        `merge ${rank} is ${quote(left)} with ${quote(right)}, ` +
          `but ${quote(missing)} is not in the vocabulary`,
      );
    }
    if (!this.merges.add(a, b, merged)) {
      throw refused(
        `merge ${rank} is ${quote(left)} with ${quote(right)}, ` +
          `which merge ${this.merges.rank(a, b)} is too`,
      );
    }
  }
}

// What SentencePiece writes for a space. Its vocabularies are learnt word by
// word, so that tokens have it at their start only.
const SPACE = "\u2581";

/** Where a word starts that nothing merges across. */
export const WORD_START = /(?<=[^\u2581])(?=\u2581)/u;

function joinsWords([left, right]: readonly [string, string]): boolean {
  return !left.endsWith(SPACE) && right.startsWith(SPACE);
}

/** The function that gives the ids of the bytes of a word. */
function byteSymbols(
  ids: ReadonlyMap<string, number>,
): (word: string) => number[] {
  const missing = BYTE_CHARACTERS.filter((character) => !ids.has(character));
  if (missing.length > 0) {
    throw refused(
      `${missing.length} of the 256 bytes have no token, ` +
        `the first is ${quote(missing[0])}`,
    );
  }
  const byteIds = BYTE_CHARACTERS.map((character) => ids.get(character)!);
  return (word) => {
    const symbols: number[] = [];
    for (const byte of stringToBytes(word)) symbols.push(byteIds[byte]);
    return symbols;
  };
}

function unknownIdOf(
  unknown: string | undefined,
  vocab: ReadonlyMap<string, number>,
): number | undefined {
  const id = unknown === undefined ? undefined : vocab.get(unknown);
  if (unknown === undefined || id !== undefined) return id;
  throw refused(`the unknown token ${quote(unknown)} is not in it`);
}

function refused(problem: string): RangeError {
  return new RangeError(`Cannot use this vocabulary: ${problem}`);
}

function quote(text: string): string {
  return JSON.stringify(text);
}
