import { broadcast, count, sameShape } from "../tensor/shape.ts";
import { record } from "../tensor/tape.ts";
import { expectFloat } from "../tensor/expect.ts";
import type { GradientPlace, Tensor } from "../tensor/tensor.ts";
import { expand } from "./layout.ts";
import { inPlace, product, reshaped } from "./product.ts";
import { sumTo } from "./sums.ts";

/** Which operands to transpose. */
export interface MatmulOptions {
  /** Whether to take the last two axes of `a` the other way round. */
  transposeA?: boolean;
  /** Whether to take the last two axes of `b` the other way round. */
  transposeB?: boolean;
}

/**
 * The matrix product over the last two axes: `[..., M, K]` and `[..., K, N]`
 * give `[..., M, N]`. Leading axes broadcast.
 */
export function matmul(
  a: Tensor,
  b: Tensor,
  { transposeA = false, transposeB = false }: MatmulOptions = {},
): Tensor {
  expectFloat("multiply", a);
  expectFloat("multiply", b);
  if (a.shape.length < 2 || b.shape.length < 2) {
    throw new RangeError(
      `Cannot multiply [${a.shape}] by [${b.shape}]: each needs two axes or more`,
    );
  }
  const depthA = a.shape.at(transposeA ? -2 : -1);
  const depthB = b.shape.at(transposeB ? -1 : -2);
  if (depthA !== depthB) {
    throw new RangeError(
      `Cannot multiply [${a.shape}]${
        transposeA ? " transposed" : ""
      } by [${b.shape}]${
        transposeB ? " transposed" : ""
      }: the shared axis is ${depthA} and ${depthB} long`,
    );
  }
  const leading = leadingAxes(a, b);
  const left = batched(a, leading);
  const right = batched(b, leading);
  const flat = product(left, right, { transposeA, transposeB });
  const y = reshaped(flat, [...leading, ...flat.shape.slice(-2)]);

  return record(y, "matmul", [left, right], (dy, [intoLeft, intoRight]) => {
    // With c = op(a) op(b): d op(a) = dc op(b)^T and d op(b) = op(a)^T dc.
    const da = (into: GradientPlace | null) =>
      transposeA
        ? product(right, dy, {
          transposeA: transposeB,
          transposeB: true,
          into,
          dtype: left.dtype,
        })
        : product(dy, right, {
          transposeB: !transposeB,
          into,
          dtype: left.dtype,
        });
    const db = (into: GradientPlace | null) =>
      transposeB
        ? product(dy, left, {
          transposeA: true,
          transposeB: transposeA,
          into,
          dtype: right.dtype,
        })
        : product(left, dy, {
          transposeA: !transposeA,
          into,
          dtype: right.dtype,
        });
    return [
      left.needsGrad ? gradient(left, y, intoLeft, da) : null,
      right.needsGrad ? gradient(right, y, intoRight, db) : null,
    ];
  });
}

/** The gradient of an operand, in its place if one matrix does not serve many. */
function gradient(
  operand: Tensor,
  y: Tensor,
  place: GradientPlace | null | undefined,
  compute: (into: GradientPlace | null) => Tensor,
): Tensor {
  const single = count(operand.shape.slice(0, -2)) <
    count(y.shape.slice(0, -2));
  if (!single) return inPlace(place, operand.shape, compute);
  const whole = [1, ...operand.shape.slice(-2)];
  return sumTo(compute(null), whole).view(operand.shape);
}

function leadingAxes(a: Tensor, b: Tensor): number[] {
  try {
    return broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
  } catch (error) {
    throw new RangeError(
      `Cannot multiply [${a.shape}] by [${b.shape}]: their leading axes do not broadcast`,
      { cause: error },
    );
  }
}

/** A batch in the leading axes of the result, or a single matrix for all. */
function batched(x: Tensor, leading: readonly number[]): Tensor {
  const own = x.shape.slice(0, -2);
  const single = own.every((size) => size === 1);
  if (single || sameShape(own, leading)) return x;
  return expand(x, [...leading, ...x.shape.slice(-2)]);
}
