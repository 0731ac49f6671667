/**
 * How good guesses of classes are, in the terms and by the rules of scikit-learn.
 *
 * @module
 */

/** How well one class is guessed. */
export interface ClassScore {
  /** Of the guesses of this class, the share that is right. */
  readonly precision: number;
  /** Of the examples of this class, the share that is guessed. */
  readonly recall: number;
  /** The harmonic mean of the two. */
  readonly f1: number;
  /** The examples of this class. */
  readonly support: number;
}

/** How good guesses are. */
export interface ClassScores {
  /** The share that is right. */
  readonly accuracy: number;
  /** Class by class. A share of nothing is 0. */
  readonly classes: readonly ClassScore[];
  /** The mean over classes, each counting the same. */
  readonly macro: Omit<ClassScore, "support">;
  /** The mean over classes, each counting by its examples. */
  readonly weighted: Omit<ClassScore, "support">;
  /** `confusion[i][j]` examples of class `i` were taken for class `j`. */
  readonly confusion: readonly (readonly number[])[];
}

/** What was guessed, and what is right. */
export interface Guesses {
  /** The class of each example, from 0. */
  readonly labels: ArrayLike<number>;
  /** The class guessed for each. */
  readonly guesses: ArrayLike<number>;
  /** How many classes there are. */
  readonly classes: number;
}

/**
 * Compares guesses with labels.
 *
 * ```ts
 * import { scoreClasses } from "@shaderloom/shaderloom";
 * import { assertEquals } from "@std/assert";
 *
 * const { accuracy, confusion } = scoreClasses({
 *   labels: [0, 0, 1, 1],
 *   guesses: [0, 1, 1, 1],
 *   classes: 2,
 * });
 * assertEquals(accuracy, 0.75);
 * assertEquals(confusion, [[1, 1], [0, 2]]);
 * ```
 *
 * @throws {RangeError} Unless there are as many guesses as labels, at least one,
 * all of them classes.
 */
export function scoreClasses(
  { labels, guesses, classes }: Guesses,
): ClassScores {
  const count = labels.length;
  if (count === 0 || guesses.length !== count) {
    throw new RangeError(
      `Cannot score ${guesses.length} guesses against ${count} labels: expected as many, and one at least`,
    );
  }
  const confusion = Array.from(
    { length: classes },
    () => new Array<number>(classes).fill(0),
  );
  for (let i = 0; i < count; i++) {
    for (const which of [labels[i], guesses[i]]) {
      if (Number.isInteger(which) && which >= 0 && which < classes) continue;
      throw new RangeError(
        `Cannot score class ${which} of example ${i}: expected a class below ${classes}`,
      );
    }
    confusion[labels[i]][guesses[i]]++;
  }
  const each = confusion.map((row, i): ClassScore => {
    const right = row[i];
    const support = total(row);
    const guessed = total(confusion.map((row) => row[i]));
    return {
      precision: share(right, guessed),
      recall: share(right, support),
      f1: share(2 * right, support + guessed),
      support,
    };
  });
  return {
    accuracy: total(confusion.map((row, i) => row[i])) / count,
    classes: each,
    macro: meanOf(each, () => 1),
    weighted: meanOf(each, ({ support }) => support),
    confusion,
  };
}

function meanOf(
  scores: readonly ClassScore[],
  weightOf: (score: ClassScore) => number,
): Omit<ClassScore, "support"> {
  const weights = total(scores.map(weightOf));
  const mean = (name: "precision" | "recall" | "f1") =>
    total(scores.map((score) => weightOf(score) * score[name])) / weights;
  return {
    precision: mean("precision"),
    recall: mean("recall"),
    f1: mean("f1"),
  };
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
