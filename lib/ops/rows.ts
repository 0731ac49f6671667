/**
 * What kernels that take a row at a time have in common.
 *
 * @module
 */

import { type Include, Kernel, type RunOptions } from "../gpu/kernel.ts";
import type { Device } from "../gpu/device.ts";
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

/** Threads of a workgroup that takes a row: one subgroup where possible. */
export function rowBlock({ subgroupSize }: Device): number {
  return subgroupSize || 64;
}

/** A kernel in two forms: for columns in fours, and for any number of them. */
export class RowKernel {
  readonly #vector: Kernel;
  readonly #scalar: Kernel;

  /** Names a kernel whose source leaves `Value` open. */
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
  run(entry: string, cols: number, options: RunOptions): void {
    const kernel = this.width(cols) === 4 ? this.#vector : this.#scalar;
    kernel.run(entry, options);
  }
}
