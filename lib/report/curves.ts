/**
 * The charts of a run: which curves its rows hold.
 *
 * @module
 */

import { chartSize, type Curve, drawChart } from "./chart.ts";
import type { Drawing, Ink, Point } from "./drawing.ts";
import type { MetricsRow } from "./metrics.ts";

/**
 * Loss over the steps, of the tokens trained on and of the validation split. A
 * run without losses gets a chart that says so.
 */
export function lossChart(rows: readonly MetricsRow[]): Drawing {
  const title = "Loss over the steps of training";
  const chart = drawChart({ title, label: "loss", curves: find(rows, losses) });
  return chart ?? {
    ...chartSize,
    title,
    areas: [],
    lines: [],
    dots: [],
    texts: [{
      at: [chartSize.width / 2, chartSize.height / 2],
      text: "no losses were recorded",
      anchor: "middle",
    }],
  };
}

/**
 * Accuracy over the steps (of tokens, where no other was measured), F1 and
 * exact matches of the validation split; null if none was measured.
 */
export function accuracyChart(rows: readonly MetricsRow[]): Drawing | null {
  return drawChart({
    title: "Accuracy over the steps of training",
    label: "accuracy",
    curves: find(rows, accuracies),
    percent: true,
  });
}

/** What helps to find faults: learning rate, gradient norm, entropy. */
export function furtherCharts(rows: readonly MetricsRow[]): Drawing[] {
  return further.flatMap(({ label, names }) => {
    const sources = names.map((name, i) => ({
      label: i === 0 ? label : `validation ${label}`,
      ink: inks[i],
      names: [name],
    }));
    const title = `${label[0].toUpperCase()}${label.slice(1)} over the steps`;
    return drawChart({ title, label, curves: find(rows, sources) }) ?? [];
  });
}

const inks = ["training", "validation"] as const;

/** A curve and the names it may go by: the first that has a value is taken. */
interface Source {
  readonly label: string;
  readonly ink: Ink;
  readonly names: readonly string[];
}

const losses: readonly Source[] = [
  { label: "training loss", ink: "training", names: ["loss", "train_loss"] },
  {
    label: "validation loss",
    ink: "validation",
    names: ["val_loss", "eval_loss"],
  },
];

const accuracies: readonly Source[] = [
  {
    label: "training accuracy",
    ink: "training",
    names: ["accuracy", "train_accuracy", "mean_token_accuracy"],
  },
  {
    label: "validation accuracy",
    ink: "validation",
    names: ["eval_accuracy", "val_accuracy", "eval_mean_token_accuracy"],
  },
  { label: "validation F1", ink: "second", names: ["eval_f1"] },
  {
    label: "exact matches in validation",
    ink: "third",
    names: ["eval_exact_match"],
  },
];

const further: readonly { label: string; names: readonly string[] }[] = [
  { label: "learning rate", names: ["learning_rate"] },
  { label: "gradient norm", names: ["grad_norm"] },
  { label: "entropy", names: ["entropy", "eval_entropy"] },
];

function find(
  rows: readonly MetricsRow[],
  sources: readonly Source[],
): Curve[] {
  return sources.map(({ label, ink, names }) => {
    const found = names
      .map((name) => ({ name, points: pointsOf(rows, name) }))
      .find(({ points }) => points.some(([, y]) => Number.isFinite(y)));
    const { name = "", points = [] } = found ?? {};
    return { label, ink, points, dotted: /^(eval|val|train)_/.test(name) };
  });
}

function pointsOf(rows: readonly MetricsRow[], name: string): Point[] {
  return rows.flatMap((row): Point[] => {
    const value = row[name];
    return value === undefined ? [] : [[row.step, value]];
  });
}
