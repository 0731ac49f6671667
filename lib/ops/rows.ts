/**
 * What kernels that take a row at a time have in common.
 *
 * @module
 */

import { type Include, Kernel, type RunOptions } from "../gpu/kernel.ts";
import type { Device } from "../gpu/device.ts";
import type { Dtype, Tensor } from "../tensor/tensor.ts";
import gridSource from "../../kernels/shared/grid.wgsl" with { type: "text" };
import scalarSource from "../../kernels/shared/scalar.wgsl" with {
  type: "text",
};
import vectorSource from "../../kernels/shared/vector.wgsl" with {
  type: "text",
};
import subgroupSource from "../../kernels/shared/reduce_subgroup.wgsl" with {
  type: "text",
};
import workgroupSource from "../../kernels/shared/reduce_workgroup.wgsl" with {
  type: "text",
};

/** Reductions over a workgroup that takes a row; see {@linkcode rowBlock}. */
export const rowReductions: Include = {
  subgroup: subgroupSource,
  workgroup: workgroupSource,
};

/** The same for rows so long that a workgroup of any size takes each. */
export const longRowReductions: Include = workgroupSource;

/** Threads of a workgroup that takes a row: one subgroup where possible. */
export function rowBlock({ subgroupSize }: Device): number {
  return subgroupSize || 64;
}

const LONG = 2048; // values

/**
 * Threads of a workgroup that takes a row of so many values with
 * {@linkcode longRowReductions}, or null where the row is too short to gain by it:
 * few rows leave a GPU idle unless many threads share each.
 */
export function longRowBlock(
  { prefersBroadcast }: Device,
  length: number,
): number | null {
  return !prefersBroadcast && length >= LONG ? 256 : null;
}

/** How to run a {@linkcode RowKernel}. */
export interface RowOptions extends Omit<RunOptions, "types"> {
  /** What its `Stored` tensors hold: f32 or f16. */
  readonly stored?: Dtype;
  /** How often a thread comes past each value of a row. */
  readonly passes?: number;
}

/** A kernel in two forms: for columns in fours, and for any number of them. */
export class RowKernel {
  readonly #vector: Kernel;
  readonly #scalar: Kernel;

  /** Names a kernel whose source leaves `Value` and `Stored` open. */
  constructor(name: string, source: string, ...includes: Include[]) {
    const rest = [gridSource, ...includes];
    this.#vector = new Kernel(name, source, vectorSource, ...rest);
    this.#scalar = new Kernel(name, source, scalarSource, ...rest);
  }

  /** How many columns a value holds, for rows of `cols`. */
  width(cols: number): 1 | 4 {
    return cols % 4 === 0 ? 4 : 1;
  }

  /** Queues a run for rows of `cols` columns. */
  run(
    entry: string,
    cols: number,
    { stored = "f32", passes = 0, ...options }: RowOptions,
  ): void {
    const wide = this.width(cols) === 4;
    const kernel = wide ? this.#vector : this.#scalar;
    const block = Number(options.constants?.BLOCK ?? 64);
    const walks = Math.ceil(cols / this.width(cols) / block);
    kernel.run(entry, {
      ...options,
      ...(stored === "f16" && { types: { Stored: wide ? "vec4h" : "f16" } }),
      trips: passes * walks + (options.trips ?? 0),
    });
  }
}

/** Some rows of a tensor, from `first` on. */
export interface RowSlice {
  readonly first: number;
  readonly tensor: Tensor;
}

const ALIGNED_ROWS = 128; // start at multiples of 256 bytes, whatever a row holds

/**
 * The rows of a tensor of two axes in slices small enough to bind: itself, if
 * it is. A slice lasts until the next is asked for.
 */
export function* rowSlices(tensor: Tensor): Generator<RowSlice> {
  const { device: { limits }, bytes, shape: [rows] } = tensor;
  const most = limits.maxStorageBufferBindingSize;
  if (bytes <= most) {
    yield { first: 0, tensor };
    return;
  }
  const fitting = Math.floor(most / (bytes / rows));
  const step = Math.max(ALIGNED_ROWS, fitting - fitting % ALIGNED_ROWS);
  for (let first = 0; first < rows; first += step) {
    using part = tensor.rows(first, Math.min(first + step, rows));
    yield { first, tensor: part };
  }
}
