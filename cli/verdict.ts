/**
 * What a self-test found.
 *
 * @module
 */

/** What is wrong, what is worth knowing, or nothing. */
export type Verdict =
  | { readonly wrong: string }
  | { readonly note: string }
  | null;

/** A number a GPU gave, the right one, and how far apart they may be. */
export type Comparison = readonly [
  what: string,
  actual: number,
  expected: number,
  slack: number,
];

/** The first of several comparisons that fails. */
export function compare(rows: Iterable<Comparison>): Verdict {
  for (const [what, actual, expected, slack] of rows) {
    const near = Math.abs(actual - expected) <= slack;
    if (!near && !Object.is(actual, expected)) {
      return { wrong: `${what} is ${actual}, expected ${expected}` };
    }
  }
  return null;
}
