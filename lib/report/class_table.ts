/**
 * The scores of each class as a table: of a page, or of a terminal.
 *
 * @module
 */

import type { ClassScore, ClassScores } from "../train/class_scores.ts";
import { shortName } from "./confusion.ts";
import { escapeMarkup } from "./markup.ts";
import { count, percent } from "./measures.ts";
import { columnsOf, padAfter, padBefore } from "./text_columns.ts";

/** What a classifier made of a part of the data. */
export interface ClassReport {
  /** Which part, such as `test`. */
  readonly split: string;
  /** The names of the classes. */
  readonly labels: readonly string[];
  /** How good the guesses are. */
  readonly scores: ClassScores;
}

/**
 * Precision, recall and F1 of each class and their means, as aligned lines of
 * text for a terminal.
 */
export function classTableText(report: ClassReport): string {
  const table = [heads, ...classLines(report), ...meanLines(report)];
  const widths = heads.map((_, j) =>
    Math.max(...table.map((line) => columnsOf(shortName(line[j]))))
  );
  return table.map(([name, ...cells]) =>
    [
      padAfter(shortName(name), widths[0]),
      ...cells.map((text, j) => padBefore(text, widths[j + 1])),
    ].join("  ")
  ).join("\n");
}

/** Precision, recall and F1 of each class and their means, for a page. */
export function classTableMarkup(report: ClassReport): string {
  const rows = (lines: readonly Line[]) =>
    lines.map(([name, ...cells]) =>
      `<tr><th scope="row">${escapeMarkup(name)}</th>${
        cells.map((text) => `<td>${text}</td>`).join("")
      }</tr>`
    ).join("\n");
  const head = heads.map((text) => `<th scope="col">${text}</th>`).join("");
  return `<table class="numbers">
<thead><tr>${head}</tr></thead>
<tbody>
${rows(classLines(report))}
</tbody>
<tfoot>
${rows(meanLines(report))}
</tfoot>
</table>`;
}

type Line = readonly string[];

const heads: Line = ["class", "precision", "recall", "F1", "examples"];

function classLines({ labels, scores }: ClassReport): Line[] {
  return scores.classes.map((score, i) => lineOf(labels[i], score));
}

/** Means, by the names that scikit-learn has for them. */
function meanLines(
  { scores: { classes, macro, weighted } }: ClassReport,
): Line[] {
  const support = classes.reduce((sum, { support }) => sum + support, 0);
  return [
    lineOf("macro average", { ...macro, support }),
    lineOf("weighted average", { ...weighted, support }),
  ];
}

function lineOf(name: string, score: ClassScore): Line {
  const { precision, recall, f1, support } = score;
  return [name, ...[precision, recall, f1].map(percent), count(support)];
}
