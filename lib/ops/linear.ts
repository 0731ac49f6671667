import { expectDtype, expectFloat, expectShape } from "../tensor/expect.ts";
import { record, recorded } from "../tensor/tape.ts";
import { Parameter } from "../tensor/parameter.ts";
import { Tensor } from "../tensor/tensor.ts";
import { inPlace, product, reshaped } from "./product.ts";
import { sumLine } from "./sums.ts";
import { gelu, recordGelu } from "./unary.ts";

/** What follows a linear layer. */
export interface ActivationOptions {
  /** GELU, in GPT-2's approximation, of what the layer gives. */
  activation?: "gelu";
}

/**
 * `x weight^T + bias`: `[..., inputs]` and `[outputs, inputs]` give
 * `[..., outputs]`. PyTorch's layout of a linear layer.
 */
export function linear(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: ActivationOptions = {},
): Tensor {
  return affine({ op: "linear", x, weight, bias, transposed: true }, options);
}

/**
 * `x weight + bias`: `[..., inputs]` and `[inputs, outputs]` give
 * `[..., outputs]`. GPT-2's layout of a linear layer, there called Conv1D.
 */
export function conv1d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: ActivationOptions = {},
): Tensor {
  return affine({ op: "conv1d", x, weight, bias, transposed: false }, options);
}

interface Affine {
  readonly op: string;
  readonly x: Tensor;
  readonly weight: Tensor;
  readonly bias: Tensor | null;
  readonly transposed: boolean;
}

function affine(layer: Affine, { activation }: ActivationOptions): Tensor {
  const { op, x, weight, bias, transposed } = layer;
  expectFloat(`apply ${op} to`, x);
  expectFloat(`apply ${op} with`, weight);
  const [outputs, inputs] = transposed
    ? weight.shape
    : [weight.shape[1], weight.shape[0]];
  if (weight.shape.length !== 2 || x.shape.at(-1) !== inputs) {
    throw new RangeError(
      `Cannot apply ${op} [${weight.shape}] to [${x.shape}]: the last axis must be ${inputs}`,
    );
  }
  if (bias) {
    expectShape(`apply ${op} to [${x.shape}]`, "bias", bias, [outputs]);
    expectDtype(`apply ${op} with a bias in`, bias, "f32");
  }
  const rows = inputs === 0 ? 0 : x.size / inputs;
  const shape = [...x.shape.slice(0, -1), outputs];
  const learning = recorded(bias ? [x, weight, bias] : [x, weight]);
  const activated = activation === "gelu" && outputs % 4 === 0;
  const before = activated
    ? Tensor.empty(x.device, [rows, outputs], x.dtype)
    : null;
  const flat = x.view([rows, inputs]);
  const y = reshaped(
    product(flat, stored(weight, x), {
      transposeB: transposed,
      bias,
      before,
      keep: !learning && weight instanceof Parameter,
    }),
    shape,
  );
  flat[Symbol.dispose]();
  if (before === null) {
    const recordedY = recordAffine(y, layer, rows);
    return activation === "gelu" ? gelu(recordedY) : recordedY;
  }
  if (learning) {
    return recordGelu(recordAffine(reshaped(before, shape), layer, rows), y);
  }
  before[Symbol.dispose]();
  return y;
}

/** Says how a gradient passes back through `y = op(x) + bias`. */
function recordAffine(
  y: Tensor,
  { op, x, weight, bias, transposed }: Affine,
  rows: number,
): Tensor {
  const inputsOf = bias ? [x, weight, bias] : [x, weight];
  return record(y, op, inputsOf, (dy, places) => {
    const [intoX, intoWeight, intoBias] = places;
    const [outputs, inputs] = [y.shape.at(-1)!, x.shape.at(-1)!];
    const rowsOfY = dy.view([rows, outputs]);
    const dx = !x.needsGrad
      ? null
      : inPlace(intoX, x.shape, (into) =>
        product(rowsOfY, stored(weight, x), {
          transposeB: !transposed,
          into,
          dtype: x.dtype,
        }));
    const rowsOfX = x.view([rows, inputs]);
    const [left, right] = transposed ? [rowsOfY, rowsOfX] : [rowsOfX, rowsOfY];
    const dweight = !weight.needsGrad
      ? null
      : inPlace(intoWeight, weight.shape, (into) =>
        product(left, right, { transposeA: true, into, dtype: "f32" }));
    const line = { outer: 1, length: rows, inner: outputs };
    const dbias = !bias?.needsGrad ? null : inPlace(
      intoBias,
      bias.shape,
      (into) => sumLine(dy, line, { into, dtype: "f32" }),
    );
    return [dx, dweight, dbias].slice(0, inputsOf.length);
  });
}

/** The weights as a product with `x` reads them. */
function stored(weight: Tensor, x: Tensor): Tensor {
  return weight instanceof Parameter ? weight.as(x.dtype) : weight;
}
