import { record } from "../tensor/tape.ts";
import { expectFloat, expectShape } from "../tensor/expect.ts";
import { type GradientPlace, Tensor } from "../tensor/tensor.ts";
import { rowBlock, RowKernel, rowReductions } from "./rows.ts";
import source from "../../kernels/layer_norm.wgsl" with { type: "text" };

const kernel = new RowKernel("layer_norm", source, rowReductions);
const ROWS_PER_PART = 64;
const MOST_PARTS = 1024;

/**
 * Normalizes each row of the last axis to mean 0 and variance 1, then scales it
 * by `weight` and shifts it by `bias`, both f32 and as long as the row.
 */
export function layerNorm(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  eps = 1e-5,
): Tensor {
  const { device } = x;
  const cols = x.shape.at(-1) ?? 1;
  const rows = cols === 0 ? 0 : x.size / cols;
  expectFloat("normalize", x);
  expectShape(`normalize [${x.shape}]`, "weight", weight, [cols]);
  if (bias) expectShape(`normalize [${x.shape}]`, "bias", bias, [cols]);
  const sizes = { rows, cols: cols / kernel.width(cols), eps, parts: 0 };
  const BIAS = bias !== null;
  const how = {
    grid: { groups: rows },
    constants: { BLOCK: rowBlock(device), BIAS },
    stored: x.dtype,
  };
  const y = Tensor.empty(device, x.shape, x.dtype);
  const moments = Tensor.empty(device, [rows, 2]);
  kernel.run("forward", cols, {
    args: { x, weight, bias: bias ?? weight, y, moments, ...sizes },
    ...how,
    passes: 3,
  });

  /** Partial sums over rows, in parts, then the sums of these. */
  const affine = (
    dy: Tensor,
    intoWeight: GradientPlace | null,
    intoBias: GradientPlace | null,
  ): Tensor[] => {
    const parts = Math.max(
      1,
      Math.min(MOST_PARTS, Math.ceil(rows / ROWS_PER_PART)),
    );
    const shape = [parts, cols];
    using partial_weight = Tensor.empty(device, shape);
    using partial_bias = Tensor.empty(device, BIAS ? shape : [1]);
    const partial = { partial_weight, partial_bias, ...sizes, parts };
    kernel.run("backward_affine", cols, {
      args: { x, kept: moments, dy, ...partial },
      ...how,
      grid: { threads: parts * sizes.cols },
      trips: Math.ceil(rows / parts),
    });
    const dweight = intoWeight?.tensor ?? Tensor.empty(device, [cols]);
    const dbias = intoBias?.tensor ?? Tensor.empty(device, [BIAS ? cols : 1]);
    kernel.run("sum_affine", cols, {
      args: { ...partial, dweight, dbias },
      grid: { threads: sizes.cols },
      constants: {
        ...how.constants,
        ADD_WEIGHT: intoWeight?.add ?? false,
        ADD_BIAS: intoBias?.add ?? false,
      },
    });
    return BIAS ? [dweight, dbias] : [dweight];
  };

  const inputs = bias ? [x, weight, bias] : [x, weight];
  return record(y, "layerNorm", inputs, (dy, [intoX, intoWeight, intoBias]) => {
    const dx = intoX?.tensor ?? Tensor.empty(device, x.shape, x.dtype);
    kernel.run("backward_x", cols, {
      args: { x, weight, kept: moments, dy, dx, ...sizes },
      ...how,
      constants: { ...how.constants, ADD: intoX?.add ?? false },
      passes: 2,
    });
    const learned = weight.needsGrad || bias?.needsGrad;
    return learned ? [dx, ...affine(dy, intoWeight, intoBias ?? null)] : [dx];
  });
}
