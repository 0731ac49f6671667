/**
 * Ops that move elements without changing them.
 *
 * @module
 */

import { record } from "../tensor/tape.ts";
import {
  axisOf,
  broadcast,
  count,
  sameShape,
  type Shape,
  stridesOf,
} from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { copyElements, copyFrom } from "./copy.ts";
import { sumTo } from "./sums.ts";

/** The same elements in the same order, `x` seen as `shape`; one size may be -1. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const known = shape.filter((size) => size !== -1);
  const sizes = shape.map((size) =>
    size === -1 && known.length === shape.length - 1
      ? x.size / count(known)
      : size
  );
  if (
    count(sizes) !== x.size ||
    !sizes.every((size) => Number.isInteger(size) && size >= 0)
  ) {
    throw new RangeError(
      `Cannot reshape [${x.shape}] to [${shape}]: it holds ${x.size} elements`,
    );
  }
  return record(x.view(sizes), "reshape", [x], (dy) => [dy.view(x.shape)]);
}

/** Puts the axes of `x` in the order given: `y.shape[i] = x.shape[axes[i]]`. */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  const order = axes.map((axis) => axisOf(x.shape, axis));
  if (order.length !== x.shape.length || new Set(order).size < order.length) {
    throw new RangeError(
      `Cannot permute [${x.shape}] by [${axes}]: expected each of its ${x.shape.length} axes once`,
    );
  }
  const strides = stridesOf(x.shape);
  const y = copyFrom(x, order.map((axis) => x.shape[axis]), {
    strides: order.map((axis) => strides[axis]),
  });
  const back = order.map((_, axis) => order.indexOf(axis));
  return record(y, "permute", [x], (dy) => [permute(dy, back)]);
}

/** Exchanges two axes; the last two unless said otherwise. */
export function transpose(x: Tensor, axisA = -2, axisB = -1): Tensor {
  const axes = x.shape.map((_, axis) => axis);
  const a = axisOf(x.shape, axisA);
  const b = axisOf(x.shape, axisB);
  [axes[a], axes[b]] = [axes[b], axes[a]];
  return permute(x, axes);
}

/** The part of `x` whose index along `axis` is from `start` up to `end`. */
export function slice(
  x: Tensor,
  axis: number,
  start: number,
  end: number,
): Tensor {
  const along = axisOf(x.shape, axis);
  const length = x.shape[along];
  const whole = Number.isInteger(start) && Number.isInteger(end);
  if (!whole || start < 0 || end > length || start > end) {
    throw new RangeError(
      `Cannot slice [${x.shape}] from ${start} to ${end} along axis ${along}: it is ${length} long`,
    );
  }
  const shape = x.shape.with(along, end - start);
  const strides = stridesOf(x.shape);
  const part = { strides, offset: start * strides[along] };
  const y = copyFrom(x, shape, part);
  return record(y, "slice", [x], (dy) => {
    const dx = Tensor.zeros(x.device, x.shape, x.dtype);
    copyElements(dy, dx, shape, {
      source: { strides: stridesOf(shape) },
      target: part,
    });
    return [dx];
  });
}

/** Joins tensors, equal in all other sizes, along an axis. */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  if (tensors.length === 0) {
    throw new RangeError("Cannot concatenate: no tensors were given");
  }
  const [first] = tensors;
  const along = axisOf(first.shape, axis);
  for (const { shape, dtype } of tensors) {
    const fits = dtype === first.dtype && shape.length === first.shape.length &&
      sameShape(shape.with(along, 0), first.shape.with(along, 0));
    if (!fits) {
      throw new RangeError(
        `Cannot concatenate ${dtype} [${shape}] with ${first.dtype} [${first.shape}] along axis ${along}`,
      );
    }
  }
  const length = tensors.reduce((sum, { shape }) => sum + shape[along], 0);
  const y = Tensor.empty(
    first.device,
    first.shape.with(along, length),
    first.dtype,
  );
  const strides = stridesOf(y.shape);
  const parts: { tensor: Tensor; offset: number }[] = [];
  let start = 0;
  for (const tensor of tensors) {
    const offset = start * strides[along];
    copyElements(tensor, y, tensor.shape, {
      source: { strides: stridesOf(tensor.shape) },
      target: { strides, offset },
    });
    parts.push({ tensor, offset });
    start += tensor.shape[along];
  }
  return record(
    y,
    "concat",
    tensors,
    (dy) =>
      parts.map(({ tensor, offset }) =>
        copyFrom(dy, tensor.shape, { strides, offset })
      ),
  );
}

/** Repeats axes of size 1, and missing leading axes, until `x` has `shape`. */
export function expand(x: Tensor, shape: Shape): Tensor {
  if (!sameShape(broadcast(x.shape, shape), shape)) {
    throw new RangeError(
      `Cannot expand [${x.shape}] to [${shape}]: only axes of size 1 repeat`,
    );
  }
  const missing = shape.length - x.shape.length;
  const own = stridesOf(x.shape);
  const strides = shape.map((_, axis) =>
    (x.shape[axis - missing] ?? 1) === 1 ? 0 : own[axis - missing]
  );
  const y = copyFrom(x, shape, { strides });
  return record(y, "expand", [x], (dy) => [sumTo(dy, x.shape)]);
}
