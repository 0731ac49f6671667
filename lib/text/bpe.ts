/**
 * Byte-level byte-pair encoding: GPT-2's way of cutting text into tokens.
 *
 * @module
 */

import { mergeWord } from "./bpe_merge.ts";
import { type BpeParts, BpeVocabulary } from "./bpe_vocabulary.ts";
import { bytesToAlphabet } from "./byte_alphabet.ts";
import { IdBuffer } from "./id_buffer.ts";
import type { SplitPattern } from "./split_pattern.ts";
import type { EncodeOptions, StreamDecoder, Tokenizer } from "./tokenizer.ts";
import {
  byteLevelForm,
  tokenizerForm,
  type TokenizerJson,
} from "./tokenizer_form.ts";
import { bytesToString, ByteStream, stringToBytes } from "./wtf8.ts";

/**
 * A byte-level BPE tokenizer. (Sennrich et al., 2016; Radford et al., 2019.)
 *
 * ```ts
 * import { trainBpe } from "@shaderloom/shaderloom";
 * import { assertEquals } from "@std/assert";
 *
 * const tokenizer = trainBpe(["a rose is a rose is a rose"], {
 *   vocabSize: 260,
 * });
 * const ids = tokenizer.encode("a rose");
 * assertEquals(tokenizer.decode(ids), "a rose");
 * assertEquals([...ids].map((id) => tokenizer.decode([id])), ["a", " rose"]);
 * ```
 */
export class BpeTokenizer implements Tokenizer {
  /** How a text is cut into words before merging. */
  readonly pattern: SplitPattern;

  /** Pairs of tokens in GPT-2's byte alphabet, first merged first. */
  readonly merges: readonly (readonly [string, string])[];

  readonly #vocabulary: BpeVocabulary;
  readonly #ignoreMerges: boolean;
  readonly #cache = new Map<string, readonly number[]>();

  /** Throws a RangeError on a vocabulary without all bytes or that does not fit its merges. */
  constructor(parts: BpeParts) {
    this.pattern = parts.pattern;
    this.merges = parts.merges;
    this.#ignoreMerges = parts.ignoreMerges ?? false;
    this.#vocabulary = new BpeVocabulary(parts);
  }

  /** One more than the largest id. */
  get vocabSize(): number {
    return this.#vocabulary.size;
  }

  /** Control tokens by their text. */
  get specialTokens(): ReadonlyMap<string, number> {
    return this.#vocabulary.special.ids;
  }

  /** Ordinary tokens, written in GPT-2's byte alphabet, and their ids. */
  get vocab(): ReadonlyMap<string, number> {
    return this.#vocabulary.ids;
  }

  /** The ids of a text, in time O(n log n) even where it is one long word. */
  encode(text: string, options: EncodeOptions = {}): Uint32Array<ArrayBuffer> {
    const ids = new IdBuffer(text.length / 3);
    const { special } = this.#vocabulary;
    for (const part of special.cut(text, options.allowedSpecial)) {
      if (typeof part === "number") {
        ids.push(part);
        continue;
      }
      for (const word of this.pattern.split(part)) {
        ids.append(this.#encodeWord(word));
      }
    }
    return ids.toArray();
  }

  /** The text of ids; bytes that are not UTF-8 become U+FFFD. */
  decode(ids: Iterable<number>): string {
    const tokens = Array.from(ids, (id) => this.#vocabulary.bytesOf(id));
    const length = tokens.reduce((sum, bytes) => sum + bytes.length, 0);
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const token of tokens) {
      for (const byte of token) bytes[at++] = byte;
    }
    return bytesToString(bytes);
  }

  /** The content of a Hugging Face tokenizer.json. */
  toJSON(): TokenizerJson {
    return tokenizerForm({
      vocab: this.vocab,
      specialTokens: this.specialTokens,
      preTokenizer: this.pattern.toJSON(),
      decoder: byteLevelForm(true),
      merges: this.merges,
      ignoreMerges: this.#ignoreMerges,
    });
  }

  /** A decoder for ids that arrive one by one. */
  stream(): StreamDecoder {
    return new ByteStream((id) => this.#vocabulary.bytesOf(id));
  }

  #encodeWord(word: string): readonly number[] {
    const cached = this.#cache.get(word);
    if (cached !== undefined) return cached;

    const ids = this.#mergeBytes(stringToBytes(word));
    if (word.length > LONGEST_CACHED) return ids;
    if (this.#cache.size === MOST_CACHED) this.#cache.clear();
    this.#cache.set(word, ids);
    return ids;
  }

  #mergeBytes(bytes: Uint8Array): readonly number[] {
    const { ids, byteIds, merges } = this.#vocabulary;
    if (this.#ignoreMerges) {
      const whole = ids.get(bytesToAlphabet(bytes));
      if (whole !== undefined) return [whole];
    }
    const word: number[] = [];
    for (const byte of bytes) word.push(byteIds[byte]);
    return mergeWord(word, merges);
  }
}

// Text repeats its words, so nearly all lookups hit; the two bounds keep the
// cache within some 10 MB whatever the text.
const LONGEST_CACHED = 64;
const MOST_CACHED = 2 ** 16;
