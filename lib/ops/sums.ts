/**
 * Sums of lines of elements: the base of all ops that add up, and of gradients of
 * what was repeated.
 *
 * @module
 */

import type { Device } from "../gpu/device.ts";
import type { Kernel } from "../gpu/kernel.ts";
import type { Types } from "../gpu/specialize.ts";
import { count, type Shape } from "../tensor/shape.ts";
import { type Dtype, type GradientPlace, Tensor } from "../tensor/tensor.ts";
import { elementwise } from "./elementwise.ts";
import source from "../../kernels/sum.wgsl" with { type: "text" };

/** A kernel that adds elements up, each so many `Number`s, in memory as they are. */
function sums(element: string, number: string): Kernel {
  return elementwise(
    "reduce",
    source,
    `alias Element = ${element};`,
    `alias Number = ${number};`,
    `alias StoredX = ${element};`,
    `alias StoredY = ${element};`,
  );
}

const floats = sums("f32", "f32");
const kernels: Record<Dtype, Kernel> = {
  f32: floats,
  f16: floats,
  i32: sums("i32", "i32"),
  u32: sums("u32", "u32"),
};
const fours = sums("vec4f", "f32");

/** A tensor seen as the axis to reduce and what lies outside and inside it. */
export interface Line {
  /** The product of the sizes before the axis. */
  readonly outer: number;
  /** The size of the axis. */
  readonly length: number;
  /** The product of the sizes after it. */
  readonly inner: number;
}

/** Sums over the axes that broadcasting repeated, back to `shape`. */
export function sumTo(
  x: Tensor,
  shape: Shape,
  { into = null, dtype = into?.tensor.dtype ?? x.dtype }: SumOptions = {},
): Tensor {
  const missing = x.shape.length - shape.length;
  const leading = count(x.shape.slice(0, missing));
  const sizes = x.shape.slice(missing);
  const lines: Line[] = [];
  if (missing > 0) {
    lines.push({ outer: 1, length: leading, inner: count(sizes) });
  }
  shape.forEach((size, axis) => {
    if (size === sizes[axis]) return;
    const outer = count(sizes.slice(0, axis));
    const inner = count(sizes.slice(axis + 1));
    lines.push({ outer, length: sizes[axis], inner });
    sizes[axis] = 1;
  });
  let y = x;
  for (const [i, line] of lines.entries()) {
    const last = i === lines.length - 1;
    const sum = sumLine(y, line, last ? { into, dtype } : { dtype: wider(x) });
    if (y !== x) y[Symbol.dispose]();
    y = sum;
  }
  return into !== null && y === into.tensor ? y : y.view(shape);
}

/** What becomes of a sum. */
export interface SumOptions {
  /** What it is multiplied by. */
  readonly scale?: number;
  /** What it is rounded to; as its terms are if left out. */
  readonly dtype?: Dtype;
  /** Where to leave it, or to add it; this very tensor is then returned. */
  readonly into?: GradientPlace | null;
}

/**
 * The sum along the middle axis, as `[outer * inner]`. Long axes go in two rounds
 * or more, so that there is work for every thread.
 */
export function sumLine(
  x: Tensor,
  { outer, length, inner }: Line,
  { scale = 1, into = null, dtype = into?.tensor.dtype ?? x.dtype }:
    SumOptions = {},
): Tensor {
  const wide = (x.dtype === "f32" || x.dtype === "f16") && inner % 4 === 0;
  const width = wide ? 4 : 1;
  const kernel = wide ? fours : kernels[x.dtype];
  let values = x;
  let left = length;
  do {
    const { parts, part } = partition(x.device, outer * inner / width, left);
    const last = parts === 1;
    const y = last && into !== null ? into.tensor : Tensor.empty(
      x.device,
      [outer, parts, inner],
      last ? dtype : wider(x),
    );
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
      grid: { threads: outer * parts * inner / width },
      constants: { ADD: last && into !== null && into.add },
      types: { ...halves(values, "StoredX"), ...halves(y, "StoredY") },
      trips: part,
      images: ["x"],
    });
    if (values !== x) values[Symbol.dispose]();
    values = y;
    left = parts;
  } while (left > 1);
  return values;

  function halves({ dtype }: Tensor, alias: string): Types {
    return dtype === "f16" ? { [alias]: wide ? "vec4h" : "f16" } : {};
  }
}

/** What sums not yet complete are kept in. */
function wider({ dtype }: Tensor): Dtype {
  return dtype === "f16" ? "f32" : dtype;
}

/**
 * Parts long enough to be worth a thread, and enough of them to go round: GPUs
 * have tens of thousands of threads to keep busy, software adapters a few dozen.
 */
export function partition(
  { adapter: { software } }: Device,
  lines: number,
  length: number,
): { parts: number; part: number } {
  const [threads, least] = software ? [lines < 32 ? 256 : 32, 32] : [32768, 64];
  const wanted = Math.ceil(threads / Math.max(1, lines));
  const part = Math.min(16384, Math.max(least, Math.ceil(length / wanted)));
  return { parts: Math.max(1, Math.ceil(length / part)), part };
}
