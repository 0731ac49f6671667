import { record } from "../tensor/tape.ts";
import { expectFloat } from "../tensor/expect.ts";
import { Tensor } from "../tensor/tensor.ts";
import {
  longRowBlock,
  longRowReductions,
  rowBlock,
  RowKernel,
  rowReductions,
} from "./rows.ts";
import source from "../../kernels/cross_entropy.wgsl" with { type: "text" };

const [kernel, longKernel] = [rowReductions, longRowReductions].map(
  (reductions) => new RowKernel("cross_entropy", source, reductions),
);

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
  const rows = rowsScored(logits, targets);
  const sizes = {
    rows,
    cols: cols / kernel.width(cols),
    ignored: ignoreIndex >>> 0,
  };
  const how = {
    grid: { groups: rows },
    constants: { BLOCK: rowBlock(device) },
    stored: logits.dtype,
    passes: 1,
    images: ["logits"],
  };
  const totals = Tensor.empty(device, [rows, 2]);
  using losses = Tensor.empty(device, [rows]);
  kernel.run("forward", cols, {
    args: { logits, targets, totals, losses, ...sizes },
    ...how,
  });
  const { loss, counted } = meanLoss(losses, targets, sizes.ignored);

  return record(loss, "crossEntropy", [logits], (dloss) => {
    const dlogits = Tensor.empty(device, logits.shape, logits.dtype);
    kernel.run("backward", cols, {
      args: { logits, targets, totals, counted, dloss, dlogits, ...sizes },
      ...how,
    });
    return [dlogits];
  });
}

/** The mean of the losses whose target is not ignored, and how many they are. */
export function meanLoss(
  losses: Tensor,
  targets: Tensor,
  ignored: number,
): { loss: Tensor; counted: Tensor } {
  const { device, size: rows } = losses;
  const long = longRowBlock(device, rows);
  const BLOCK = long ?? rowBlock(device);
  const loss = Tensor.empty(device, []);
  const counted = Tensor.empty(device, []);
  (long ? longKernel : kernel).run("mean", 4, { // whatever the rows hold: one pipeline for all
    args: { targets, losses, loss, counted, rows, cols: 0, ignored },
    grid: { groups: 1 },
    constants: { BLOCK },
    trips: Math.ceil(rows / BLOCK),
  });
  return { loss, counted };
}

/** How many rows `targets` score, checked against what they score. */
export function rowsScored(scored: Tensor, targets: Tensor): number {
  const cols = scored.shape.at(-1) ?? 0;
  const rows = cols === 0 ? 0 : scored.size / cols;
  if (rows === 0 || targets.size !== rows) {
    throw new RangeError(
      `Cannot score [${scored.shape}]: expected ${rows} targets, got [${targets.shape}]`,
    );
  }
  expectFloat("score", scored);
  if (targets.dtype !== "u32" && targets.dtype !== "i32") {
    throw new TypeError(
      `Cannot score against ${targets.dtype} targets [${targets.shape}]: expected u32 or i32`,
    );
  }
  return rows;
}
