/**
 * Sizes of axes, and the arithmetic on them.
 *
 * @module
 */

/** Sizes of the axes, outermost first. A single number has the shape `[]`. */
export type Shape = readonly number[];

/** How many elements a shape has. */
export function count(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Elements from one index to the next along each axis, in row-major order. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/** The axis meant by a number that may count from the end. */
export function axisOf(shape: Shape, axis: number): number {
  const index = axis < 0 ? axis + shape.length : axis;
  if (!Number.isInteger(axis) || index < 0 || index >= shape.length) {
    throw new RangeError(
      `Cannot take axis ${axis} of [${shape}]: it has ${shape.length} axes`,
    );
  }
  return index;
}

/** Whether two shapes are the same. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/**
 * The shape two tensors have in common once axes of size 1, and missing leading
 * axes, are repeated. Throws a `RangeError` naming both when there is none.
 */
export function broadcast(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1) {
      throw new RangeError(
        `Cannot broadcast [${a}] with [${b}]: sizes ${left} and ${right} differ`,
      );
    }
    return left === 1 ? right : left;
  });
}
