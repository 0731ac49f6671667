/**
 * Functions of one number, element by element. f32 only.
 *
 * @module
 */

import { record } from "../tensor/tape.ts";
import { expectDtype } from "../tensor/expect.ts";
import { Tensor } from "../tensor/tensor.ts";
import { elementwise, vectorsOf } from "./elementwise.ts";
import geluSource from "../../kernels/gelu.wgsl" with { type: "text" };
import source from "../../kernels/unary.wgsl" with { type: "text" };

const kernel = elementwise("unary", source);
const geluKernel = elementwise("gelu", geluSource);

/** `-x`. */
export function neg(x: Tensor): Tensor {
  expectDtype("negate", x, "f32");
  const y = Tensor.empty(x.device, x.shape);
  const vectors = vectorsOf(x);
  kernel.run("neg", { args: { x, y, vectors }, grid: { threads: vectors } });
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
  expectDtype("apply gelu to", x, "f32");
  const vectors = vectorsOf(x);
  const grid = { threads: vectors };
  const constants = { EXACT: approximate === "none" };
  const y = Tensor.empty(x.device, x.shape);
  geluKernel.run("forward", { args: { x, y, vectors }, grid, constants });

  return record(y, "gelu", [x], (dy) => {
    const dx = Tensor.empty(x.device, x.shape);
    const args = { x, dy, dx, vectors };
    geluKernel.run("backward", { args, grid, constants });
    return [dx];
  });
}

function apply(name: string, x: Tensor): Tensor {
  expectDtype(`apply ${name} to`, x, "f32");
  const vectors = vectorsOf(x);
  const grid = { threads: vectors };
  const y = Tensor.empty(x.device, x.shape);
  kernel.run(`${name}_forward`, { args: { x, y, vectors }, grid });

  return record(y, name, [x], (dy) => {
    const dx = Tensor.empty(x.device, x.shape);
    const args = { x, y_kept: y, dy, dx, vectors };
    kernel.run(`${name}_backward`, { args, grid });
    return [dx];
  });
}
