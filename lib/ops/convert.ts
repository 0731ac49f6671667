import type { Kernel } from "../gpu/kernel.ts";
import { record } from "../tensor/tape.ts";
import { type Dtype, Tensor } from "../tensor/tensor.ts";
import { elementwise } from "./elementwise.ts";
import source from "../../kernels/convert.wgsl" with { type: "text" };

const kernels = new Map<string, Kernel>();

/**
 * The same numbers in another type. A gradient passes between f32 and f16 only.
 */
export function to(x: Tensor, dtype: Dtype): Tensor {
  if (x.dtype === dtype) return x;
  const y = convert(x, dtype);
  if (!isFloat(x.dtype) || !isFloat(dtype)) return y;
  return record(y, "to", [x], (dy) => [convert(dy, x.dtype)]);
}

/** The same numbers in another type, without a gradient. */
export function convert(x: Tensor, dtype: Dtype): Tensor {
  const y = Tensor.empty(x.device, x.shape, dtype);
  // Four at a time, in memory that is padded to fours.
  const vectors = Math.ceil(x.size / 4);
  kernelFor(x.dtype, dtype).run("convert", {
    args: { x, y, vectors },
    grid: { threads: vectors },
  });
  return y;
}

function isFloat(dtype: Dtype): boolean {
  return dtype === "f32" || dtype === "f16";
}

const VECTORS = { f32: "vec4f", f16: "vec4h", i32: "vec4i", u32: "vec4u" };

function kernelFor(from: Dtype, to: Dtype): Kernel {
  const key = `${from} ${to}`;
  let kernel = kernels.get(key);
  if (kernel === undefined) {
    const types = `alias From = ${VECTORS[from]};\nalias To = ${VECTORS[to]};`;
    kernel = elementwise("convert", source, types);
    kernels.set(key, kernel);
  }
  return kernel;
}
