/**
 * What every tokenizer does: text to ids, ids to text, itself to a file.
 *
 * @module
 */

import type { TokenizerJson } from "./tokenizer_form.ts";

/** Text to ids and back: `decode(encode(text)) === text`. */
export interface Tokenizer {
  /** One more than the largest id: the number of rows an embedding needs. */
  readonly vocabSize: number;

  /** Control tokens by their text, such as `<|endoftext|>`. */
  readonly specialTokens: ReadonlyMap<string, number>;

  /** The ids of a text. The text of a special token is plain text unless allowed. */
  encode(text: string, options?: EncodeOptions): Uint32Array<ArrayBuffer>;

  /** The text of ids, special tokens included. Throws on an id that is not in the vocabulary. */
  decode(ids: Iterable<number>): string;

  /** The content of a Hugging Face tokenizer.json. `JSON.stringify` calls it. */
  toJSON(): TokenizerJson;

  /** A decoder for ids that arrive one by one. */
  stream(options?: StreamOptions): StreamDecoder;
}

/** How {@linkcode Tokenizer.encode} reads a text. */
export interface EncodeOptions {
  /** Which special tokens to recognise in the text; none by default. */
  readonly allowedSpecial?: "all" | Iterable<string>;

  /** A character that only keeps the parts of a special token's text apart, where that is to stay plain, and is left out itself; none by default. */
  readonly mark?: string;

  /** Whether to put the special tokens around the text that its tokenizer.json says, such as the one that begins it; false by default. */
  readonly addSpecialTokens?: boolean;
}

/** How {@linkcode Tokenizer.stream} reads ids. */
export interface StreamOptions {
  /** Whether an id that is not in the vocabulary is passed over, as a model may write where it has more ids than its tokenizer; false by default. */
  readonly skipUnknown?: boolean;
}

/**
 * Turns ids into text as they arrive, never emitting half a character. Where
 * they continue a text, push the ids of that first: some tokenizers leave out
 * a space at the start.
 */
export interface StreamDecoder {
  /** The text that an id completes, which may be empty. Throws on an id that is not in the vocabulary. */
  push(id: number): string;

  /** The rest: U+FFFD where a character was begun and not finished. */
  end(): string;
}
