import { record } from "../tensor/tape.ts";
import { expectDtype } from "../tensor/expect.ts";
import { Tensor } from "../tensor/tensor.ts";
import { rowBlock, RowKernel, rowReductions } from "./rows.ts";
import source from "../../kernels/cross_entropy.wgsl" with { type: "text" };

const kernel = new RowKernel("cross_entropy", source, rowReductions);

/** Which targets do not count. */
export interface CrossEntropyOptions {
  /** Rows with this target cost nothing; -100 unless said otherwise. */
  ignoreIndex?: number;
}

/**
 * The mean negative log-likelihood of `targets`, u32 or i32 `[...]`, under
 * `logits`, `[..., V]`, over the targets that are not ignored. NaN when all are,
 * or when one lies outside the vocabulary.
 */
export function crossEntropy(
  logits: Tensor,
  targets: Tensor,
  { ignoreIndex = -100 }: CrossEntropyOptions = {},
): Tensor {
  const { device } = logits;
  const cols = logits.shape.at(-1) ?? 0;
  const rows = cols === 0 ? 0 : logits.size / cols;
  if (rows === 0 || targets.size !== rows) {
    throw new RangeError(
      `Cannot score [${logits.shape}]: expected ${rows} targets, got [${targets.shape}]`,
    );
  }
  expectDtype("score", logits, "f32");
  if (targets.dtype === "f32") {
    throw new TypeError(
      `Cannot score against f32 targets [${targets.shape}]: expected u32 or i32`,
    );
  }
  const sizes = {
    rows,
    cols: cols / kernel.width(cols),
    ignored: ignoreIndex >>> 0,
  };
  const constants = { BLOCK: rowBlock(device) };
  const totals = Tensor.empty(device, [rows, 2]);
  const losses = Tensor.empty(device, [rows]);
  const loss = Tensor.empty(device, []);
  const counted = Tensor.empty(device, []);
  kernel.run("forward", cols, {
    args: { logits, targets, totals, losses, ...sizes },
    grid: { groups: rows },
    constants,
  });
  kernel.run("mean", cols, {
    args: { targets, losses, loss, counted, ...sizes },
    grid: { groups: 1 },
    constants,
  });

  return record(loss, "crossEntropy", [logits], (dloss) => {
    const dlogits = Tensor.empty(device, logits.shape);
    kernel.run("backward", cols, {
      args: { logits, targets, totals, counted, dloss, dlogits, ...sizes },
      grid: { groups: rows },
      constants,
    });
    return [dlogits];
  });
}
