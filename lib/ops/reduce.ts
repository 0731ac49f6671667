/**
 * Sums, means and maxima.
 *
 * @module
 */

import type { Kernel } from "../gpu/kernel.ts";
import { record } from "../tensor/tape.ts";
import { axisOf, count, type Shape, stridesOf } from "../tensor/shape.ts";
import { type Dtype, Tensor } from "../tensor/tensor.ts";
import { copyFrom } from "./copy.ts";
import { elementwise } from "./elementwise.ts";
import greatestSource from "../../kernels/greatest.wgsl" with { type: "text" };
import source from "../../kernels/sum.wgsl" with { type: "text" };

/** Which axis a reduction takes, and whether it stays with size 1. */
export interface ReduceOptions {
  /** The axis, counted from the end if negative; all of them if left out. */
  axis?: number;
  /** Whether the axis stays, with size 1. */
  keepDims?: boolean;
}

/** What sums add up: numbers, or four columns at once. */
type Element = Dtype | "vec4f";

const kernels: Record<Element, Kernel> = {
  f32: elementwise(
    "reduce",
    source,
    "alias Element = f32;",
    "alias Number = f32;",
  ),
  i32: elementwise(
    "reduce",
    source,
    "alias Element = i32;",
    "alias Number = i32;",
  ),
  u32: elementwise(
    "reduce",
    source,
    "alias Element = u32;",
    "alias Number = u32;",
  ),
  vec4f: elementwise(
    "reduce",
    source,
    "alias Element = vec4f;",
    "alias Number = f32;",
  ),
};

const greatestKernels: Record<Dtype, Kernel> = {
  f32: elementwise("greatest", greatestSource, "alias Element = f32;"),
  i32: elementwise("greatest", greatestSource, "alias Element = i32;"),
  u32: elementwise("greatest", greatestSource, "alias Element = u32;"),
};

/** A tensor seen as the axis to reduce and what lies outside and inside it. */
interface Line {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}

/** The sum along an axis, or of everything. */
export function sum(x: Tensor, options: ReduceOptions = {}): Tensor {
  const { line, kept, shape } = lineOf("sum", x, options);
  const y = sumLine(x, line).view(shape);
  return record(y, "sum", [x], (dy) => [repeat(dy, kept, x.shape)]);
}

/** The mean along an axis, or of everything. f32 only. */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  if (x.dtype !== "f32") {
    throw new TypeError(
      `Cannot take the mean of a ${x.dtype} tensor [${x.shape}]: expected f32`,
    );
  }
  const { line, kept, shape } = lineOf("mean", x, options);
  const y = sumLine(x, line, 1 / line.length).view(shape);
  return record(y, "mean", [x], (dy) => [
    repeat(dy, kept, x.shape, 1 / line.length),
  ]);
}

/**
 * The greatest element along an axis, or of all. Its gradient goes to the first
 * place where it is found.
 */
export function max(x: Tensor, options: ReduceOptions = {}): Tensor {
  const { line, shape } = lineOf("max", x, options);
  const { y, place } = greatest(x, line);
  return record(y.view(shape), "max", [x], (dy) => {
    const dx = Tensor.empty(x.device, x.shape);
    greatestKernels.f32.run("max_backward", {
      args: {
        dy,
        place_of_x: place,
        dx,
        ...line,
        parts: 1,
        part: line.length,
      },
      grid: { threads: x.size },
    });
    return [dx];
  });
}

/** Where the greatest element along an axis, or of all, is first found: u32. */
export function argmax(x: Tensor, options: ReduceOptions = {}): Tensor {
  const { line, shape } = lineOf("argmax", x, options);
  return greatest(x, line).place.view(shape);
}

/** Sums over the axes that broadcasting repeated, back to `shape`. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  let y = x;
  const missing = x.shape.length - shape.length;
  const leading = count(x.shape.slice(0, missing));
  if (missing > 0) {
    y = sumLine(y, { outer: 1, length: leading, inner: x.size / leading });
  }
  const sizes = x.shape.slice(missing);
  shape.forEach((size, axis) => {
    if (size === sizes[axis]) return;
    const outer = count(sizes.slice(0, axis));
    const inner = count(sizes.slice(axis + 1));
    y = sumLine(y, { outer, length: sizes[axis], inner });
    sizes[axis] = 1;
  });
  return y.view(shape);
}

/**
 * The sum along the middle axis, as `[outer * inner]`, times `scale`. Long axes
 * go in two rounds or more, so that there is work for every thread.
 */
export function sumLine(
  x: Tensor,
  { outer, length, inner }: Line,
  scale = 1,
): Tensor {
  const wide = x.dtype === "f32" && inner % 4 === 0;
  const width = wide ? 4 : 1;
  const kernel = kernels[wide ? "vec4f" : x.dtype];
  let values = x;
  let left = length;
  do {
    const { parts, part } = partition(outer, left, inner / width);
    const last = parts === 1;
    const y = Tensor.empty(x.device, [outer, parts, inner], x.dtype);
    kernel.run("sum", {
      args: {
        x: values,
        y,
        outer,
        length: left,
        inner: inner / width,
        parts,
        part,
        scale: last ? scale : 1,
      },
      grid: { threads: y.size / width },
    });
    if (values !== x) values[Symbol.dispose]();
    values = y;
    left = parts;
  } while (left > 1);
  return values;
}

function greatest(
  x: Tensor,
  { outer, length, inner }: Line,
): { y: Tensor; place: Tensor } {
  let values = x;
  let places: Tensor | null = null;
  let left = length;
  do {
    const { parts, part } = partition(outer, left, inner);
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
    });
    values = y;
    places = place;
    left = parts;
  } while (left > 1);
  return { y: values, place: places! };
}

/** Parts long enough to be worth a thread, and enough of them to go round. */
function partition(
  outer: number,
  length: number,
  inner: number,
): { parts: number; part: number } {
  const wanted = Math.ceil(4096 / Math.max(1, outer * inner));
  const part = Math.min(
    16384,
    Math.max(32, Math.ceil(length / Math.max(1, wanted))),
  );
  return { parts: Math.max(1, Math.ceil(length / part)), part };
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
    : sumLine(dy, { outer: 1, length: 1, inner: dy.size }, scale);
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
