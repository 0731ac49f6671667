/**
 * The names of a chart's curves, where they hide least.
 *
 * @module
 */

import {
  type Ink,
  type Label,
  type Point,
  type Polyline,
  textSize,
} from "./drawing.ts";
import { strokesOf } from "./stroke_font.ts";

/** A curve as it is drawn. */
export interface PlacedCurve {
  /** Its name. */
  readonly label: string;
  /** Its colour. */
  readonly ink: Ink;
  /** Its points, where they are drawn. */
  readonly points: readonly Point[];
}

/** The rectangle that curves are drawn in. */
export interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const lineHeight = 20;
const swatch = 24;
const gap = 8;

/**
 * Names of the curves in the corner of the frame where the curves pass least;
 * of equals, top right.
 */
export function legendOf(
  curves: readonly PlacedCurve[],
  frame: Frame,
): { readonly lines: Polyline[]; readonly texts: Label[] } {
  const [left, top] = quietCorner(curves, frame);
  return {
    lines: curves.map(({ ink }, i) => {
      const y = top + lineHeight * (i + 0.5);
      return { points: [[left, y], [left + swatch, y]], ink, width: 2 };
    }),
    texts: curves.map(({ label }, i) => ({
      at: [left + swatch + gap, top + lineHeight * (i + 0.5) + 4],
      text: label,
      anchor: "start",
    })),
  };
}

/** Where a legend of the curves has its top left corner. */
function quietCorner(curves: readonly PlacedCurve[], frame: Frame): Point {
  const names = curves.map(({ label }) => strokesOf(label, textSize).width);
  // Fonts of readers may be wider than ours.
  const width = swatch + gap + 1.15 * Math.max(...names);
  const height = lineHeight * curves.length;
  const left = frame.left + gap, right = frame.right - gap - width;
  const top = frame.top + gap, bottom = frame.bottom - gap - height;
  const traces = curves.flatMap(({ points }) => trace(points));
  const corners: Point[] = [
    [right, top],
    [right, bottom],
    [left, bottom],
    [left, top],
  ];
  const hidden = corners.map(([x0, y0]) =>
    traces.filter(([x, y]) =>
      x >= x0 - gap && x <= x0 + width + gap &&
      y >= y0 - gap && y <= y0 + height + gap
    ).length
  );
  return corners[hidden.indexOf(Math.min(...hidden))];
}

/** Places along a curve, a few pixels apart. */
function trace(points: readonly Point[]): Point[] {
  return points.flatMap(([x, y], i): Point[] => {
    const [nextX, nextY] = points[i + 1] ?? [x, y];
    const parts = Math.ceil(Math.hypot(nextX - x, nextY - y) / 4) || 1;
    return Array.from({ length: parts }, (_, k): Point => [
      x + (nextX - x) * k / parts,
      y + (nextY - y) * k / parts,
    ]);
  });
}
