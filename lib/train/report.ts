/**
 * A run as one HTML page that needs nothing beside it.
 *
 * @module
 */

import { lossChartSvg } from "./chart.ts";
import { escapeMarkup } from "./drawing.ts";
import { isEvaluation, type MetricsRow } from "./metrics.ts";

/** Text that the model wrote at some step. */
export interface Sample {
  /** Updates done before it was written. */
  readonly step: number;
  /** What it wrote, the prompt included. */
  readonly text: string;
}

/** Everything a report shows. */
export interface Report {
  /** The page's heading, such as the name of the run's folder. */
  readonly title: string;
  /** The GPU (or software) that did the work. */
  readonly adapter: string;
  /** Number of weights of the model. */
  readonly parameterCount: number;
  /** Seconds that training took. */
  readonly seconds: number;
  /** The settings of the run, in the order to show them. */
  readonly configuration: Readonly<
    Record<string, string | number | boolean | null>
  >;
  /** What was measured, in order. */
  readonly rows: readonly MetricsRow[];
  /** What the model wrote, in order. */
  readonly samples: readonly Sample[];
}

/** A report as an HTML page: it loads nothing and runs nothing. */
export function reportHtml(report: Report): string {
  const title = escapeMarkup(report.title);
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>
${style}
</style>
</head>
<body>
<h1>${title}</h1>
<h2>Result</h2>
${table(resultOf(report))}
<figure>
${lossChartSvg(report.rows)}</figure>
<h2>Samples</h2>
${samplesOf(report.samples)}
<h2>Configuration</h2>
${table(Object.entries(report.configuration))}
</body>
</html>
`;
}

type Cell = string | number | boolean | null;

function resultOf(report: Report): (readonly [string, Cell])[] {
  const evaluations = report.rows.filter(isEvaluation);
  const training = report.rows.flatMap((row) => isEvaluation(row) ? [] : [row]);
  const final = evaluations.at(-1);
  const best = evaluations.reduce<typeof final>(
    (best, row) => best && best.val_loss <= row.val_loss ? best : row,
    undefined,
  );
  const steps = Math.max(0, ...report.rows.slice(-2).map(({ step }) => step));
  const lines: (readonly [string, Cell])[] = [
    ["Steps", steps.toLocaleString("en-US")],
  ];
  if (final) {
    lines.push(
      ["Validation loss", decimal(final.val_loss)],
      ["Perplexity", decimal(final.perplexity, 2)],
      ["Training loss", decimal(final.train_loss)],
    );
  } else if (training.length > 0) {
    lines.push(["Training loss", decimal(training[training.length - 1].loss)]);
  }
  if (best && best !== final) {
    const at = `at step ${best.step.toLocaleString("en-US")}`;
    lines.push(["Best validation loss", `${decimal(best.val_loss)} ${at}`]);
  }
  if (training.length > 0) {
    const speeds = training.map((row) => row.tokens_per_second);
    const speed = median(speeds).toLocaleString("en-US", {
      maximumFractionDigits: 0,
    });
    lines.push(["Tokens per second (median)", speed]);
  }
  lines.push(
    ["Time", duration(report.seconds)],
    ["Parameters", report.parameterCount.toLocaleString("en-US")],
    ["Adapter", report.adapter],
  );
  return lines;
}

function samplesOf(samples: readonly Sample[]): string {
  if (samples.length === 0) return "<p>None were written.</p>";
  const block = ({ step, text }: Sample) =>
    `<figcaption>Step ${step.toLocaleString("en-US")}</figcaption>
<pre>${escapeMarkup(text)}</pre>`;
  const last = `<figure>${block(samples[samples.length - 1])}</figure>`;
  if (samples.length === 1) return last;
  const earlier = samples.slice(0, -1).reverse();
  return `${last}
<details>
<summary>Earlier samples (${earlier.length})</summary>
${earlier.map((sample) => `<figure>${block(sample)}</figure>`).join("\n")}
</details>`;
}

function table(lines: readonly (readonly [string, Cell])[]): string {
  const rows = lines.map(([name, value]) =>
    `<tr><th scope="row">${escapeMarkup(name)}</th><td>${
      escapeMarkup(String(value ?? "none"))
    }</td></tr>`
  );
  return `<table>\n${rows.join("\n")}\n</table>`;
}

function decimal(value: number, digits = 4): string {
  return Number.isFinite(value) ? value.toFixed(digits) : "not finite";
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/** Seconds in words: `1 h 2 min`, `3 min 4 s`, `5.6 s`. */
function duration(seconds: number): string {
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const style = `:root { color-scheme: light dark; }
body {
  max-width: 52rem; margin: 2.5rem auto; padding: 0 1rem;
  font: 16px/1.5 system-ui, sans-serif;
  color: light-dark(#24292f, #c9d1d9); background: light-dark(#ffffff, #14171c);
}
h1 { font-size: 1.6rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin-top: 2.2rem; }
figure { margin: 1.2rem 0; }
figcaption { font-size: .85rem; opacity: .75; }
svg { display: block; width: 100%; height: auto; }
table { border-collapse: collapse; }
th, td { padding: .2rem 1.5rem .2rem 0; text-align: left; vertical-align: top; }
th { font-weight: normal; opacity: .75; white-space: nowrap; }
td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
pre {
  margin: .3rem 0; padding: .8rem 1rem; border-radius: 6px;
  white-space: pre-wrap; overflow-wrap: anywhere;
  background: light-dark(#f4f6f8, #1d2229);
}
summary { cursor: pointer; }`;
