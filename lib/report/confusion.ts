/**
 * Which classes were taken for which.
 *
 * @module
 */

/** How often each class was taken for each. */
export interface Confusion {
  /** The names of the classes. */
  readonly labels: readonly string[];
  /** Examples of a class (row) that were given a class (column). */
  readonly counts: readonly (readonly number[])[];
}

/** Most characters of a label that are shown. */
const longestName = 24;

/** The confusion it is given, if its counts are a square for its labels. */
export function checkConfusion(confusion: Confusion): Confusion {
  const { labels, counts } = confusion;
  const square = counts.length === labels.length &&
    counts.every((row) => row.length === labels.length);
  if (square && labels.length > 0) return confusion;
  const lengths = counts.map((row) => row.length);
  throw new RangeError(
    `Cannot show confusions of ${labels.length} classes: expected as many rows and columns, got rows of [${lengths}]`,
  );
}

/** A label in one line, cut if it is long. */
export function shortName(label: string): string {
  const characters = [...label.replace(/\s+/g, " ")];
  return characters.length <= longestName
    ? characters.join("")
    : `${characters.slice(0, longestName - 1).join("")}…`;
}
