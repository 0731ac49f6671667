/**
 * What tokens may be drawn and how often, in float64: the definition the
 * sampling kernel is held to.
 *
 * The order is that of `transformers`: repetition penalty, temperature, top-k,
 * top-p, min-p. Tokens that tie with the last one kept are kept too.
 *
 * @module
 */

import type { SamplingOptions } from "../../lib/generate/sample.ts";

/** The probability of each token, 0 for those that cannot be drawn. */
export function distribution(
  logits: ArrayLike<number>,
  {
    temperature = 1,
    topK = 0,
    topP = 1,
    minP = 0,
    repetitionPenalty = 1,
  }: SamplingOptions,
  seen: ReadonlySet<number> = new Set(),
): Float64Array {
  let scores = Float64Array.from(logits).map((score, id) =>
    !seen.has(id)
      ? score
      : score < 0
      ? score * repetitionPenalty
      : score / repetitionPenalty
  );
  if (temperature === 0) {
    const likeliest = scores.indexOf(scores.reduce((a, b) => Math.max(a, b)));
    return scores.map((_, id) => id === likeliest ? 1 : 0);
  }
  scores = scores.map((score) => score / temperature);

  const ranked = scores.toSorted().reverse();
  if (topK > 0 && topK < scores.length) {
    const last = ranked[topK - 1];
    scores = scores.map((score) => score >= last ? score : -Infinity);
  }
  if (topP < 1) {
    const probabilities = softmax(scores);
    let above = 0;
    let last = 0;
    for (const p of probabilities.toSorted().reverse()) {
      last = p;
      above += p;
      if (above >= topP) break;
    }
    scores = scores.map((s, id) => probabilities[id] >= last ? s : -Infinity);
  }
  if (minP > 0) {
    const probabilities = softmax(scores);
    const least = minP * probabilities.reduce((a, b) => Math.max(a, b));
    scores = scores.map((s, id) => probabilities[id] >= least ? s : -Infinity);
  }
  return softmax(scores);
}

function softmax(scores: Float64Array): Float64Array {
  const top = scores.reduce((a, b) => Math.max(a, b));
  const weights = scores.map((score) => Math.exp(score - top));
  const total = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / total);
}

/**
 * How far counts are from probabilities: about a standard normal variable if
 * they were drawn from them. Tokens expected fewer than five times are counted
 * together. (The cube root of a chi-square; Wilson and Hilferty, 1931.)
 */
export function surprise(
  counts: ReadonlyMap<number, number>,
  probabilities: Float64Array,
  draws: number,
): number {
  let sum = 0;
  let freedom = -1;
  let rest = { count: 0, expected: 0 };
  const bin = (count: number, expected: number) => {
    sum += (count - expected) ** 2 / expected;
    freedom++;
  };
  for (const [id, probability] of probabilities.entries()) {
    const count = counts.get(id) ?? 0;
    const expected = probability * draws;
    if (expected >= 5) bin(count, expected);
    else {
      rest = {
        count: rest.count + count,
        expected: rest.expected + expected,
      };
    }
  }
  if (rest.expected >= 5) bin(rest.count, rest.expected);
  if (freedom < 1) return 0;
  const variance = 2 / (9 * freedom);
  return (Math.cbrt(sum / freedom) - 1 + variance) / Math.sqrt(variance);
}
