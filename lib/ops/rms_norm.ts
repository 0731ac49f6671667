import { record } from "../tensor/tape.ts";
import { expectFloat, expectShape } from "../tensor/expect.ts";
import { type GradientPlace, Tensor } from "../tensor/tensor.ts";
import { rowBlock, RowKernel, rowReductions } from "./rows.ts";
import source from "../../kernels/rms_norm.wgsl" with { type: "text" };

const kernel = new RowKernel("rms_norm", source, rowReductions);
const ROWS_PER_PART = 64;
const MOST_PARTS = 1024;

/**
 * Divides each row of the last axis by its root mean square, then scales it by
 * `weight`, f32 and as long as the row.
 */
export function rmsNorm(x: Tensor, weight: Tensor, eps = 1e-6): Tensor {
  const { device } = x;
  const cols = x.shape.at(-1) ?? 1;
  const rows = cols === 0 ? 0 : x.size / cols;
  expectFloat("normalize", x);
  expectShape(`normalize [${x.shape}]`, "weight", weight, [cols]);
  const sizes = { rows, cols: cols / kernel.width(cols), eps, parts: 0 };
  const constants = { BLOCK: rowBlock(device) };
  const stored = x.dtype;
  const y = Tensor.empty(device, x.shape, x.dtype);
  const rrms = Tensor.empty(device, [rows]);
  kernel.run("forward", cols, {
    args: { x, weight, y, rrms, ...sizes },
    grid: { groups: rows },
    constants,
    stored,
    passes: 2,
    work: { bytes: 2 * x.bytes },
    images: ["x", "weight"],
  });

  /** Partial sums over rows, in parts, then the sum of these. */
  const scale = (dy: Tensor, into: GradientPlace | null): Tensor => {
    const parts = Math.max(
      1,
      Math.min(MOST_PARTS, Math.ceil(rows / ROWS_PER_PART)),
    );
    using partial_weight = Tensor.empty(device, [parts, cols]);
    kernel.run("backward_weight", cols, {
      args: { x, kept: rrms, dy, partial_weight, ...sizes, parts },
      grid: { threads: parts * sizes.cols },
      constants,
      stored,
      trips: Math.ceil(rows / parts),
      work: { bytes: 2 * x.bytes },
      images: ["x", "dy", "kept"],
    });
    const dweight = into?.tensor ?? Tensor.empty(device, [cols]);
    kernel.run("sum_weight", cols, {
      args: { partial_weight, dweight, ...sizes, parts },
      grid: { threads: sizes.cols },
      constants: { ...constants, ADD: into?.add ?? false },
      trips: parts,
    });
    return dweight;
  };

  return record(y, "rmsNorm", [x, weight], (dy, [intoX, intoWeight]) => {
    const ADD = intoX?.add ?? false;
    const dx = intoX?.tensor ?? Tensor.empty(device, x.shape, x.dtype);
    kernel.run("backward_x", cols, {
      args: { x, weight, kept: rrms, dy, dx, ...sizes },
      grid: { groups: rows },
      constants: { ...constants, ADD },
      stored,
      passes: 2,
      work: { bytes: 3 * x.bytes },
      images: ["x", "weight", "dy", ...ADD ? ["dx"] : []],
    });
    return [dx, weight.needsGrad ? scale(dy, intoWeight) : null];
  });
}
