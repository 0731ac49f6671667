/**
 * Which classes were taken for which, as text for a terminal.
 *
 * @module
 */

import { checkConfusion, type Confusion, shortName } from "./confusion.ts";
import { columnsOf, padAfter, padBefore } from "./text_columns.ts";

/** What {@linkcode confusionText} may take up. */
export interface ConfusionTextOptions {
  /** Columns of the terminal; 80 unless told. */
  readonly columns?: number;
}

/**
 * A confusion matrix as lines of text: a row for each class, a column for each
 * answer. Columns too wide for the terminal have numbers for names; if that
 * does not help, the most frequent confusions are listed instead.
 *
 * ```ts
 * import { confusionText } from "@shaderloom/shaderloom";
 *
 * const labels = ["ham", "spam"];
 * console.log(confusionText({ labels, counts: [[146, 4], [3, 147]] }));
 * //         predicted
 * // actual  ham  spam
 * // ham     146     4
 * // spam      3   147
 * ```
 *
 * @throws {RangeError} If counts are not a square with a row for each label.
 */
export function confusionText(
  confusion: Confusion,
  { columns = 80 }: ConfusionTextOptions = {},
): string {
  const { labels, counts } = checkConfusion(confusion);
  const names = labels.map(shortName);
  const numbers = names.map((_, i) => `${i + 1}`);
  const numbered = names.map((name, i) => `${i + 1} ${name}`);
  const matrices = [
    matrix(names, names, counts),
    matrix(numbered, numbers, counts),
  ];
  const fitting = matrices.find((lines) =>
    lines.every((line) => columnsOf(line) <= columns)
  );
  return fitting?.join("\n") ?? listed({ labels: names, counts });
}

/** The lines of a matrix whose rows are named `rows`, its columns `heads`. */
function matrix(
  rows: readonly string[],
  heads: readonly string[],
  counts: Confusion["counts"],
): string[] {
  const cells = counts.map((row) => row.map(String));
  const widths = heads.map((head, j) =>
    Math.max(columnsOf(head), ...cells.map((row) => row[j].length))
  );
  const width = Math.max("actual".length, ...rows.map(columnsOf));
  const line = (name: string, texts: readonly string[]) =>
    [
      padAfter(name, width),
      ...texts.map((text, j) => padBefore(text, widths[j])),
    ].join("  ");
  return [
    `${" ".repeat(width)}  predicted`,
    line("actual", heads),
    ...cells.map((row, i) => line(rows[i], row)),
  ];
}

/** Most confusions listed. */
const maxListed = 20;

/** The most frequent confusions, one a line. */
function listed({ labels, counts }: Confusion): string {
  const wrong = counts.flatMap((row, i) =>
    labels.flatMap((label, j) =>
      i === j || row[j] === 0 ? [] : [{ n: row[j], actual: labels[i], label }]
    )
  ).toSorted((a, b) => b.n - a.n);
  if (wrong.length === 0) return "No class was taken for another.";
  const lines = wrong.slice(0, maxListed).map(({ n, actual, label }) =>
    `${String(n).padStart(6)}  ${actual} taken for ${label}`
  );
  const rest = wrong.slice(maxListed);
  if (rest.length > 0) {
    const n = rest.reduce((total, { n }) => total + n, 0);
    lines.push(`${String(n).padStart(6)}  in ${rest.length} more ways`);
  }
  return ["Most frequent confusions:", ...lines].join("\n");
}
