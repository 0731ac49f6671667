/**
 * Curves over the steps of training, drawn.
 *
 * @module
 */

import type { Drawing, Ink, Label, Point, Polyline } from "./drawing.ts";
import { legendOf } from "./legend.ts";
import { type Scale, scaleOf, tickTexts } from "./scale.ts";

/** One curve. */
export interface Curve {
  /** What the legend says of it. */
  readonly label: string;
  /** Its colour. */
  readonly ink: Ink;
  /** Step and value, in order; values that are not finite are left out. */
  readonly points: readonly Point[];
  /** Whether each point is an evaluation, worth a dot. */
  readonly dotted: boolean;
}

/** What a chart shows. */
export interface ChartContent {
  /** What it is of, in a sentence. */
  readonly title: string;
  /** What its values are, in a word. */
  readonly label: string;
  /** Drawn in this order. */
  readonly curves: readonly Curve[];
  /** Whether values are shares, shown in percent. */
  readonly percent?: boolean;
}

/** Extent of every chart. */
export const chartSize = { width: 800, height: 450 } as const;

/** The rectangle of the curves; the rest is for labels. */
const frame = { left: 56, right: 768, top: 36, bottom: 398 };

/** Most points of a curve; more would be narrower than a pixel. */
const maxPoints = 400;

/** Most points that get a dot each. */
const maxDots = 60;

/** The chart of `content`, or null if it has no finite value. */
export function drawChart(content: ChartContent): Drawing | null {
  const curves = content.curves
    .map((curve) => thin(curve, content.percent ? 100 : 1))
    .filter(({ points }) => points.length > 0);
  const points = curves.flatMap(({ points }) => points);
  if (points.length === 0) return null;
  const steps = points.map(([step]) => step);
  const values = points.map(([, value]) => value);
  const { left, right, top, bottom } = frame;
  const x = scaleOf([0, Math.max(...steps, 1)], {
    from: left,
    to: right,
    ticks: 8,
    exact: true,
  });
  const low = Math.min(...values), high = Math.max(...values);
  const range = content.percent && low === high ? [0, 100] : [low, high];
  const y = scaleOf([range[0], range[1]], { from: bottom, to: top, ticks: 8 });
  const placed = curves.map((curve) => ({
    ...curve,
    points: curve.points.map(([step, value]): Point => [
      x.place(step),
      y.place(value),
    ]),
  }));
  const axes = axesOf({ x, y }, content);
  // A lone curve that is named like its axis needs no legend.
  const named = placed.filter(({ label }) => label !== content.label);
  const legend = named.length > 0
    ? legendOf(placed, frame)
    : { lines: [], texts: [] };
  return {
    ...chartSize,
    title: content.title,
    areas: [],
    lines: [
      ...axes.lines,
      ...placed.map(({ points, ink }) => ({ points, ink, width: 2 })),
      ...legend.lines,
    ],
    dots: placed
      .filter(({ points, dotted }) =>
        points.length === 1 || dotted && points.length <= maxDots
      )
      .flatMap(({ points, ink }) => points.map((at) => ({ at, ink }))),
    texts: [...axes.texts, ...legend.texts],
  };
}

/** Finite points, averaged in groups where there are too many to see. */
function thin(curve: Curve, factor: number): Curve {
  const points = curve.points
    .filter(([, value]) => Number.isFinite(value))
    .map(([step, value]): Point => [step, factor * value]);
  if (points.length <= maxPoints) return { ...curve, points };
  const group = Math.ceil(points.length / maxPoints);
  return {
    ...curve,
    label: `${curve.label} (averaged)`,
    points: Array.from(
      { length: Math.ceil(points.length / group) },
      (_, i) => mean(points.slice(i * group, (i + 1) * group)),
    ),
  };
}

function mean(points: readonly Point[]): Point {
  let x = 0, y = 0;
  for (const point of points) {
    x += point[0] / points.length;
    y += point[1] / points.length;
  }
  return [x, y];
}

function axesOf(
  { x, y }: { readonly x: Scale; readonly y: Scale },
  { label, percent }: ChartContent,
): { lines: Polyline[]; texts: Label[] } {
  const { left, right, top, bottom } = frame;
  const lines: Polyline[] = [];
  const texts: Label[] = [];
  const yTexts = tickTexts(y.ticks);
  y.ticks.forEach((tick, i) => {
    const at = y.place(tick);
    lines.push({ points: [[left, at], [right, at]], ink: "grid", width: 1 });
    texts.push({
      at: [left - 8, at + 4],
      text: percent ? `${yTexts[i]} %` : yTexts[i],
      anchor: "end",
    });
  });
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
  texts.push({ at: [left - 30, top - 16], text: label, anchor: "start" });
  texts.push({
    at: [(left + right) / 2, bottom + 40],
    text: "step",
    anchor: "middle",
  });
  return { lines, texts };
}
