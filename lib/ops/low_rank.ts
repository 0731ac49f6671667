import { expectShape } from "../tensor/expect.ts";
import type { Parameter } from "../tensor/parameter.ts";
import { noGrad, record } from "../tensor/tape.ts";
import { type GradientPlace, Tensor } from "../tensor/tensor.ts";
import { add, mul } from "./binary.ts";
import { copyElements } from "./copy.ts";
import { inPlace, product } from "./product.ts";

/** A matrix `[outputs, inputs]` of low rank: `scale b a`. */
export interface LowRank {
  /** `[rank, inputs]`. */
  readonly a: Parameter;
  /** `[outputs, rank]`. */
  readonly b: Parameter;
  /** One number on the GPU; null for 1. */
  readonly scale: Tensor | null;
}

/**
 * `y + scale x a^T b^T`: `[..., outputs]` and `[..., inputs]` give
 * `[..., outputs]`, in the memory of `y`, which no longer holds what it did; so
 * `y` is to come from an op that does not look at it again, such as `linear`.
 * Nothing is kept but `scale a x^T`, `[rank, ...]`: products of few rows are
 * faster than those of few columns.
 */
export function addLowRank(y: Tensor, x: Tensor, change: LowRank): Tensor {
  const { a, b, scale } = change;
  const [rank, inputs] = a.shape;
  const [outputs] = b.shape;
  const op = `add a change of rank ${rank} to [${y.shape}]`;
  const leading = x.shape.slice(0, -1);
  expectShape(op, "y", y, [...leading, outputs]);
  expectShape(op, "x", x, [...leading, inputs]);
  const rows = x.size / inputs;
  const scaled = (x: Tensor): Tensor => {
    if (scale === null) return x;
    const y = noGrad(() => mul(x, scale));
    x[Symbol.dispose]();
    return y;
  };
  const rowsOfX = x.view([rows, inputs]);
  const narrow = scaled(
    product(a.as(x.dtype), rowsOfX, { transposeB: true }),
  ); // [1, rank, rows]
  const sum = addProduct(y, narrow, b.as(x.dtype));

  return record(sum, "addLowRank", [y, x, a, b], (dy, places) => {
    const [, intoX, intoA, intoB] = places;
    const rowsOfY = dy.view([rows, outputs]);
    const back = scaled(
      product(b.as(x.dtype), rowsOfY, { transposeA: true, transposeB: true }),
    ); // [1, rank, rows]
    const dx = !x.needsGrad ? null : inPlace(
      intoX,
      x.shape,
      (into) =>
        product(back, a.as(x.dtype), {
          transposeA: true,
          into,
          dtype: x.dtype,
        }),
    );
    const da = !a.needsGrad ? null : inPlace(
      intoA,
      a.shape,
      (into) => product(back, rowsOfX, { into, dtype: "f32" }),
    );
    const db = !b.needsGrad
      ? null
      : transposed(product(narrow, rowsOfY, { dtype: "f32" }), intoB);
    return [y.needsGrad ? dy : null, dx, da, db];
  });
}

/** `y + narrow^T b^T`, in the memory of `y` where its rows come in fours. */
function addProduct(y: Tensor, narrow: Tensor, b: Tensor): Tensor {
  const [outputs] = b.shape;
  const rows = y.size / outputs;
  const place = { tensor: y.view([rows, outputs]), add: true };
  const both = { transposeA: true, transposeB: true };
  if (outputs % 4 === 0) {
    product(narrow, b, { ...both, into: place });
    return y.view(y.shape);
  }
  using more = product(narrow, b, both);
  return noGrad(() => add(y, more.view(y.shape)));
}

/** `[1, m, n]` as `[n, m]`, in a place for it if that is empty. */
function transposed(x: Tensor, into: GradientPlace | null): Tensor {
  const [, m, n] = x.shape;
  const y = into?.add === false
    ? into.tensor
    : Tensor.empty(x.device, [n, m], x.dtype);
  copyElements(x, y, [n, m], {
    source: { strides: [1, n] },
    target: { strides: [m, 1] },
  });
  x[Symbol.dispose]();
  return y;
}
