/**
 * What Llama adds to GPT-2's arithmetic.
 *
 * @module
 */

import { type Array64, zeros } from "./array.ts";

/** Rows scaled to a mean square of 1, then by what was learned. */
export function rmsNorm(x: Array64, weight: Array64, eps = 1e-6): Array64 {
  const cols = x.shape.at(-1)!;
  const y = zeros(x.shape);
  for (let start = 0; start < y.data.length; start += cols) {
    const row = x.data.subarray(start, start + cols);
    const mean = row.reduce((sum, v) => sum + v * v, 0) / cols;
    for (let c = 0; c < cols; c++) {
      y.data[start + c] = row[c] / Math.sqrt(mean + eps) * weight.data[c];
    }
  }
  return y;
}

/** `silu(gate) up`. */
export function swiglu(gate: Array64, up: Array64): Array64 {
  const data = gate.data.map((g, i) => g / (1 + Math.exp(-g)) * up.data[i]);
  return { data, shape: gate.shape };
}

/** What `rope` turns by: `angles` of D / 2, from positions that count from `start`. */
export interface RopeOptions {
  readonly angles: readonly number[];
  readonly start?: number;
  /** Where the document of each token begins in its row: [B, T]; at 0. */
  readonly starts?: Array64;
}

/**
 * Queries and keys turned by their positions, beside the values: [B, T, H D] and
 * twice [B, T, KV D] → [B, T, (H + 2 KV) D].
 */
export function rope(
  q: Array64,
  k: Array64,
  v: Array64,
  { angles, start = 0, starts }: RopeOptions,
): Array64 {
  const [batch, time] = q.shape;
  const half = angles.length;
  const parts = [q, k, v].map(({ data, shape: [, , width] }, part) => ({
    ...{ data, width },
    turns: part < 2,
  }));
  const packed = parts.reduce((sum, { width }) => sum + width, 0);
  const y = zeros([batch, time, packed]);
  let to = 0;
  for (let row = 0; row < batch * time; row++) {
    const position = start + row % time - (starts?.data[row] ?? 0);
    for (const { data, width, turns } of parts) {
      for (let c = 0; c < width; c++, to++) {
        const at = c % (2 * half);
        const angle = position * angles[at % half];
        const i = row * width + c;
        const sine = at < half ? -data[i + half] : data[i - half];
        y.data[to] = turns
          ? data[i] * Math.cos(angle) + sine * Math.sin(angle)
          : data[i];
      }
    }
  }
  return y;
}
