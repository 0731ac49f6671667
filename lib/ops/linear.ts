import { expectDtype, expectFloat, expectShape } from "../tensor/expect.ts";
import { record, recorded } from "../tensor/tape.ts";
import { Parameter } from "../tensor/parameter.ts";
import { Tensor } from "../tensor/tensor.ts";
import { inPlace, product, reshaped } from "./product.ts";
import { sumLine } from "./sums.ts";
import { add, mul } from "./binary.ts";
import { gelu } from "./unary.ts";

/** What follows a linear layer. */
export interface AffineOptions {
  /** GELU, in GPT-2's approximation, of what the layer gives. */
  activation?: "gelu";
  /** What is added to what that gives, of the same shape. */
  residual?: Tensor;
}

/**
 * `x weight^T + bias`: `[..., inputs]` and `[outputs, inputs]` give
 * `[..., outputs]`. PyTorch's layout of a linear layer.
 */
export function linear(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: AffineOptions = {},
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
  options: AffineOptions = {},
): Tensor {
  return affine({ op: "conv1d", x, weight, bias, transposed: false }, options);
}

interface Affine {
  readonly op: string;
  readonly x: Tensor;
  readonly weight: Tensor;
  readonly bias: Tensor | null;
  readonly residual?: Tensor;
  readonly transposed: boolean;
}

function inputsOf({ x, weight, bias, residual }: Affine): Tensor[] {
  return [x, weight, ...bias ? [bias] : [], ...residual ? [residual] : []];
}

function affine(
  layer: Affine,
  { activation, residual }: AffineOptions,
): Tensor {
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
  if (residual) {
    expectShape(`apply ${op} to [${x.shape}]`, "residual", residual, shape);
    const together = !activation && inputs > 0 && outputs % 4 === 0 &&
      residual.dtype === x.dtype;
    if (!together) return add(residual, affine(layer, { activation }));
  }
  const learning = recorded(inputsOf({ ...layer, residual }));
  const activated = activation === "gelu" && outputs % 4 === 0;
  const slope = activated
    ? Tensor.empty(x.device, [rows, outputs], x.dtype)
    : null;
  const flat = x.view([rows, inputs]);
  const y = reshaped(
    product(flat, stored(weight, x), {
      transposeB: transposed,
      bias,
      slope,
      residual,
      keep: !learning && weight instanceof Parameter,
    }),
    shape,
  );
  flat[Symbol.dispose]();
  if (slope === null) {
    const recordedY = recordAffine(y, { ...layer, residual }, rows);
    return activation === "gelu" ? gelu(recordedY) : recordedY;
  }
  if (learning) {
    return recordActivated(
      y,
      recordAffine(reshaped(slope, shape), layer, rows),
    );
  }
  slope[Symbol.dispose]();
  return y;
}

/** Says how a gradient passes back through `y = op(x) + bias + residual`. */
function recordAffine(y: Tensor, layer: Affine, rows: number): Tensor {
  const { op, x, weight, bias, residual, transposed } = layer;
  return record(y, op, inputsOf(layer), (dy, places, sole = []) => {
    const [intoX, intoWeight, intoBias] = places;
    const [outputs, inputs] = [y.shape.at(-1)!, x.shape.at(-1)!];
    const rowsOfY = dy.view([rows, outputs]);
    const rowsOfX = x.view([rows, inputs]);
    const inFours = inputs % 4 === 0;
    const dx = !x.needsGrad
      ? null
      : inPlace(intoX, x.shape, (into) =>
        product(rowsOfY, stored(weight, x), {
          transposeB: !transposed,
          into,
          dtype: x.dtype,
          times: inFours && sole[0] ? takeSlope(x) : null,
          soon: weight.needsGrad ? rowsOfX : null,
        }));
    const [left, right] = transposed ? [rowsOfY, rowsOfX] : [rowsOfX, rowsOfY];
    // The bias's gradient is the sum of the rows that `x` is multiplied by.
    const sums = !bias?.needsGrad ? null : intoBias ??
      { tensor: Tensor.empty(y.device, bias.shape), add: false };
    const together = !transposed && weight.needsGrad;
    const dweight = !weight.needsGrad
      ? null
      : inPlace(intoWeight, weight.shape, (into) =>
        product(left, right, {
          transposeA: true,
          into,
          dtype: "f32",
          sums: together ? sums : null,
        }));
    if (sums && !together) {
      sumLine(dy, { outer: 1, length: rows, inner: outputs }, { into: sums });
    }
    return [
      dx,
      dweight,
      ...bias ? [sums?.tensor ?? null] : [],
      ...residual ? [dy] : [],
    ];
  });
}

const ACTIVATED = "activated";

/**
 * Says how a gradient passes back through an activation, to the tensor that
 * stands for what it was applied to, and holds its derivative there.
 */
function recordActivated(y: Tensor, slope: Tensor): Tensor {
  return record(y, ACTIVATED, [slope], (dy) => [mul(dy, slope)]);
}

/**
 * The derivative that `y` was recorded with, if it was: the caller multiplies by
 * it what passes back through `y`, and is the only one to pass anything.
 */
function takeSlope(y: Tensor): Tensor | null {
  if (y.origin?.op !== ACTIVATED) return null;
  const { op, inputs } = y.origin;
  y.origin = { op, inputs, backward: (dy) => [dy] };
  return inputs[0];
}

/** The weights as a product with `x` reads them. */
function stored(weight: Tensor, x: Tensor): Tensor {
  return weight instanceof Parameter ? weight.as(x.dtype) : weight;
}
