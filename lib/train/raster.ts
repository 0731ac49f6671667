/**
 * Drawings as pixels, and pixels as PNG.
 *
 * @module
 */

import { crc32, deflateSync } from "node:zlib";
import {
  dotRadius,
  type Drawing,
  light,
  type Point,
  textSize,
} from "./drawing.ts";
import { strokesOf } from "./stroke_font.ts";

/** A drawing as a PNG on a light ground, `scale` pixels to a unit. */
export function pngOf(
  drawing: Drawing,
  scale: number,
): Uint8Array<ArrayBuffer> {
  const canvas = new Canvas(drawing.width * scale, drawing.height * scale);
  const scaled = ([x, y]: Point): Point => [x * scale, y * scale];
  for (const { points, ink, width } of drawing.lines) {
    canvas.stroke([points.map(scaled)], width * scale, light[ink]);
  }
  for (const { at, ink } of drawing.dots) {
    canvas.stroke([[scaled(at)]], 2 * dotRadius * scale, light[ink]);
  }
  for (const { at, text, anchor } of drawing.texts) {
    const { strokes, width } = strokesOf(text, textSize * scale);
    const [x, y] = scaled(at);
    const left = x - { start: 0, middle: 0.5, end: 1 }[anchor] * width;
    const moved = strokes.map((stroke) =>
      stroke.map(([dx, dy]): Point => [left + dx, y + dy])
    );
    canvas.stroke(moved, 1.1 * scale, light.text);
  }
  return encodePng(canvas.pixels, canvas.width, canvas.height);
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
    const rgb = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
    for (const [pixel, share] of coverage) {
      for (let i = 0; i < 3; i++) {
        const old = this.pixels[3 * pixel + i];
        this.pixels[3 * pixel + i] = Math.round(old + (rgb[i] - old) * share);
      }
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

/** A PNG file of `pixels`: red, green, blue, row by row. */
function encodePng(
  pixels: Uint8Array,
  width: number,
  height: number,
): Uint8Array<ArrayBuffer> {
  const rows = new Uint8Array((3 * width + 1) * height);
  for (let y = 0; y < height; y++) {
    // Each row begins with its filter: 0, none.
    const row = pixels.subarray(3 * width * y, 3 * width * (y + 1));
    rows.set(row, (3 * width + 1) * y + 1);
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, 2], 8); // 8 bits each of red, green and blue.

  const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
  const parts = [
    Uint8Array.from(signature),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", new Uint8Array()),
  ];
  const file = new Uint8Array(
    parts.reduce((length, part) => length + part.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}

/** Length, type, data, and a checksum of the latter two. */
function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}
