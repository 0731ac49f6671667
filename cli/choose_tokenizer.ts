/**
 * The tokenizer a flag names.
 *
 * @module
 */

import { ByteTokenizer } from "../lib/text/byte.ts";
import { CharTokenizer } from "../lib/text/char.ts";
import { gpt2Tokenizer } from "../lib/text/gpt2.ts";
import { loadTokenizer } from "../lib/text/load.ts";
import type { Tokenizer } from "../lib/text/tokenizer.ts";
import { trainBpe } from "../lib/text/train_bpe.ts";

/** The token that ends a text, in tokenizers trained here. */
export const END_OF_TEXT = "<|endoftext|>";

/** What the kinds that learn from text learn from. */
export interface TokenizerOptions {
  /** The texts. */
  readonly texts: readonly string[];
  /** Tokens of a bpe tokenizer. */
  readonly vocabSize: number;
}

/** `char`, `byte`, `bpe` and `gpt2` by name; anything else is a path. */
export async function chooseTokenizer(
  name: string,
  { texts, vocabSize }: TokenizerOptions,
): Promise<Tokenizer> {
  switch (name) {
    case "char":
      return new CharTokenizer(texts.join(""));
    case "byte":
      return new ByteTokenizer();
    case "bpe":
      return trainBpe(texts, { vocabSize, specialTokens: [END_OF_TEXT] });
    case "gpt2":
      return await gpt2Tokenizer();
    default:
      return await loadTokenizer(name);
  }
}
