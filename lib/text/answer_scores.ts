/**
 * How near an answer is to the expected one, by SQuAD's definitions.
 *
 * @module
 */

/** What an answer is worth. */
export interface AnswerScores {
  /** 1 where both say the same, or else 0. */
  readonly exactMatch: number;
  /** The harmonic mean of precision and recall of the words. */
  readonly f1: number;
}

/**
 * Scores an answer as SQuAD's evaluation script does: case, punctuation of
 * ASCII, articles and white space do not count; words count as often as they are
 * in both. Where one says nothing, so must the other.
 *
 * ```ts
 * import { scoreAnswer } from "@shaderloom/shaderloom";
 * import { assertEquals } from "@std/assert";
 *
 * const { exactMatch, f1 } = scoreAnswer("A cat sat.", "the cat sat down");
 * assertEquals(exactMatch, 0);
 * assertEquals(f1, 0.8); // 2 words of 2, and 2 of 3
 * ```
 */
export function scoreAnswer(answer: string, expected: string): AnswerScores {
  const given = wordsOf(answer);
  const wanted = wordsOf(expected);
  const exactMatch = given.join(" ") === wanted.join(" ") ? 1 : 0;
  if (given.length === 0 || wanted.length === 0) {
    return { exactMatch, f1: exactMatch };
  }
  const left = new Map<string, number>();
  for (const word of wanted) left.set(word, (left.get(word) ?? 0) + 1);
  let same = 0;
  for (const word of given) {
    const count = left.get(word) ?? 0;
    if (count === 0) continue;
    left.set(word, count - 1);
    same++;
  }
  // 2 P R / (P + R), where P and R are shares of the two lengths.
  return { exactMatch, f1: 2 * same / (given.length + wanted.length) };
}

// Python's string.punctuation.
const PUNCTUATION = /[!-/:-@[-`{-~]/g;
const ARTICLE = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu;
// deno-lint-ignore no-control-regex -- white space as Python splits it
const SPACE = /[\p{White_Space}\x1c-\x1f]+/u;

function wordsOf(text: string): string[] {
  return text.toLowerCase()
    .replace(PUNCTUATION, "")
    .replace(ARTICLE, " ")
    .split(SPACE)
    .filter((word) => word !== "");
}
