import { record } from "../tensor/tape.ts";
import { expectDtype, expectShape } from "../tensor/expect.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { product } from "./product.ts";
import { sumLine } from "./reduce.ts";

/**
 * `x weight^T + bias`: `[..., inputs]` and `[outputs, inputs]` give
 * `[..., outputs]`. PyTorch's layout of a linear layer.
 */
export function linear(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
): Tensor {
  return affine("linear", x, weight, bias, true);
}

/**
 * `x weight + bias`: `[..., inputs]` and `[inputs, outputs]` give
 * `[..., outputs]`. GPT-2's layout of a linear layer, there called Conv1D.
 */
export function conv1d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
): Tensor {
  return affine("conv1d", x, weight, bias, false);
}

function affine(
  op: string,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  transposed: boolean,
): Tensor {
  expectDtype(`apply ${op} to`, x, "f32");
  const [outputs, inputs] = transposed
    ? weight.shape
    : [weight.shape[1], weight.shape[0]];
  if (weight.shape.length !== 2 || x.shape.at(-1) !== inputs) {
    throw new RangeError(
      `Cannot apply ${op} [${weight.shape}] to [${x.shape}]: the last axis must be ${inputs}`,
    );
  }
  if (bias) expectShape(`apply ${op} to [${x.shape}]`, "bias", bias, [outputs]);
  const rows = inputs === 0 ? 0 : x.size / inputs;
  const flat = x.view([rows, inputs]);
  const y = product(flat, weight, { transposeB: transposed, bias });
  flat[Symbol.dispose]();

  const inputsOf = bias ? [x, weight, bias] : [x, weight];
  const shaped = y.view([...x.shape.slice(0, -1), outputs]);
  y[Symbol.dispose]();
  return record(shaped, op, inputsOf, (dy) => {
    const rowsOf = dy.view([rows, outputs]);
    const dx = x.needsGrad
      ? product(rowsOf, weight, { transposeB: !transposed }).view(x.shape)
      : null;
    const seen = x.view([rows, inputs]);
    const dweight = !weight.needsGrad
      ? null
      : transposed
      ? product(rowsOf, seen, { transposeA: true })
      : product(seen, rowsOf, { transposeA: true });
    const dbias = bias?.needsGrad
      ? sumLine(dy, { outer: 1, length: rows, inner: outputs })
      : null;
    return [
      dx,
      dweight && dweight.view(weight.shape),
      dbias && dbias.view([outputs]),
    ].slice(0, inputsOf.length);
  });
}
