/**
 * Sums, means and maxima.
 *
 * @module
 */

import type { Kernel } from "../gpu/kernel.ts";
import type { Types } from "../gpu/specialize.ts";
import { expectFloat } from "../tensor/expect.ts";
import { record } from "../tensor/tape.ts";
import { axisOf, count, type Shape, stridesOf } from "../tensor/shape.ts";
import { type Dtype, Tensor } from "../tensor/tensor.ts";
import { copyFrom } from "./copy.ts";
import { elementwise } from "./elementwise.ts";
import { reshaped } from "./product.ts";
import { type Line, partition, sumLine } from "./sums.ts";
import greatestSource from "../../kernels/greatest.wgsl" with { type: "text" };

/** Which axis a reduction takes, and whether it stays with size 1. */
export interface ReduceOptions {
  /** The axis, counted from the end if negative; all of them if left out. */
  axis?: number;
  /** Whether the axis stays, with size 1. */
  keepDims?: boolean;
}

const greatestFloats = greatestOf("f32");
const greatestKernels: Record<Dtype, Kernel> = {
  f32: greatestFloats,
  f16: greatestFloats,
  i32: greatestOf("i32"),
  u32: greatestOf("u32"),
};

function greatestOf(element: string): Kernel {
  return elementwise(
    "greatest",
    greatestSource,
    `alias Element = ${element};`,
    "alias Stored = f32;",
  );
}

/** The sum along an axis, or of everything. */
export function sum(x: Tensor, options: ReduceOptions = {}): Tensor {
  const { line, kept, shape } = lineOf("sum", x, options);
  const y = reshaped(sumLine(x, line), shape);
  return record(y, "sum", [x], (dy) => [repeat(dy, kept, x.shape)]);
}

/** The mean along an axis, or of everything. Floats only. */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  expectFloat("take the mean of", x);
  const { line, kept, shape } = lineOf("mean", x, options);
  const scale = 1 / line.length;
  const y = reshaped(sumLine(x, line, { scale }), shape);
  return record(y, "mean", [x], (dy) => [
    repeat(dy, kept, x.shape, scale),
  ]);
}

/**
 * The greatest element along an axis, or of all. Its gradient goes to the first
 * place where it is found.
 */
export function max(x: Tensor, options: ReduceOptions = {}): Tensor {
  const { line, shape } = lineOf("max", x, options);
  const { y, place } = greatest(x, line);
  const top = record(reshaped(y, shape), "max", [x], (dy) => {
    const dx = Tensor.empty(x.device, x.shape, x.dtype);
    greatestFloats.run("max_backward", {
      args: {
        dy,
        place_of_x: place,
        dx,
        ...line,
        parts: 1,
        part: line.length,
      },
      grid: { threads: x.size },
      types: halves(x, "Stored"),
    });
    return [dx];
  });
  if (!top.needsGrad) place[Symbol.dispose]();
  return top;
}

/** Where the greatest element along an axis, or of all, is first found: u32. */
export function argmax(x: Tensor, options: ReduceOptions = {}): Tensor {
  const { line, shape } = lineOf("argmax", x, options);
  const { y, place } = greatest(x, line);
  y[Symbol.dispose]();
  return reshaped(place, shape);
}

function greatest(
  x: Tensor,
  { outer, length, inner }: Line,
): { y: Tensor; place: Tensor } {
  let values = x;
  let places: Tensor | null = null;
  let left = length;
  do {
    const { parts, part } = partition(x.device, outer * inner, left);
    const shape = [outer, parts, inner];
    const y = Tensor.empty(x.device, shape, x.dtype);
    const place = Tensor.empty(x.device, shape, "u32");
    greatestKernels[x.dtype].run("greatest", {
      args: {
        x: values,
        place_of_x: places ?? x,
        y,
        place,
        outer,
        length: left,
        inner,
        parts,
        part,
      },
      constants: { PLACED: places !== null },
      grid: { threads: y.size },
      types: halves(x, "Element"),
      trips: part,
    });
    if (values !== x) values[Symbol.dispose]();
    places?.[Symbol.dispose]();
    values = y;
    places = place;
    left = parts;
  } while (left > 1);
  return { y: values, place: places! };
}

/** The type of an alias for single elements of a tensor, where it is not f32. */
function halves({ dtype }: Tensor, alias: string): Types {
  return dtype === "f16" ? { [alias]: "f16" } : {};
}

/** The gradient of a sum: `dy`, seen as `kept`, repeated to `shape`. */
function repeat(
  dy: Tensor,
  kept: Shape,
  shape: Shape,
  scale = 1,
): Tensor {
  const scaled = scale === 1
    ? dy
    : sumLine(dy, { outer: 1, length: 1, inner: dy.size }, { scale });
  const own = stridesOf(kept);
  const strides = shape.map((size, axis) =>
    kept[axis] === size ? own[axis] : 0
  );
  return copyFrom(scaled, shape, { strides });
}

function lineOf(
  op: string,
  x: Tensor,
  { axis, keepDims = false }: ReduceOptions,
): { line: Line; kept: number[]; shape: number[] } {
  if (axis === undefined) {
    const kept = x.shape.map(() => 1);
    const line = { outer: 1, length: x.size, inner: 1 };
    checkLength(op, x, line);
    return { line, kept, shape: keepDims ? kept : [] };
  }
  const along = axisOf(x.shape, axis);
  const line = {
    outer: count(x.shape.slice(0, along)),
    length: x.shape[along],
    inner: count(x.shape.slice(along + 1)),
  };
  checkLength(op, x, line);
  const kept = x.shape.with(along, 1);
  return { line, kept, shape: keepDims ? kept : kept.toSpliced(along, 1) };
}

function checkLength(op: string, x: Tensor, { length }: Line) {
  if (length === 0 && op !== "sum") {
    throw new RangeError(
      `Cannot take the ${op} of [${x.shape}]: there is nothing along the axis`,
    );
  }
}
