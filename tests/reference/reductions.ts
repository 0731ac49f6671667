/**
 * Ops that make one number of many.
 *
 * @module
 */

import { type Array64, fromFront, zeros } from "./array.ts";

/** Which axis goes, and whether it stays with size 1; without one, all go. */
export interface ReduceOptions {
  readonly axis?: number;
  readonly keepDims?: boolean;
}

function reduction(
  f: (row: Float64Array) => number,
): (x: Array64, options?: ReduceOptions) => Array64 {
  return (x, { axis, keepDims = false } = {}) => {
    if (axis === undefined) {
      const shape = keepDims ? x.shape.map(() => 1) : [];
      return { data: Float64Array.of(f(x.data)), shape };
    }
    const [outer, size, inner] = around(x.shape, axis);
    const front = fromFront(axis, x.shape.length);
    const y = zeros(
      keepDims ? x.shape.with(front, 1) : x.shape.toSpliced(front, 1),
    );
    const row = new Float64Array(size);
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        for (let s = 0; s < size; s++) {
          row[s] = x.data[(o * size + s) * inner + i];
        }
        y.data[o * inner + i] = f(row);
      }
    }
    return y;
  };
}

/** How many elements lie before, along and after an axis. */
export function around(
  shape: readonly number[],
  axis: number,
): [outer: number, size: number, inner: number] {
  const front = fromFront(axis, shape.length);
  const product = (sizes: readonly number[]) =>
    sizes.reduce((a, b) => a * b, 1);
  return [
    product(shape.slice(0, front)),
    shape[front],
    product(shape.slice(front + 1)),
  ];
}

/** The sum. */
export const sum = reduction((row) => row.reduce((a, b) => a + b, 0));
/** The sum divided by how many there are. */
export const mean = reduction((row) =>
  row.reduce((a, b) => a + b, 0) / row.length
);
/** The greatest. */
export const max = reduction((row) => row.reduce((a, b) => Math.max(a, b)));
/** Where the greatest is; the first place, if there are several. */
export const argmax = reduction((row) =>
  row.indexOf(row.reduce((a, b) => Math.max(a, b)))
);
