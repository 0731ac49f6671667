/**
 * Labeled texts as examples of classes: which classes there are, how many of
 * each, and which examples are for training.
 *
 * @module
 */

import type { Random } from "../random.ts";
import type { LabeledText } from "./labeled_text.ts";

/**
 * The labels there are, each once, in the order of their classes: by number where
 * all are whole numbers, else by code point.
 *
 * @throws {RangeError} When there are not two different ones.
 */
export function labelsOf(
  examples: Iterable<Pick<LabeledText, "label">>,
): readonly string[] {
  const found = new Set<string>();
  for (const { label } of examples) found.add(label);
  if (found.size < 2) {
    throw new RangeError(
      `Cannot classify: all examples have ${
        found.size === 0 ? "no label" : `the label "${[...found]}"`
      }, expected two labels or more`,
    );
  }
  const labels = [...found];
  return labels.every((label) => /^-?\d{1,15}$/.test(label))
    ? labels.sort((a, b) => Number(a) - Number(b))
    : labels.sort((a, b) => a < b ? -1 : 1);
}

/** How many examples each of the labels has, in their order. */
export function countLabels(
  examples: Iterable<Pick<LabeledText, "label">>,
  labels: readonly string[],
): readonly number[] {
  const counts = new Map(labels.map((label) => [label, 0]));
  for (const { label } of examples) {
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  return labels.map((label) => counts.get(label)!);
}

/**
 * As many examples of each label, in their order: of the rarest all, of the
 * others as many, drawn at random.
 */
export function balanceLabels<E extends Pick<LabeledText, "label">>(
  examples: readonly E[],
  random: Random,
): readonly E[] {
  const byLabel = Map.groupBy(examples.keys(), (at) => examples[at].label);
  const least = Math.min(...byLabel.values().map(({ length }) => length));
  const kept = labelsOf(examples).flatMap((label) =>
    random.shuffle([...byLabel.get(label)!]).slice(0, least)
  );
  return kept.sort((a, b) => a - b).map((at) => examples[at]);
}

/** What examples are for. */
export interface ExampleParts<E> {
  /** To learn from. */
  readonly train: readonly E[];
  /** To choose by, while learning. */
  readonly validation: readonly E[];
  /** To be judged by, at the end. */
  readonly test: readonly E[];
}

/** How to divide examples. */
export interface DivideOptions {
  /** The share to learn from: 0.7, as in the book. */
  readonly train?: number;
  /** The share to choose by: 0.1. The rest is to be judged by. */
  readonly validation?: number;
  /** Orders them; the same seed divides them the same way. */
  readonly random: Random;
}

/**
 * Divides examples at random, each into exactly one part.
 *
 * ```ts
 * import { divideExamples, Random } from "@shaderloom/shaderloom";
 * import { assertEquals } from "@std/assert";
 *
 * const examples = Array.from({ length: 1494 }, (_, i) => i);
 * const { train, validation, test } = divideExamples(examples, {
 *   random: new Random(123),
 * });
 * const sizes = [train, validation, test].map(({ length }) => length);
 * assertEquals(sizes, [1045, 149, 300]);
 * ```
 *
 * @throws {RangeError} When the shares make no sense, or a part would be empty.
 */
export function divideExamples<E>(
  examples: readonly E[],
  { train = 0.7, validation = 0.1, random }: DivideOptions,
): ExampleParts<E> {
  const left = 1 - train - validation;
  if (!(train > 0 && validation > 0 && left > 1e-9)) {
    throw new RangeError(
      `Cannot divide examples into shares of ${train} to learn from and ${validation} to choose by: expected two numbers above 0 whose sum is below 1`,
    );
  }
  // 0.7 of 10 is 7, though in floating point it may be a little less.
  const share = (part: number) => Math.floor(part * examples.length + 1e-9);
  const first = share(train);
  const second = first + share(validation);
  const order = random.shuffle([...examples]);
  const parts = {
    train: order.slice(0, first),
    validation: order.slice(first, second),
    test: order.slice(second),
  };
  for (const [name, { length }] of Object.entries(parts)) {
    if (length > 0) continue;
    throw new RangeError(
      `Cannot divide ${examples.length} examples: none would be left for the ${name} part`,
    );
  }
  return parts;
}

/**
 * How many examples of the validation and test parts have a text that is learned
 * from too, so that they are easier than new ones.
 */
export function repeatedTexts(
  parts: ExampleParts<Pick<LabeledText, "text">>,
): number {
  const learned = new Set(parts.train.map(({ text }) => text));
  return [...parts.validation, ...parts.test]
    .filter(({ text }) => learned.has(text)).length;
}
