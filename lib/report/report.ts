/**
 * A run as one HTML page that needs nothing beside it.
 *
 * @module
 */

import type { MaskedPiece } from "../text/shown_mask.ts";
import type { ClassReport } from "./class_table.ts";
import { accuracyChart, furtherCharts, lossChart } from "./curves.ts";
import { svgOf } from "./drawing.ts";
import { type Cell, escapeMarkup, namedValues } from "./markup.ts";
import { count, percent } from "./measures.ts";
import type { MetricsRow } from "./metrics.ts";
import { pageStyle } from "./page_style.ts";
import { resultOf } from "./result.ts";
import {
  type AnsweredPrompt,
  answersMarkup,
  classesMarkup,
  masksMarkup,
  type Sample,
  samplesMarkup,
} from "./sections.ts";

/** Everything a report shows; what is absent has no section. */
export interface Report {
  /** The page's heading, such as the name of the run's folder. */
  readonly title: string;
  /** The GPU (or software) that did the work. */
  readonly adapter: string;
  /** Number of weights of the model. */
  readonly parameterCount: number;
  /** How many of them were trained; all unless told. */
  readonly trainableCount?: number;
  /** Seconds that training took. */
  readonly seconds: number;
  /** Results that no row holds, shown first, such as the test accuracy. */
  readonly results?: Readonly<Record<string, Cell>>;
  /** What was measured, in order. */
  readonly rows: readonly MetricsRow[];
  /** What the model made of examples it was not trained on, as classes. */
  readonly classes?: ClassReport;
  /** What it answered to prompts it was not trained on. */
  readonly answers?: readonly AnsweredPrompt[];
  /** What the model wrote, in order. */
  readonly samples?: readonly Sample[];
  /** The first examples, a token at a time. */
  readonly masks?: readonly (readonly MaskedPiece[])[];
  /** What the data is: rows, classes, what was cut or left out. */
  readonly data?: Readonly<Record<string, Cell>>;
  /** The settings of the run, in the order to show them. */
  readonly configuration: Readonly<Record<string, Cell>>;
}

/** A report as an HTML page: it loads nothing and runs nothing. */
export function reportHtml(report: Report): string {
  const title = escapeMarkup(report.title);
  const body = sectionsOf(report).map(([heading, markup]) =>
    `<h2>${escapeMarkup(heading)}</h2>\n${markup}`
  );
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>
${pageStyle}
</style>
</head>
<body>
<h1>${title}</h1>
${body.join("\n")}
</body>
</html>
`;
}

type Section = readonly [heading: string, markup: string];

function sectionsOf(report: Report): Section[] {
  const { classes, answers, samples, masks, data } = report;
  const sections: (Section | undefined)[] = [
    ["Result", resultMarkup(report)],
    classes && [`Classes (${classes.split})`, classesMarkup(classes)],
    answers && ["Answers", answersMarkup(answers)],
    samples && ["Samples", samplesMarkup(samples)],
    masks && ["What is learned", masksMarkup(masks)],
    data && ["Data", namedValues(Object.entries(data))],
    ["Configuration", namedValues(Object.entries(report.configuration))],
  ];
  return sections.filter((section) => section !== undefined);
}

function resultMarkup(report: Report): string {
  const { rows, parameterCount, trainableCount } = report;
  const lines: (readonly [string, Cell])[] = [
    ...Object.entries(report.results ?? {}),
    ...resultOf(rows),
    ["Time", duration(report.seconds)],
    ["Parameters", count(parameterCount)],
  ];
  if (trainableCount !== undefined) {
    const share = percent(trainableCount / parameterCount);
    lines.push(["Trained parameters", `${count(trainableCount)} (${share})`]);
  }
  lines.push(["GPU adapter", report.adapter]);

  const figure = (svg: string) => `<figure>\n${svg}</figure>`;
  const accuracy = accuracyChart(rows);
  const parts = [namedValues(lines), figure(svgOf(lossChart(rows)))];
  if (accuracy) parts.push(figure(svgOf(accuracy)));
  const further = furtherCharts(rows).map((chart) => figure(svgOf(chart)));
  if (further.length > 0) {
    parts.push("<details>", "<summary>More curves</summary>");
    parts.push(...further, "</details>");
  }
  return parts.join("\n");
}

/** Seconds in words: `1 h 2 min`, `3 min 4 s`, `5.6 s`. */
function duration(seconds: number): string {
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
