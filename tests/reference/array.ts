/**
 * Numbers and their shape, and walking over them.
 *
 * @module
 */

/** Doubles in row-major order. */
export interface Array64 {
  readonly data: Float64Array;
  readonly shape: readonly number[];
}

/** How many elements a shape has. */
export function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** An array of zeros. */
export function zeros(shape: readonly number[]): Array64 {
  return { data: new Float64Array(count(shape)), shape };
}

/** The array whose element at each index is `value(index)`. */
export function build(
  shape: readonly number[],
  value: (index: readonly number[]) => number,
): Array64 {
  const y = zeros(shape);
  const index = shape.map(() => 0);
  for (let i = 0; i < y.data.length; i++) {
    y.data[i] = value(index);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
  return y;
}

/**
 * The element at `index`, where axes of size 1 are repeated and leading axes
 * that `x` does not have are ignored: broadcasting, from the reader's side.
 */
export function at(x: Array64, index: readonly number[]): number {
  const missing = index.length - x.shape.length;
  let offset = 0;
  for (let axis = 0; axis < x.shape.length; axis++) {
    const size = x.shape[axis];
    offset = offset * size + (size === 1 ? 0 : index[axis + missing]);
  }
  return x.data[offset];
}

/** The shape that all `shapes` broadcast to. */
export function broadcast(
  ...shapes: readonly (readonly number[])[]
): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    return sizes.find((size) => size !== 1) ?? 1;
  });
}

/** `axis` counted from the front. */
export function fromFront(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}
