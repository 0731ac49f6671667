import { record } from "../tensor/tape.ts";
import { expectDtype, expectShape } from "../tensor/expect.ts";
import { Tensor } from "../tensor/tensor.ts";
import { sumLine } from "./reduce.ts";
import { rowBlock, RowKernel, rowReductions } from "./rows.ts";
import source from "../../kernels/layer_norm.wgsl" with { type: "text" };

const kernel = new RowKernel("layer_norm", source, rowReductions);
const ROWS_PER_PART = 64;

/**
 * Normalizes each row of the last axis to mean 0 and variance 1, then scales it
 * by `weight` and shifts it by `bias`, both as long as the row.
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
  expectDtype("normalize", x, "f32");
  expectShape(`normalize [${x.shape}]`, "weight", weight, [cols]);
  if (bias) expectShape(`normalize [${x.shape}]`, "bias", bias, [cols]);
  const parts = Math.max(1, Math.ceil(rows / ROWS_PER_PART));
  const sizes = { rows, cols: cols / kernel.width(cols), eps, parts };
  const constants = { BLOCK: rowBlock(device), BIAS: bias !== null };
  const grid = { groups: rows };
  const y = Tensor.empty(device, x.shape);
  const moments = Tensor.empty(device, [rows, 2]);
  kernel.run("forward", cols, {
    args: { x, weight, bias: bias ?? weight, y, moments, ...sizes },
    grid,
    constants,
  });

  const inputs = bias ? [x, weight, bias] : [x, weight];
  return record(y, "layerNorm", inputs, (dy) => {
    const dx = Tensor.empty(device, x.shape);
    kernel.run("backward_x", cols, {
      args: { x, weight, kept: moments, dy, dx, ...sizes },
      grid,
      constants,
    });
    if (!weight.needsGrad && !bias?.needsGrad) return [dx];
    const dweight = Tensor.empty(device, [parts, cols]);
    const dbias = Tensor.empty(device, bias ? [parts, cols] : [1]);
    kernel.run("backward_affine", cols, {
      args: { x, kept: moments, dy, dweight, dbias, ...sizes },
      grid: { threads: parts * sizes.cols },
      constants,
    });
    const line = { outer: 1, length: parts, inner: cols };
    const dw = sumLine(dweight, line).view([cols]);
    return bias ? [dx, dw, sumLine(dbias, line).view([cols])] : [dx, dw];
  });
}
