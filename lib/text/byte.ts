/**
 * The tokenizer that needs no training: one id per byte of UTF-8.
 *
 * @module
 */

import { AddedTokens } from "./added_tokens.ts";
import { BYTE_CHARACTERS } from "./byte_alphabet.ts";
import { IdBuffer } from "./id_buffer.ts";
import type {
  EncodeOptions,
  StreamDecoder,
  StreamOptions,
  Tokenizer,
} from "./tokenizer.ts";
import {
  byteLevelForm,
  tokenizerForm,
  type TokenizerJson,
} from "./tokenizer_form.ts";
import { bytesToString, ByteStream, stringToBytes } from "./wtf8.ts";

/**
 * Ids 0 to 255 are bytes; special tokens follow.
 *
 * ```ts
 * import { ByteTokenizer } from "@shaderloom/shaderloom";
 * import { assertEquals } from "@std/assert";
 *
 * const tokenizer = new ByteTokenizer(["<|endoftext|>"]);
 * assertEquals([...tokenizer.encode("né")], [0x6e, 0xc3, 0xa9]);
 * assertEquals(tokenizer.decode([0x6e, 0xc3, 0xa9, 256]), "né<|endoftext|>");
 * ```
 */
export class ByteTokenizer implements Tokenizer {
  /** 256 and the special tokens. */
  readonly vocabSize: number;

  readonly #special: AddedTokens;

  /** Takes the texts of the special tokens, whose ids start at 256. */
  constructor(specialTokens: readonly string[] = []) {
    const ids = new Map(specialTokens.map((text, i) => [text, 256 + i]));
    this.#special = new AddedTokens(ids);
    this.vocabSize = 256 + specialTokens.length;
    if (ids.size < specialTokens.length) {
      throw new RangeError(
        `Cannot make a byte tokenizer: a special token is named twice in ${
          JSON.stringify(specialTokens)
        }`,
      );
    }
  }

  /** Control tokens by their text. */
  get specialTokens(): ReadonlyMap<string, number> {
    return this.#special.ids;
  }

  /** The bytes of a text, and the ids of allowed special tokens. */
  encode(text: string, options: EncodeOptions = {}): Uint32Array<ArrayBuffer> {
    const ids = new IdBuffer(text.length);
    for (const part of this.#special.cut(text, options)) {
      if (typeof part === "number") ids.push(part);
      else ids.append(stringToBytes(part));
    }
    return ids.toArray();
  }

  /** The text of ids; bytes that are not UTF-8 become U+FFFD. */
  decode(ids: Iterable<number>): string {
    const bytes: number[] = [];
    for (const id of ids) {
      for (const byte of this.#bytesOf(id)) bytes.push(byte);
    }
    return bytesToString(Uint8Array.from(bytes));
  }

  /** A byte-level BPE without merges, which Hugging Face reads as a byte tokenizer. */
  toJSON(): TokenizerJson {
    return tokenizerForm({
      vocab: BYTE_CHARACTERS.map((character, byte) => [character, byte]),
      addedTokens: this.#special.toJSON(),
      preTokenizer: byteLevelForm(false),
      decoder: byteLevelForm(true),
    });
  }

  /** A decoder for ids that arrive one by one. */
  stream({ skipUnknown = false }: StreamOptions = {}): StreamDecoder {
    return new ByteStream((id) =>
      skipUnknown && !(id < this.vocabSize) ? undefined : this.#bytesOf(id)
    );
  }

  #bytesOf(id: number): Uint8Array {
    if (Number.isInteger(id) && id >= 0 && id < 256) return Uint8Array.of(id);
    const text = this.#special.textOf(id);
    if (text !== undefined) return stringToBytes(text);
    throw new RangeError(
      `Cannot decode id ${id}: the vocabulary has ${this.vocabSize} ids`,
    );
  }
}
