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
import { UsageError } from "./usage_error.ts";

/** The token that ends a text, in tokenizers trained here. */
export const END_OF_TEXT = "<|endoftext|>";

/** What the kinds that learn from text learn from. */
export interface TokenizerOptions {
  /** The texts. */
  readonly texts: readonly string[];
  /** Tokens of a bpe tokenizer, or null for as many as the text deserves. */
  readonly vocabSize: number | null;
}

/** Where `char` and `bpe` are learned from texts; see {@linkcode tokenizerNamed}. */
export async function chooseTokenizer(
  name: string,
  { texts, vocabSize }: TokenizerOptions,
): Promise<Tokenizer> {
  if (name === "char") return new CharTokenizer(texts.join(""));
  if (name === "bpe") {
    return trainBpe(texts, {
      vocabSize: vocabSize ?? deservedVocabulary(texts),
      specialTokens: [END_OF_TEXT],
    });
  }
  return await tokenizerNamed(name);
}

/** More text has more words worth a token of their own. */
function deservedVocabulary(texts: readonly string[]): number {
  const characters = texts.reduce((sum, text) => sum + text.length, 0);
  return Math.min(4096, Math.max(512, Math.round(characters / 1000)));
}

/** `gpt2` and `byte` by name; anything else is a file or folder. */
export function tokenizerNamed(name: string): Promise<Tokenizer> {
  if (name === "gpt2") return gpt2Tokenizer();
  if (name === "byte") return Promise.resolve(new ByteTokenizer());
  if (name === "char" || name === "bpe") {
    throw new UsageError(
      `Cannot take ${name} for a tokenizer: it is made from a text; name the folder or tokenizer.json that was written then`,
    );
  }
  return loadTokenizer(name);
}
