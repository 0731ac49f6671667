/**
 * What a run came to, as lines of a table.
 *
 * @module
 */

import type { Cell } from "./markup.ts";
import { count, measureOf } from "./measures.ts";
import { isEvaluation, type MetricsRow } from "./metrics.ts";

/** A line: what it is, and its value. */
export type ResultLine = readonly [name: string, value: Cell];

/**
 * The last numbers of each split, the best of the validation split where the
 * last is not the best, and the pace.
 */
export function resultOf(rows: readonly MetricsRow[]): ResultLine[] {
  const evaluations = rows.filter(isEvaluation);
  const training = rows.filter((row) => !isEvaluation(row));
  const steps = Math.max(0, ...rows.slice(-2).map(({ step }) => step));
  const epoch = rows.findLast(({ epoch }) => epoch !== undefined)?.epoch;
  return [
    ["Steps", count(steps)],
    ...epoch === undefined ? [] : [lineOf("epoch", epoch)],
    ...lastOf(evaluations, training),
    ...bestOf(evaluations),
    ...paceOf(training),
  ];
}

/** What a line of the table is about, the most telling first. */
const order = [
  "loss",
  "perplexity",
  "accuracy",
  "f1",
  "precision",
  "recall",
  "exact_match",
  "mean_token_accuracy",
];
const splits = ["Test", "Validation", undefined, "Training"];

/** The last evaluation; what it leaves out of training, from the last step. */
function lastOf(
  evaluations: readonly MetricsRow[],
  training: readonly MetricsRow[],
): ResultLine[] {
  const last = { ...training.at(-1), ...evaluations.at(-1) };
  if ("train_loss" in last) delete last.loss;
  return Object.entries(last)
    .map(([name, value]) => ({ name, value, base: baseOf(name) }))
    .filter(({ base }) => order.includes(base))
    .toSorted((a, b) =>
      splits.indexOf(measureOf(a.name).split) -
        splits.indexOf(measureOf(b.name).split) ||
      order.indexOf(a.base) - order.indexOf(b.base)
    )
    .map(({ name, value }) => lineOf(name, value ?? NaN));
}

/** The best evaluation by each measure, unless it is the last. */
function bestOf(evaluations: readonly MetricsRow[]): ResultLine[] {
  const last = evaluations.at(-1) ?? { step: 0 };
  return Object.keys(last).flatMap((name): ResultLine[] => {
    const { better, split, title, text } = measureOf(name);
    if (!better || split !== "Validation") return [];
    const sign = better === "lower" ? 1 : -1;
    const rank = (row: MetricsRow) => {
      const value = row[name] ?? NaN;
      return Number.isNaN(value) ? Infinity : sign * value;
    };
    const best = evaluations.reduce((best, row) =>
      rank(best) <= rank(row) ? best : row
    );
    if (rank(best) >= rank(last)) return [];
    const words = title[0].toLowerCase() + title.slice(1);
    const value = `${text(best[name] ?? NaN)} at step ${count(best.step)}`;
    return [[`Best ${words}`, value]];
  });
}

function paceOf(training: readonly MetricsRow[]): ResultLine[] {
  const paces = training
    .flatMap(({ tokens_per_second: pace }) => pace === undefined ? [] : [pace])
    .toSorted((a, b) => a - b);
  if (paces.length === 0) return [];
  const median = paces[paces.length >> 1];
  return [["Tokens per second (median)", count(median)]];
}

function lineOf(name: string, value: number): ResultLine {
  const { title, text } = measureOf(name);
  return [title, text(value)];
}

function baseOf(name: string): string {
  return name.replace(/^(eval|val|train|test)_/, "");
}
