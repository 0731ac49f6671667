/**
 * The simplest tokenizer: one id per character.
 *
 * @module
 */

import { AddedTokens } from "./added_tokens.ts";
import { IdBuffer } from "./id_buffer.ts";
import type {
  EncodeOptions,
  StreamDecoder,
  StreamOptions,
  Tokenizer,
} from "./tokenizer.ts";
import { tokenizerForm, type TokenizerJson } from "./tokenizer_form.ts";

/**
 * One id for each character (code point) of a text, in code point order.
 *
 * ```ts
 * import { CharTokenizer } from "@shaderloom/shaderloom";
 * import { assertEquals } from "@std/assert";
 *
 * const tokenizer = new CharTokenizer("hello");
 * assertEquals([...tokenizer.encode("hole")], [1, 3, 2, 0]);
 * assertEquals(tokenizer.decode([1, 3, 2, 0]), "hole");
 * ```
 */
export class CharTokenizer implements Tokenizer {
  /** The number of characters. */
  readonly vocabSize: number;

  /** None. */
  readonly specialTokens: ReadonlyMap<string, number> = new Map();

  readonly #characters: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;

  /** Takes the text whose characters get ids, or the characters in the order of their ids. */
  constructor(vocabulary: string | readonly string[]) {
    this.#characters = typeof vocabulary === "string"
      ? [...new Set(vocabulary)].sort(byCodePoint)
      : [...vocabulary];
    this.#ids = new Map(this.#characters.map((char, id) => [char, id]));
    this.vocabSize = this.#characters.length;

    if (this.vocabSize === 0) {
      throw new RangeError("Cannot make a character vocabulary: no characters");
    }
    this.#characters.forEach((char, id) => {
      if ([...char].length !== 1 || this.#ids.get(char) !== id) {
        throw new RangeError(
          `Cannot make a character vocabulary: entry ${id} is ${
            JSON.stringify(char)
          }, expected a character that no other entry has`,
        );
      }
    });
  }

  /** The ids of a text. Throws on a character that has none. */
  encode(text: string, options: EncodeOptions = {}): Uint32Array<ArrayBuffer> {
    const none = new AddedTokens(this.specialTokens);
    const ids = new IdBuffer(text.length);
    let index = 0;
    for (const part of none.cut(text, options)) {
      for (const char of part as string) {
        const id = this.#ids.get(char);
        if (id === undefined) throw this.#unknown(char, index);
        ids.push(id);
        index += char.length;
      }
    }
    return ids.toArray();
  }

  /** The text of ids. */
  decode(ids: Iterable<number>): string {
    let text = "";
    for (const id of ids) text += this.#character(id);
    return text;
  }

  /** A BPE without merges, which Hugging Face reads as a character tokenizer. */
  toJSON(): TokenizerJson {
    return tokenizerForm({
      vocab: this.#ids,
      addedTokens: [],
      decoder: { type: "Fuse" },
    });
  }

  /** Every id is a whole character, so nothing is kept back. */
  stream({ skipUnknown = false }: StreamOptions = {}): StreamDecoder {
    const push = (id: number) =>
      skipUnknown ? this.#characters[id] ?? "" : this.#character(id);
    return { push, end: () => "" };
  }

  #character(id: number): string {
    const character = this.#characters[id];
    if (character === undefined) {
      throw new RangeError(
        `Cannot decode id ${id}: the vocabulary has ${this.vocabSize} ids`,
      );
    }
    return character;
  }

  #unknown(char: string, index: number): RangeError {
    const codePoint = char.codePointAt(0)!.toString(16).toUpperCase();
    return new RangeError(
      `Cannot encode ${JSON.stringify(char)} (U+${
        codePoint.padStart(4, "0")
      }) at index ${index}: not among the ${this.vocabSize} characters of the ` +
        `vocabulary; make it from a text that has them all, or use byte or bpe`,
    );
  }
}

function byCodePoint(a: string, b: string): number {
  return a.codePointAt(0)! - b.codePointAt(0)!;
}
