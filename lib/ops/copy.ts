/**
 * Elements from one layout to another: the base of all ops that only move them.
 *
 * @module
 */

import type { Kernel } from "../gpu/kernel.ts";
import { stridesOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { elementwise } from "./elementwise.ts";
import source from "../../kernels/copy.wgsl" with { type: "text" };

const kernels = {
  words: copyOf("u32"), // any type of 32 bits
  fourWords: copyOf("vec4u"),
  halves: copyOf("f16"),
  fourHalves: copyOf("vec4h"),
};
const MOST_AXES = 6;

function copyOf(element: string): Kernel {
  return elementwise("copy", source, `alias Element = ${element};`);
}

/** Where elements lie in memory: a first place, and steps along each axis. */
export interface Layout {
  /** Elements from one index to the next, per axis. */
  readonly strides: readonly number[];
  /** The place of index zero. */
  readonly offset?: number;
}

/** An axis to walk: its size, and the steps along it in either tensor. */
interface Axis {
  readonly n: number;
  readonly x: number;
  readonly y: number;
}

const NO_AXIS: Axis = { n: 1, x: 0, y: 0 };

/** Queues `to[index] = from[index]` for every index below `shape`. */
export function copyElements(
  from: Tensor,
  to: Tensor,
  shape: readonly number[],
  { source, target }: { source: Layout; target?: Layout },
): void {
  const strides = target?.strides ?? stridesOf(shape);
  const axes = mergeAxes(shape, source.strides, strides);
  if (axes.length > MOST_AXES) {
    throw new RangeError(
      `Cannot rearrange [${from.shape}]: it takes ${axes.length} separate axes, at most ${MOST_AXES} are supported`,
    );
  }
  if (axes.length === 0) axes.push({ n: 1, x: 1, y: 1 });
  const offsets = [source.offset ?? 0, target?.offset ?? 0];
  const width = inFours(axes, offsets) ? 4 : 1;
  const size = shape.reduce((product, n) => product * n, 1) / width;
  const [outer, ...rest] = axes.map(({ n, x, y }, i) =>
    i === axes.length - 1
      ? { n: n / width, x, y }
      : { n, x: x / width, y: y / width }
  );
  const args: Record<string, Tensor | number> = {
    x: from,
    y: to,
    size,
    x_outer: outer.x,
    y_outer: outer.y,
    x_offset: offsets[0] / width,
    y_offset: offsets[1] / width,
  };
  for (let i = 0; i < MOST_AXES - 1; i++) {
    const { n, x, y } = rest.at(-1 - i) ?? NO_AXIS;
    args[`n${i}`] = n;
    args[`x${i}`] = x;
    args[`y${i}`] = y;
  }
  const kernel = from.dtype === "f16"
    ? width === 4 ? kernels.fourHalves : kernels.halves
    : width === 4
    ? kernels.fourWords
    : kernels.words;
  kernel.run("copy", {
    args,
    grid: { threads: size },
    constants: { AXES: axes.length },
  });
}

/** A new tensor of the shape, its elements read through a layout of `from`. */
export function copyFrom(
  from: Tensor,
  shape: readonly number[],
  source: Layout,
): Tensor {
  const y = Tensor.empty(from.device, shape, from.dtype);
  copyElements(from, y, shape, { source });
  return y;
}

/** Whether neighbours of the last axis can go four at a time. */
function inFours(axes: readonly Axis[], offsets: readonly number[]): boolean {
  const last = axes[axes.length - 1];
  return last.x === 1 && last.y === 1 && last.n % 4 === 0 &&
    offsets.every((offset) => offset % 4 === 0) &&
    axes.every((axis) =>
      axis === last || (axis.x % 4 === 0 && axis.y % 4 === 0)
    );
}

/** Joins neighbours that are one axis in both layouts, and drops axes of 1. */
function mergeAxes(
  shape: readonly number[],
  from: readonly number[],
  to: readonly number[],
): Axis[] {
  const axes: Axis[] = [];
  shape.forEach((n, axis) => {
    if (n === 1) return;
    const [x, y] = [from[axis], to[axis]];
    const outer = axes.at(-1);
    if (outer && outer.x === x * n && outer.y === y * n) {
      axes[axes.length - 1] = { n: outer.n * n, x, y };
    } else axes.push({ n, x, y });
  });
  return axes;
}
