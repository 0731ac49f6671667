/**
 * Ops that move numbers and change none.
 *
 * @module
 */

import { type Array64, at, build, count, fromFront } from "./array.ts";

/** The same numbers in the same order; one size may be -1. */
export function reshape(x: Array64, shape: readonly number[]): Array64 {
  const known = -count(shape);
  const inferred = shape.map((size) => size < 0 ? x.data.length / known : size);
  return { data: x.data, shape: inferred };
}

/** Axis `i` of the result is axis `axes[i]` of `x`. */
export function permute(x: Array64, axes: readonly number[]): Array64 {
  const from = axes.map((axis) => fromFront(axis, axes.length));
  return build(from.map((axis) => x.shape[axis]), (index) => {
    const source = index.map(() => 0);
    from.forEach((axis, i) => source[axis] = index[i]);
    return at(x, source);
  });
}

/** Two axes change places. */
export function transpose(x: Array64, a: number, b: number): Array64 {
  const axes = x.shape.map((_, axis) => axis);
  const [p, q] = [a, b].map((axis) => fromFront(axis, axes.length));
  [axes[p], axes[q]] = [q, p];
  return permute(x, axes);
}

/** The part of an axis from `start` to before `end`. */
export function slice(
  x: Array64,
  axis: number,
  start: number,
  end: number,
): Array64 {
  const front = fromFront(axis, x.shape.length);
  return build(
    x.shape.with(front, end - start),
    (index) => at(x, index.with(front, index[front] + start)),
  );
}

/** Arrays behind one another along an axis. */
export function concat(parts: readonly Array64[], axis: number): Array64 {
  const { shape } = parts[0];
  const front = fromFront(axis, shape.length);
  const total = parts.reduce((sum, part) => sum + part.shape[front], 0);
  return build(shape.with(front, total), (index) => {
    let along = index[front];
    const part = parts.find(({ shape }) => {
      if (along < shape[front]) return true;
      along -= shape[front];
      return false;
    })!;
    return part.data[offset(part.shape, index.with(front, along))];
  });
}

/** Axes of size 1 repeated. */
export function expand(x: Array64, shape: readonly number[]): Array64 {
  return build(shape, (index) => at(x, index));
}

/** Element `index[…, i, …]` along an axis, as PyTorch's `gather`. */
export function gather(x: Array64, axis: number, index: Array64): Array64 {
  const front = fromFront(axis, x.shape.length);
  return build(index.shape, (place) => {
    const source = place.with(front, at(index, place));
    return x.data[offset(x.shape, source)];
  });
}

function offset(shape: readonly number[], index: readonly number[]): number {
  return shape.reduce((sum, size, axis) => sum * size + index[axis], 0);
}
