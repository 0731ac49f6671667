/**
 * The loss curves of a run as a picture.
 *
 * @module
 */

import {
  type Drawing,
  type Line,
  type Point,
  svgOf,
  type Text,
} from "./drawing.ts";
import { isEvaluation, type MetricsRow } from "./metrics.ts";
import { pngOf } from "./raster.ts";

/** Training and validation loss over the steps, as an SVG of any size. */
export function lossChartSvg(rows: readonly MetricsRow[]): string {
  return svgOf(lossChart(rows));
}

/** Training and validation loss over the steps, as a PNG of 1600 x 900. */
export function lossChartPng(
  rows: readonly MetricsRow[],
): Uint8Array<ArrayBuffer> {
  return pngOf(lossChart(rows), 2);
}

const width = 800;
const height = 450;

/** The rectangle of the curves; the rest is for labels. */
const frame = { left: 56, right: 768, top: 36, bottom: 398 };

/** Most points of a curve; more would be narrower than a pixel. */
const maxPoints = 400;

/** Values along one axis and where they are drawn. */
interface Scale {
  readonly ticks: readonly number[];
  place(value: number): number;
}

function lossChart(rows: readonly MetricsRow[]): Drawing {
  const training: Point[] = [];
  const validation: Point[] = [];
  for (const row of rows) {
    if (isEvaluation(row)) validation.push([row.step, row.val_loss]);
    else training.push([row.step, row.loss]);
  }
  const curves = [thin(training), thin(validation)];
  const points = curves.flat();
  if (points.length === 0) return emptyChart();

  const steps = points.map(([step]) => step);
  const losses = points.map(([, loss]) => loss);
  const x = scaleOf(0, Math.max(...steps, 1), frame.left, frame.right, 8, true);
  const y = scaleOf(
    Math.min(...losses),
    Math.max(...losses),
    frame.bottom,
    frame.top,
    8,
  );
  const placed = curves.map((curve) =>
    curve.map(([step, loss]): Point => [x.place(step), y.place(loss)])
  );
  const axes = axesOf(x, y);
  const legend = legendOf(placed, training.length > maxPoints);
  return {
    width,
    height,
    title: "Loss over the steps of training",
    lines: [...axes.lines, ...placed.map(curveOf), ...legend.lines],
    dots: placed[1].length <= 60
      ? placed[1].map((at) => ({ at, ink: "validation" as const }))
      : [],
    texts: [...axes.texts, ...legend.texts],
  };
}

function emptyChart(): Drawing {
  return {
    width,
    height,
    title: "Loss over the steps of training",
    lines: [],
    dots: [],
    texts: [{
      at: [width / 2, height / 2],
      text: "no losses were recorded",
      anchor: "middle",
    }],
  };
}

/** Finite points, averaged in groups where there are too many to see. */
function thin(points: readonly Point[]): Point[] {
  const finite = points.filter(([, value]) => Number.isFinite(value));
  if (finite.length <= maxPoints) return finite;
  const group = Math.ceil(finite.length / maxPoints);
  return Array.from(
    { length: Math.ceil(finite.length / group) },
    (_, i) => mean(finite.slice(i * group, (i + 1) * group)),
  );
}

function mean(points: readonly Point[]): Point {
  let x = 0, y = 0;
  for (const point of points) {
    x += point[0] / points.length;
    y += point[1] / points.length;
  }
  return [x, y];
}

/**
 * A scale from `low` to `high`, drawn from `from` to `to`, with about `count`
 * ticks at round numbers. Unless `exact`, it is widened to whole ticks.
 */
function scaleOf(
  low: number,
  high: number,
  from: number,
  to: number,
  count: number,
  exact = false,
): Scale {
  const span = high - low || Math.abs(high) || 1;
  const power = 10 ** Math.floor(Math.log10(span / count));
  const unit = power * ([1, 2, 5].find((m) => m * power * count >= span) ?? 10);
  const first = Math.floor(low / unit + 1e-9);
  const last = exact
    ? Math.floor(high / unit + 1e-9)
    : Math.max(Math.ceil(high / unit - 1e-9), first + 1);
  const end = exact ? high : last * unit;
  const digits = Math.max(0, -Math.floor(Math.log10(unit)));
  const ticks: number[] = [];
  for (let i = first; i <= last; i++) {
    ticks.push(Number((i * unit).toFixed(Math.min(digits, 100))));
  }
  const start = first * unit;
  return {
    ticks,
    place: (value) => from + (value - start) / (end - start) * (to - from),
  };
}

function axesOf(x: Scale, y: Scale): { lines: Line[]; texts: Text[] } {
  const { left, right, top, bottom } = frame;
  const lines: Line[] = [];
  const texts: Text[] = [];
  const yDigits = Math.max(...y.ticks.map((tick) => decimals(tick)));
  for (const tick of y.ticks) {
    const at = y.place(tick);
    lines.push({ points: [[left, at], [right, at]], ink: "grid", width: 1 });
    texts.push({
      at: [left - 8, at + 4],
      text: tick.toFixed(yDigits),
      anchor: "end",
    });
  }
  for (const tick of x.ticks) {
    const at = x.place(tick);
    const points: Point[] = [[at, bottom], [at, bottom + 5]];
    lines.push({ points, ink: "axis", width: 1 });
    texts.push({
      at: [at, bottom + 19],
      text: tick.toLocaleString("en-US"),
      anchor: "middle",
    });
  }
  const base: Point[] = [[left, bottom], [right, bottom]];
  lines.push({ points: base, ink: "axis", width: 1 });
  texts.push({ at: [left, top - 16], text: "loss", anchor: "middle" });
  texts.push({
    at: [(left + right) / 2, bottom + 40],
    text: "step",
    anchor: "middle",
  });
  return { lines, texts };
}

function curveOf(points: readonly Point[], index: number): Line {
  return { points, ink: index === 0 ? "training" : "validation", width: 2 };
}

/** Names of the curves, top right: losses fall, so nothing is drawn there. */
function legendOf(
  [training, validation]: readonly (readonly Point[])[],
  averaged: boolean,
): { lines: Line[]; texts: Text[] } {
  const entries = [
    {
      ink: "training" as const,
      text: averaged ? "training loss (averaged)" : "training loss",
      shown: training.length > 0,
    },
    {
      ink: "validation" as const,
      text: "validation loss",
      shown: validation.length > 0,
    },
  ].filter(({ shown }) => shown);
  const left = frame.right - 178;
  return {
    lines: entries.map(({ ink }, i) => ({
      points: [[left, frame.top + 18 + 20 * i], [
        left + 24,
        frame.top + 18 + 20 * i,
      ]],
      ink,
      width: 2,
    })),
    texts: entries.map(({ text }, i) => ({
      at: [left + 32, frame.top + 22 + 20 * i],
      text,
      anchor: "start",
    })),
  };
}

function decimals(value: number): number {
  return (`${value}`.split(".")[1] ?? "").length;
}
