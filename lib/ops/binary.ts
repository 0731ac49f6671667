/**
 * Arithmetic on two tensors, or a tensor and a number, with broadcasting.
 *
 * @module
 */

import type { Kernel } from "../gpu/kernel.ts";
import { broadcast, count, sameShape } from "../tensor/shape.ts";
import { record } from "../tensor/tape.ts";
import { expectDtype } from "../tensor/expect.ts";
import { type Dtype, type GradientPlace, Tensor } from "../tensor/tensor.ts";
import { convert } from "./convert.ts";
import { elementwise, storedAs, vectorsOf } from "./elementwise.ts";
import { expand } from "./layout.ts";
import { sumTo } from "./sums.ts";
import { neg } from "./unary.ts";
import powSource from "../../kernels/pow.wgsl" with { type: "text" };
import source from "../../kernels/binary.wgsl" with { type: "text" };

const kernelOf = (vector: string) =>
  elementwise(
    "binary",
    source,
    `alias Value = ${vector};\nalias Stored = ${vector};\nalias StoredB = ${vector};`,
  );
const floats = kernelOf("vec4f");
const kernels: Record<Dtype, Kernel> = {
  f32: floats,
  f16: floats,
  i32: kernelOf("vec4i"),
  u32: kernelOf("vec4u"),
};
const powKernel = elementwise("pow", powSource);

const SAME = 0;
const REPEATED = 1;
const SINGLE = 2;

/** `a + b`. */
export function add(a: Tensor, b: Tensor | number): Tensor {
  const [x, y] = operands("add", a, b);
  return record(
    apply("add", x, y),
    "add",
    [x, y],
    (dy, [intoX, intoY]) => [towards(dy, x, intoX), towards(dy, y, intoY)],
  );
}

/** `a - b`. */
export function sub(a: Tensor, b: Tensor | number): Tensor {
  const [x, y] = operands("sub", a, b);
  return record(apply("sub", x, y), "sub", [x, y], (dy) => [
    towards(dy, x),
    y.needsGrad ? towards(neg(dy), y) : null,
  ]);
}

/** `a * b`, element by element. */
export function mul(a: Tensor, b: Tensor | number): Tensor {
  const [x, y] = operands("mul", a, b);
  return record(apply("mul", x, y), "mul", [x, y], (dy) => [
    x.needsGrad ? towards(apply("mul", dy, y), x) : null,
    y.needsGrad ? towards(mul(dy, x), y) : null,
  ]);
}

/** `a / b`; whole numbers are cut towards zero. */
export function div(a: Tensor, b: Tensor | number): Tensor {
  const [x, y] = operands("div", a, b);
  const quotient = apply("div", x, y);
  return record(quotient, "div", [x, y], (dy) => [
    x.needsGrad ? towards(apply("div", dy, y), x) : null,
    y.needsGrad ? towards(neg(mul(dy, apply("div", quotient, y))), y) : null,
  ]);
}

/** `a` to the power `b`. f32 only. */
export function pow(a: Tensor, b: Tensor | number): Tensor {
  const [x, exponent] = operands("pow", a, b);
  expectDtype("raise", x, "f32");
  const shape = broadcast(x.shape, exponent.shape);
  const left = sameShape(x.shape, shape) ? x : expand(x, shape);
  const right = sameShape(exponent.shape, shape)
    ? exponent
    : expand(exponent, shape);
  const y = Tensor.empty(x.device, shape);
  const args = { a: left, b: right, size: y.size };
  const grid = { threads: y.size };
  powKernel.run("forward", { args: { ...args, y }, grid });
  return record(y, "pow", [left, right], (dy) => {
    const da = Tensor.empty(x.device, shape);
    powKernel.run("backward_a", { args: { ...args, dy, da }, grid });
    if (!right.needsGrad) return [da, null];
    const db = Tensor.empty(x.device, shape);
    powKernel.run("backward_b", { args: { ...args, dy, db }, grid });
    return [da, db];
  });
}

/**
 * Both operands in shapes the kernel takes: the first has the shape of the
 * result, and the second ends it.
 */
function operands(
  op: string,
  a: Tensor,
  b: Tensor | number,
): [Tensor, Tensor] {
  if (typeof b === "number") {
    return [a, Tensor.full(a.device, [], b, a.dtype)];
  }
  const floats = [a, b].every(({ dtype }) =>
    dtype === "f32" || dtype === "f16"
  );
  if (a.dtype !== b.dtype && !(floats && op !== "pow")) {
    throw new TypeError(
      `Cannot ${op} ${a.dtype} [${a.shape}] and ${b.dtype} [${b.shape}]: use to() to make them alike`,
    );
  }
  if (op === "pow") return [a, b];
  const shape = broadcast(a.shape, b.shape);
  const x = sameShape(a.shape, shape) ? a : expand(a, shape);
  const ends = b.size === 1 || (b.size % 4 === 0 &&
    sameShape(shape.slice(shape.length - b.shape.length), b.shape));
  return [x, ends || sameShape(b.shape, shape) ? b : expand(b, shape)];
}

function apply(op: string, a: Tensor, b: Tensor): Tensor {
  const y = Tensor.empty(a.device, a.shape, a.dtype);
  const layout = a.size === b.size
    ? SAME
    : count(b.shape) === 1
    ? SINGLE
    : REPEATED;
  kernels[a.dtype].run(op, {
    args: { a, b, y, vectors: vectorsOf(y), period: vectorsOf(b) },
    grid: { threads: vectorsOf(y) },
    constants: { LAYOUT: layout },
    images: ["a", "b"],
    types: {
      ...storedAs(a.dtype),
      ...(b.dtype === "f16" && { StoredB: "vec4h" }),
    },
  });
  return y;
}

/** A gradient summed to the shape of the operand it is for, and in its dtype. */
function towards(
  dy: Tensor,
  operand: Tensor,
  into: GradientPlace | null = null,
): Tensor | null {
  if (!operand.needsGrad) return null;
  const { shape, dtype } = operand;
  const same = sameShape(dy.shape, shape);
  if (!same) return sumTo(dy, shape, { dtype, into });
  return dy.dtype === dtype ? dy : convert(dy, dtype);
}
