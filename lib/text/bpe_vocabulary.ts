/**
 * The tables of a byte-level BPE: ids, bytes and merges, checked once.
 *
 * @module
 */

import { alphabetToBytes, BYTE_CHARACTERS } from "./byte_alphabet.ts";
import { ID_LIMIT, Merges } from "./bpe_merge.ts";
import { SpecialTokens } from "./special_tokens.ts";
import type { SplitPattern } from "./split_pattern.ts";
import { stringToBytes } from "./wtf8.ts";

/** What defines a byte-level BPE tokenizer. Token texts are in GPT-2's byte alphabet. */
export interface BpeParts {
  /** Tokens and their ids, all 256 bytes among them. */
  readonly vocab: ReadonlyMap<string, number>;
  /** Pairs of tokens, first merged first. */
  readonly merges: readonly (readonly [string, string])[];
  /** How a text is cut into words. */
  readonly pattern: SplitPattern;
  /** Control tokens by their plain text, and their ids; none by default. */
  readonly specialTokens?: ReadonlyMap<string, number>;
  /** Whether a word that is a token needs no merges to become it; false by default. */
  readonly ignoreMerges?: boolean;
}

/** Looks up ids, bytes and merges. */
export class BpeVocabulary {
  /** One more than the largest id. */
  readonly size: number;
  /** The id of each byte. */
  readonly byteIds: Uint32Array;
  /** The merges, by rank. */
  readonly merges: Merges = new Merges();
  /** The control tokens. */
  readonly special: SpecialTokens;
  /** Ids of ordinary tokens by their text in the byte alphabet. */
  readonly ids: ReadonlyMap<string, number>;

  readonly #bytes: (Uint8Array | undefined)[] = [];

  /** Throws a RangeError that says which token or merge is wrong, and why. */
  constructor(parts: BpeParts) {
    this.special = new SpecialTokens(parts.specialTokens ?? new Map());
    const ids = new Map<string, number>();
    for (const [text, id] of parts.vocab) {
      const specialId = this.special.ids.get(text);
      if (specialId === undefined) ids.set(text, id);
      else if (specialId !== id) {
        throw refused(
          `special token ${quote(text)} has id ${specialId}, ` +
            `but ${id} in the vocabulary`,
        );
      }
    }
    this.ids = ids;
    for (const [text, id] of ids) this.#place(text, id, alphabetToBytes(text));
    for (const [text, id] of this.special.ids) {
      this.#place(text, id, stringToBytes(text));
    }
    this.size = this.#bytes.length;
    this.byteIds = byteIds(ids);
    parts.merges.forEach((pair, rank) => this.#merge(pair, rank));
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

  #place(text: string, id: number, bytes: Uint8Array | undefined): void {
    if (!Number.isInteger(id) || id < 0 || id >= ID_LIMIT) {
      throw refused(
        `token ${quote(text)} has id ${id}, ` +
          `expected a whole number from 0 to ${ID_LIMIT - 1}`,
      );
    }
    if (bytes === undefined || bytes.length === 0) {
      throw refused(
        `token ${quote(text)} (id ${id}) is not written in the byte alphabet`,
      );
    }
    if (this.#bytes[id] !== undefined) {
      throw refused(`token ${quote(text)} has id ${id}, which another has too`);
    }
    while (this.#bytes.length < id) this.#bytes.push(undefined);
    this.#bytes[id] = bytes;
  }

  #merge([left, right]: readonly [string, string], rank: number): void {
    const [a, b, merged] = [left, right, left + right].map((text) => {
      const id = this.ids.get(text);
      if (id !== undefined) return id;
      throw refused(
        `merge ${rank} is ${quote(left)} with ${quote(right)}, ` +
          `but ${quote(text)} is not in the vocabulary`,
      );
    });
    if (!this.merges.add(a, b, merged)) {
      throw refused(
        `merge ${rank} is ${quote(left)} with ${quote(right)}, ` +
          `which merge ${this.merges.rank(a, b)} is too`,
      );
    }
  }
}

function byteIds(ids: ReadonlyMap<string, number>): Uint32Array {
  const missing = BYTE_CHARACTERS.filter((character) => !ids.has(character));
  if (missing.length > 0) {
    throw refused(
      `${missing.length} of the 256 bytes have no token, ` +
        `the first is ${quote(missing[0])}`,
    );
  }
  return Uint32Array.from(BYTE_CHARACTERS, (character) => ids.get(character)!);
}

function refused(problem: string): RangeError {
  return new RangeError(`Cannot use this vocabulary: ${problem}`);
}

function quote(text: string): string {
  return JSON.stringify(text);
}
