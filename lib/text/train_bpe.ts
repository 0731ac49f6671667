/**
 * Learning a byte-pair vocabulary from text.
 *
 * @module
 */

import { BpeTokenizer } from "./bpe.ts";
import { BYTE_CHARACTERS, bytesToAlphabet } from "./byte_alphabet.ts";
import { MergingWords } from "./merging_words.ts";
import { SplitPattern, type SplitSource } from "./split_pattern.ts";
import { stringToBytes } from "./wtf8.ts";

/** What {@linkcode trainBpe} learns. */
export interface TrainBpeOptions {
  /** The number of ids: 256 bytes, the special tokens, and the merges. */
  readonly vocabSize: number;
  /** How texts are cut into words, across which nothing merges; "gpt2" by default. */
  readonly pattern?: SplitSource;
  /** Control tokens, which get the last ids; none by default. */
  readonly specialTokens?: readonly string[];
  /** How often a pair must occur to be merged; 2 by default. */
  readonly minFrequency?: number;
}

/**
 * Learns a byte-level BPE tokenizer: starts with the bytes and merges the most
 * frequent pair until the vocabulary is full.
 *
 * Of pairs that are equally frequent, the one whose left token is older merges
 * first, then the one whose right token is older, as in Hugging Face's trainer;
 * the bytes are in the order of their characters in GPT-2's alphabet. So one
 * text always gives one tokenizer, whatever the order of its words.
 *
 * Special tokens in the texts are plain text, and no merge may spell one.
 */
export function trainBpe(
  texts: string | Iterable<string>,
  options: TrainBpeOptions,
): BpeTokenizer {
  const { vocabSize, specialTokens = [], minFrequency = 2 } = options;
  const pattern = new SplitPattern(options.pattern ?? "gpt2");
  checkSizes(vocabSize, specialTokens, minFrequency);

  const tokens = [...BYTE_CHARACTERS].sort();
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const byteIds = BYTE_CHARACTERS.map((character) => ids.get(character)!);
  const words = new MergingWords();
  const counts = wordCounts(
    typeof texts === "string" ? [texts] : texts,
    pattern,
  );
  for (const [word, count] of counts) {
    words.add(Array.from(stringToBytes(word), (byte) => byteIds[byte]), count);
  }

  const forbidden = new Set(
    specialTokens.flatMap((t) => [t, bytesToAlphabet(stringToBytes(t))]),
  );
  const merges: [string, string][] = [];
  while (tokens.length + specialTokens.length < vocabSize) {
    const pair = words.mostFrequent();
    if (pair === undefined || pair.count < minFrequency) {
      throw tooLittle(
        tokens.length + specialTokens.length,
        options,
        counts.size,
      );
    }
    const [left, right] = [tokens[pair.left], tokens[pair.right]];
    const merged = left + right;
    if (forbidden.has(merged)) continue;

    // Another pair may have spelt this token already; then it keeps its id.
    const id = ids.get(merged) ?? tokens.push(merged) - 1;
    ids.set(merged, id);
    merges.push([left, right]);
    words.merge(pair, id);
  }

  return new BpeTokenizer({
    vocab: ids,
    merges,
    pattern,
    specialTokens: new Map(
      specialTokens.map((text, i) => [text, tokens.length + i]),
    ),
  });
}

function wordCounts(
  texts: Iterable<string>,
  pattern: SplitPattern,
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const word of pattern.split(text)) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  return counts;
}

function checkSizes(
  vocabSize: number,
  specialTokens: readonly string[],
  minFrequency: number,
): void {
  const least = 256 + specialTokens.length;
  if (!Number.isInteger(vocabSize) || vocabSize < least) {
    throw new RangeError(
      `Cannot train a vocabulary of ${vocabSize}: expected a whole number of ` +
        `at least ${least} (256 bytes and ${specialTokens.length} special tokens)`,
    );
  }
  if (!(minFrequency >= 1)) {
    throw new RangeError(
      `Cannot train with a minimum frequency of ${minFrequency}: ` +
        `expected at least 1`,
    );
  }
  if (new Set(specialTokens).size < specialTokens.length) {
    throw new RangeError(
      `Cannot train with the special tokens ${
        JSON.stringify(specialTokens)
      }: one is named twice`,
    );
  }
}

function tooLittle(
  reached: number,
  { vocabSize, minFrequency = 2 }: TrainBpeOptions,
  words: number,
): RangeError {
  return new RangeError(
    `Cannot train a vocabulary of ${vocabSize}: after ${reached} tokens no ` +
      `pair occurs ${minFrequency} times in the ${words} distinct words; ` +
      `ask for at most ${reached}, or give more text`,
  );
}
