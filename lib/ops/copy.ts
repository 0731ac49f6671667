/**
 * Elements from one layout to another: the base of all ops that only move them.
 *
 * @module
 */

import { stridesOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { elementwise } from "./elementwise.ts";
import source from "../../kernels/copy.wgsl" with { type: "text" };

const kernel = elementwise("copy", source);
const AXES = 6;

/** Where elements lie in memory: a first place, and steps along each axis. */
export interface Layout {
  /** Elements from one index to the next, per axis. */
  readonly strides: readonly number[];
  /** The place of index zero. */
  readonly offset?: number;
}

/** Queues `to[index] = from[index]` for every index below `shape`. */
export function copyElements(
  from: Tensor,
  to: Tensor,
  shape: readonly number[],
  { source, target }: { source: Layout; target?: Layout },
): void {
  const strides = target?.strides ?? stridesOf(shape);
  const axes = mergeAxes(shape, source.strides, strides);
  if (axes.length > AXES) {
    throw new RangeError(
      `Cannot rearrange [${from.shape}]: it takes ${axes.length} separate axes, at most ${AXES} are supported`,
    );
  }
  while (axes.length < AXES) axes.unshift({ n: 1, x: 0, y: 0 });
  const size = shape.reduce((product, n) => product * n, 1);
  const args: Record<string, Tensor | number> = {
    x: from,
    y: to,
    size,
    offset_x: source.offset ?? 0,
    offset_y: target?.offset ?? 0,
  };
  axes.forEach(({ n, x, y }, i) => {
    args[`n${i}`] = n;
    args[`x${i}`] = x;
    args[`y${i}`] = y;
  });
  kernel.run("copy", { args, grid: { threads: size } });
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

/** Joins neighbours that are one axis in both layouts, and drops axes of 1. */
function mergeAxes(
  shape: readonly number[],
  from: readonly number[],
  to: readonly number[],
): { n: number; x: number; y: number }[] {
  const axes: { n: number; x: number; y: number }[] = [];
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
