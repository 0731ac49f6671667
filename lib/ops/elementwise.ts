/**
 * What kernels that take elements one by one have in common.
 *
 * @module
 */

import { Kernel } from "../gpu/kernel.ts";
import type { Types } from "../gpu/specialize.ts";
import type { Dtype, Tensor } from "../tensor/tensor.ts";
import gridSource from "../../kernels/shared/grid.wgsl" with { type: "text" };

/** A kernel whose grid is folded. */
export function elementwise(
  name: string,
  source: string,
  ...includes: string[]
): Kernel {
  return new Kernel(name, source, gridSource, ...includes);
}

/** How many vectors of four a tensor fills; its memory is padded to them. */
export function vectorsOf({ size }: Tensor): number {
  return Math.ceil(size / 4);
}

const AS_WRITTEN: Types = {};
const IN_HALVES: Types = { Stored: "vec4h" };

/** What `Stored`, four floats in the WGSL, stands for with tensors of a dtype. */
export function storedAs(dtype: Dtype): Types {
  return dtype === "f16" ? IN_HALVES : AS_WRITTEN;
}
