/**
 * The arithmetic of a network's layers.
 *
 * @module
 */

import { type Array64, zeros } from "./array.ts";
import { linear } from "./matmul.ts";
import { around } from "./reductions.ts";

/** `exp(x)` divided by its sum along an axis. */
export function softmax(x: Array64, { axis = -1 } = {}): Array64 {
  const { data, shape } = logSoftmax(x, { axis });
  return { data: data.map(Math.exp), shape };
}

/** `x` less the logarithm of the sum of its exponentials along an axis. */
export function logSoftmax(x: Array64, { axis = -1 } = {}): Array64 {
  const [outer, size, inner] = around(x.shape, axis);
  const y = zeros(x.shape);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const place = (s: number) => (o * size + s) * inner + i;
      let top = -Infinity;
      for (let s = 0; s < size; s++) top = Math.max(top, x.data[place(s)]);
      let sum = 0;
      for (let s = 0; s < size; s++) sum += Math.exp(x.data[place(s)] - top);
      const total = Math.log(sum);
      for (let s = 0; s < size; s++) {
        y.data[place(s)] = x.data[place(s)] - top - total;
      }
    }
  }
  return y;
}

/** Rows shifted and scaled to mean 0 and variance 1, then by what was learned. */
export function layerNorm(
  x: Array64,
  weight: Array64,
  bias: Array64 | null,
  eps = 1e-5,
): Array64 {
  const cols = x.shape.at(-1)!;
  const y = zeros(x.shape);
  for (let start = 0; start < y.data.length; start += cols) {
    const row = x.data.subarray(start, start + cols);
    const mean = row.reduce((sum, v) => sum + v, 0) / cols;
    const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / cols;
    for (let c = 0; c < cols; c++) {
      const normal = (row[c] - mean) / Math.sqrt(variance + eps);
      y.data[start + c] = normal * weight.data[c] + (bias?.data[c] ?? 0);
    }
  }
  return y;
}

/** Rows of a table. */
export function embedding(table: Array64, ids: Array64): Array64 {
  const cols = table.shape[1];
  const y = zeros([...ids.shape, cols]);
  ids.data.forEach((id, i) =>
    y.data.set(table.data.subarray(id * cols, (id + 1) * cols), i * cols)
  );
  return y;
}

/** How surprising the targets are, on average over those not ignored. */
export function crossEntropy(
  logits: Array64,
  targets: Array64,
  { ignoreIndex = -100 } = {},
): Array64 {
  const cols = logits.shape.at(-1)!;
  const likelihood = logSoftmax(logits).data;
  let loss = 0;
  let scored = 0;
  targets.data.forEach((target, r) => {
    if (target === ignoreIndex) return;
    loss -= likelihood[r * cols + target];
    scored++;
  });
  return { data: Float64Array.of(loss / scored), shape: [] };
}

/** The same, for logits that a head gives. */
export function linearCrossEntropy(
  hidden: Array64,
  weight: Array64,
  targets: Array64,
  { ignoreIndex = -100 } = {},
): Array64 {
  return crossEntropy(linear(hidden, weight), targets, { ignoreIndex });
}
