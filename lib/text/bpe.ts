/**
 * Byte-pair encoding: how GPT-2 and those after it cut text into tokens.
 *
 * @module
 */

import { mergeWord } from "./bpe_merge.ts";
import { type BpeParts, BpeVocabulary, WORD_START } from "./bpe_vocabulary.ts";
import { IdBuffer } from "./id_buffer.ts";
import type { PreTokenizer } from "./pre_tokenizer.ts";
import { StripStream, stripText } from "./strip.ts";
import type {
  EncodeOptions,
  StreamDecoder,
  StreamOptions,
  Tokenizer,
} from "./tokenizer.ts";
import { tokenizerForm, type TokenizerJson } from "./tokenizer_form.ts";
import { bytesToString, ByteStream } from "./wtf8.ts";

/**
 * A BPE tokenizer, of bytes as GPT-2's or of characters as SentencePiece's.
 * (Sennrich et al., 2016; Radford et al., 2019; Kudo and Richardson, 2018.)
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
  readonly pattern: PreTokenizer;

  /** Pairs of tokens, in GPT-2's byte alphabet or characters, first merged first. */
  readonly merges: readonly (readonly [string, string])[];

  readonly #vocabulary: BpeVocabulary;
  readonly #parts: BpeParts;
  readonly #cache = new Map<string, readonly number[]>();

  /** Throws a RangeError on a vocabulary that lacks bytes or does not fit its merges. */
  constructor(parts: BpeParts) {
    this.pattern = parts.pattern;
    this.merges = parts.merges;
    this.#parts = parts;
    this.#vocabulary = new BpeVocabulary(parts);
  }

  /** One more than the largest id. */
  get vocabSize(): number {
    return this.#vocabulary.size;
  }

  /** Control tokens by their text. */
  get specialTokens(): ReadonlyMap<string, number> {
    return this.#vocabulary.added.ids;
  }

  /** Tokens but the special ones, in GPT-2's byte alphabet or characters, and their ids. */
  get vocab(): ReadonlyMap<string, number> {
    return this.#vocabulary.ids;
  }

  /** The ids of a text, in time O(n log n) even where it is one long word. */
  encode(text: string, options: EncodeOptions = {}): Uint32Array<ArrayBuffer> {
    const ids = new IdBuffer(text.length / 3);
    const template = options.addSpecialTokens
      ? this.#parts.template
      : undefined;
    ids.append(template?.before ?? []);
    let first = true;
    for (
      const part of this.#vocabulary.added.cut(text, options)
    ) {
      if (typeof part === "number") ids.push(part);
      else {
        for (const word of this.#words(part, first)) {
          ids.append(this.#encodeWord(word));
        }
      }
      first = false;
    }
    ids.append(template?.after ?? []);
    return ids.toArray();
  }

  /** The text of ids; bytes that are not UTF-8 become U+FFFD. */
  decode(ids: Iterable<number>): string {
    const tokens: Uint8Array[] = [];
    let length = 0;
    for (const id of ids) {
      const token = this.#bytesOf(id, tokens.length === 0);
      tokens.push(token);
      length += token.length;
    }
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const token of tokens) {
      for (let i = 0; i < token.length; i++) bytes[at++] = token[i];
    }
    return stripText(bytesToString(bytes), this.#vocabulary.decoder.strip);
  }

  /** The content of a Hugging Face tokenizer.json. */
  toJSON(): TokenizerJson {
    const { characters } = this.#parts;
    return tokenizerForm({
      vocab: this.#parts.vocab,
      addedTokens: this.#vocabulary.added.toJSON(),
      normalizer: this.#parts.normalizer?.toJSON(),
      preTokenizer: this.pattern.toJSON(),
      postProcessor: this.#parts.template?.toJSON(),
      decoder: this.#vocabulary.decoder.toJSON(),
      merges: this.merges,
      ignoreMerges: this.#parts.ignoreMerges,
      unknown: characters && {
        unk_token: characters.unknown ?? null,
        fuse_unk: characters.fuseUnknown ?? false,
        byte_fallback: characters.byteFallback ?? false,
      },
    });
  }

  /** A decoder for ids that arrive one by one. */
  stream({ skipUnknown = false }: StreamOptions = {}): StreamDecoder {
    let first = true;
    const bytes = new ByteStream((id) => {
      if (skipUnknown && !this.#vocabulary.has(id)) return undefined;
      const piece = this.#bytesOf(id, first);
      first = false;
      return piece;
    });
    const { strip } = this.#vocabulary.decoder;
    return strip ? new StripStream(bytes, strip) : bytes;
  }

  #bytesOf(id: number, first: boolean): Uint8Array {
    return first
      ? this.#vocabulary.firstBytesOf(id)
      : this.#vocabulary.bytesOf(id);
  }

  #words(text: string, first: boolean): Iterable<string> {
    const words = this.pattern.split(text, first);
    return this.#vocabulary.wordsStandAlone
      ? Iterator.from(words).flatMap((word) => word.split(WORD_START))
      : words;
  }

  #encodeWord(word: string): readonly number[] {
    const cached = this.#cache.get(word);
    if (cached !== undefined) return cached;

    const ids = this.#merge(word);
    if (word.length > LONGEST_CACHED) return ids;
    if (this.#cache.size === MOST_CACHED) this.#cache.clear();
    this.#cache.set(word, ids);
    return ids;
  }

  #merge(word: string): readonly number[] {
    if (this.#parts.ignoreMerges) {
      const whole = this.#vocabulary.whole(word);
      if (whole !== undefined) return [whole];
    }
    return mergeWord(this.#vocabulary.symbols(word), this.#vocabulary.merges);
  }
}

// Text repeats its words, so nearly all lookups hit; the two bounds keep the
// cache within some 10 MB whatever the text.
const LONGEST_CACHED = 64;
const MOST_CACHED = 2 ** 16;
