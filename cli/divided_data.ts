/**
 * What the parts of the data are, where some may have files of their own.
 *
 * @module
 */

import {
  divideExamples,
  type ExampleParts,
} from "../lib/data/classification.ts";
import { Random } from "../lib/random.ts";

/** How data are divided. */
export interface Division<E> {
  /** What has a file of its own to choose by, or to be judged by. */
  readonly apart: Partial<Pick<ExampleParts<E>, "validation" | "test">>;
  readonly "train-split": number;
  readonly "validation-split": number;
  readonly seed: number;
}

/**
 * The parts of examples. Where one part has a file of its own, another that has
 * none gets the share that it would have had, and the rest is learned from.
 */
export function dividedData<E>(
  examples: readonly E[],
  division: Division<E>,
): ExampleParts<E> {
  const { apart: { validation, test }, seed } = division;
  const train = division["train-split"];
  const share = division["validation-split"];
  const random = new Random(seed);
  if (validation && test) return { train: examples, validation, test };
  if (!validation && !test) {
    return divideExamples(examples, { train, validation: share, random });
  }
  const own = validation ? 1 - train - share : share;
  // 0.2 of 10 is 2, though in floating point it may be a little less.
  const cut = Math.floor(own * examples.length + 1e-9);
  const order = random.shuffle([...examples]);
  const [taken, rest] = [order.slice(0, cut), order.slice(cut)];
  if (cut <= 0 || rest.length === 0) {
    throw new RangeError(
      `Cannot divide ${examples.length} examples: none would be left for the ${
        cut > 0 ? "train" : validation ? "test" : "validation"
      } part`,
    );
  }
  return validation
    ? { train: rest, validation, test: taken }
    : { train: rest, validation: taken, test: test! };
}

/** What is wrong with the flags that say how data are divided. */
export function divisionProblems({ values, given }: {
  readonly values: Readonly<
    Record<"train-split" | "validation-split", number>
  >;
  readonly given: ReadonlySet<string>;
}): string[] {
  const [validation, test] = ["validation-data", "test-data"]
    .map((flag) => given.has(flag));
  const problems: string[] = [];
  const idle = ["train-split", "validation-split"].filter((flag) =>
    given.has(flag) && validation && test
  );
  if (idle.length > 0) {
    problems.push(
      `--${
        idle.join(", --")
      } divide nothing: --validation-data and --test-data are files`,
    );
  }
  const both = values["train-split"] + values["validation-split"];
  // In floating point 0.9 and 0.1 may be a little less than 1.
  if (both > 1 - 1e-9 && !test) {
    problems.push(
      "--train-split and --validation-split leave nothing for the test part",
    );
  }
  return problems;
}
