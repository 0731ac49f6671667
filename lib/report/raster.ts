/**
 * Drawings as pixels.
 *
 * @module
 */

import {
  dotRadius,
  type Drawing,
  type Label,
  light,
  type Point,
  textSize,
} from "./drawing.ts";
import { encodePng } from "./png.ts";
import { strokesOf } from "./stroke_font.ts";

/** A drawing as a PNG on a light ground, `scale` pixels to a unit. */
export function pngOf(
  drawing: Drawing,
  scale: number,
): Uint8Array<ArrayBuffer> {
  const canvas = new Canvas(drawing.width * scale, drawing.height * scale);
  const scaled = ([x, y]: Point): Point => [x * scale, y * scale];
  for (const { at, width, height, ink, strength } of drawing.areas) {
    const [left, top] = scaled(at);
    canvas.fill(
      [left, top, left + width * scale, top + height * scale],
      { colour: light[ink], strength },
    );
  }
  for (const { points, ink, width } of drawing.lines) {
    canvas.stroke([points.map(scaled)], width * scale, light[ink]);
  }
  for (const { at, ink } of drawing.dots) {
    canvas.stroke([[scaled(at)]], 2 * dotRadius * scale, light[ink]);
  }
  for (const text of drawing.texts) {
    const penWidth = 1.1 * scale * (text.size ?? textSize) / textSize;
    const colour = text.inverse ? light.ground : light.text;
    canvas.stroke(placeText(text).map((s) => s.map(scaled)), penWidth, colour);
  }
  return encodePng(canvas.pixels, canvas.width, canvas.height);
}

/** The strokes of a text where it stands in the drawing. */
function placeText({ at, text, anchor, size, upwards }: Label): Point[][] {
  const { strokes, width } = strokesOf(text, size ?? textSize);
  const start = -{ start: 0, middle: 0.5, end: 1 }[anchor] * width;
  return strokes.map((stroke) =>
    stroke.map(([x, y]): Point =>
      upwards ? [at[0] + y, at[1] - start - x] : [at[0] + start + x, at[1] + y]
    )
  );
}

/** White paper to draw on. */
class Canvas {
  readonly width: number;
  readonly height: number;
  /** Red, green and blue of each pixel, row by row. */
  readonly pixels: Uint8Array<ArrayBuffer>;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.pixels = new Uint8Array(3 * width * height).fill(255);
  }

  /** Fills a rectangle, to the nearest pixel. */
  fill(
    bounds: readonly [left: number, top: number, right: number, bottom: number],
    { colour, strength }: { colour: string; strength: number },
  ) {
    const [left, top, right, bottom] = bounds.map(Math.round);
    const rgb = channels(colour);
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) {
        this.#blend(y * this.width + x, rgb, strength);
      }
    }
  }

  /**
   * Draws paths with a round pen. A pixel's colour is as strong as the pen
   * covers it, once for all paths, so that crossings are not darker.
   */
  stroke(
    paths: readonly (readonly Point[])[],
    penWidth: number,
    colour: string,
  ) {
    const coverage = new Map<number, number>();
    for (const path of paths) {
      if (path.length === 1) this.#cover(coverage, path[0], path[0], penWidth);
      for (let i = 1; i < path.length; i++) {
        this.#cover(coverage, path[i - 1], path[i], penWidth);
      }
    }
    const rgb = channels(colour);
    for (const [pixel, share] of coverage) this.#blend(pixel, rgb, share);
  }

  #blend(pixel: number, rgb: readonly number[], share: number) {
    for (let i = 0; i < 3; i++) {
      const old = this.pixels[3 * pixel + i];
      this.pixels[3 * pixel + i] = Math.round(old + (rgb[i] - old) * share);
    }
  }

  #cover(coverage: Map<number, number>, a: Point, b: Point, penWidth: number) {
    const reach = penWidth / 2 + 1;
    const left = Math.max(0, Math.floor(Math.min(a[0], b[0]) - reach));
    const right = Math.min(this.width, Math.ceil(Math.max(a[0], b[0]) + reach));
    const top = Math.max(0, Math.floor(Math.min(a[1], b[1]) - reach));
    const bottom = Math.min(
      this.height,
      Math.ceil(Math.max(a[1], b[1]) + reach),
    );
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) {
        const distance = distanceTo([x + 0.5, y + 0.5], a, b);
        const share = Math.min(1, penWidth / 2 + 0.5 - distance);
        const pixel = y * this.width + x;
        if (share > (coverage.get(pixel) ?? 0)) coverage.set(pixel, share);
      }
    }
  }
}

/** Distance from a point to the line from `a` to `b`. */
function distanceTo([x, y]: Point, [ax, ay]: Point, [bx, by]: Point): number {
  const dx = bx - ax, dy = by - ay;
  const squared = dx * dx + dy * dy;
  const along = squared && ((x - ax) * dx + (y - ay) * dy) / squared;
  const t = Math.min(1, Math.max(0, along));
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}

/** Red, green and blue of `#rrggbb`. */
function channels(colour: string): number[] {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}
