/**
 * The texts on which published tokenizers are compared with Hugging Face's.
 *
 * @module
 */

import { Random } from "../../lib/random.ts";
import { fuzzString } from "./fuzz.ts";

/** How many texts there are for each tokenizer. */
export const TEXTS = 10_000;

/** Awkward strings, some with the texts of a tokenizer's own tokens in them. */
export function* publishedTexts(
  seed: number,
  tokens: readonly string[],
): Generator<string> {
  const random = new Random(seed);
  const pick = (items: readonly string[]) =>
    items[random.integer(items.length)];
  for (let i = 0; i < TEXTS; i++) {
    let text = fuzzString(random);
    for (let left = random.integer(4); left > 1; left--) {
      const around = pick(["", "", " ", "  ", "\n", "\u0085", "x", "é", "_"]);
      text += around + pick(tokens) + around + fuzzString(random).slice(0, 20);
    }
    yield text.toWellFormed();
  }
}
