/**
 * Functions of one number, element by element, in f32; f16 in memory at will.
 *
 * @module
 */

import { record } from "../tensor/tape.ts";
import { expectFloat } from "../tensor/expect.ts";
import { Tensor } from "../tensor/tensor.ts";
import { elementwise, storedAs, vectorsOf } from "./elementwise.ts";
import geluSource from "../../kernels/gelu.wgsl" with { type: "text" };
import source from "../../kernels/unary.wgsl" with { type: "text" };

const kernel = elementwise("unary", source);
const geluKernel = elementwise("gelu", geluSource);

/** `-x`. */
export function neg(x: Tensor): Tensor {
  expectFloat("negate", x);
  const y = Tensor.empty(x.device, x.shape, x.dtype);
  kernel.run("neg", {
    args: { x, y, vectors: vectorsOf(x) },
    images: ["x"],
    ...how(x),
  });
  return record(y, "neg", [x], (dy) => [neg(dy)]);
}

/** `e^x`. */
export function exp(x: Tensor): Tensor {
  return apply("exp", x);
}

/** The natural logarithm. */
export function log(x: Tensor): Tensor {
  return apply("log", x);
}

/** The square root. */
export function sqrt(x: Tensor): Tensor {
  return apply("sqrt", x);
}

/** The hyperbolic tangent. */
export function tanh(x: Tensor): Tensor {
  return apply("tanh", x);
}

/** `1 / (1 + e^-x)`. */
export function sigmoid(x: Tensor): Tensor {
  return apply("sigmoid", x);
}

/** `max(x, 0)`. */
export function relu(x: Tensor): Tensor {
  return apply("relu", x);
}

/** `x sigmoid(x)`, also called swish. */
export function silu(x: Tensor): Tensor {
  return apply("silu", x);
}

/** Which GELU: GPT-2's approximation by tanh, or the exact one by erf. */
export interface GeluOptions {
  /** `"tanh"` unless said otherwise. */
  approximate?: "tanh" | "none";
}

/** `x P(X <= x)` for a normal X: the nonlinearity of GPT-2. */
export function gelu(
  x: Tensor,
  { approximate = "tanh" }: GeluOptions = {},
): Tensor {
  expectFloat("apply gelu to", x);
  const vectors = vectorsOf(x);
  const constants = { EXACT: approximate === "none" };
  const y = Tensor.empty(x.device, x.shape, x.dtype);
  geluKernel.run("forward", {
    args: { x, y, vectors },
    constants,
    images: ["x"],
    ...how(x),
  });

  return record(y, "gelu", [x], (dy, [into]) => {
    const dx = into?.tensor ?? Tensor.empty(x.device, x.shape, x.dtype);
    const ADD = into?.add ?? false;
    geluKernel.run("backward", {
      args: { x, dy, dx, vectors },
      constants: { ...constants, ADD },
      images: ["x", "dy", ...ADD ? ["dx"] : []],
      ...how(x),
    });
    return [dx];
  });
}

function apply(name: string, x: Tensor): Tensor {
  expectFloat(`apply ${name} to`, x);
  const vectors = vectorsOf(x);
  const y = Tensor.empty(x.device, x.shape, x.dtype);
  const args = { x, y, vectors };
  kernel.run(`${name}_forward`, { args, images: ["x"], ...how(x) });

  return record(y, name, [x], (dy) => {
    const dx = Tensor.empty(x.device, x.shape, x.dtype);
    const args = { x, y_kept: y, dy, dx, vectors };
    const images = ["x", "y_kept", "dy"];
    kernel.run(`${name}_backward`, { args, images, ...how(x) });
    return [dx];
  });
}

/** A thread per four elements of `x`, stored as `x` is. */
function how(x: Tensor) {
  return { grid: { threads: vectorsOf(x) }, types: storedAs(x.dtype) };
}
