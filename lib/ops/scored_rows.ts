/**
 * The rows of hidden states that a loss counts.
 *
 * @module
 */

import { expectDtype } from "../tensor/expect.ts";
import { record } from "../tensor/tape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { elementwise, storedAs } from "./elementwise.ts";
import { rowSlices } from "./rows.ts";
import source from "../../kernels/scored_rows.wgsl" with { type: "text" };
import vectorSource from "../../kernels/shared/vector.wgsl" with {
  type: "text",
};

const kernel = elementwise("scored_rows", source, vectorSource);

/** Throws unless `rows` is u32 `[n]`, at least one. */
export function expectRows(rows: Tensor): void {
  expectDtype("score rows by", rows, "u32");
  if (rows.shape.length !== 1 || rows.size === 0) {
    throw new RangeError(
      `Cannot score the rows that [${rows.shape}] names: expected [n], n from 1`,
    );
  }
}

/**
 * The rows of states `[..., C]` that `rows` names, u32 `[n]`, each but once:
 * `[n, C]`, C a multiple of four. One that is not there gives zeros.
 */
export function pickRows(states: Tensor, rows: Tensor): Tensor {
  const { device, dtype, size } = states;
  const depth = states.shape.at(-1)!;
  const wide = depth / 4;
  const total = size / depth;
  const picked = rows.size;
  const sizes = { picked, total, wide, ignored: 0 };
  const how = {
    grid: { threads: picked * wide },
    types: storedAs(dtype),
  };
  const y = Tensor.empty(device, [picked, depth], dtype);
  using all = states.view([total, depth]);
  for (const { first: base, tensor: x } of rowSlices(all)) {
    const args = { rows, x, y, ...sizes, some: x.shape[0], base };
    kernel.run("pick", { args, ...how });
  }

  return record(y, "pickRows", [states], (dy, [into]) => {
    const dstates = into?.tensor ?? Tensor.empty(device, states.shape, dtype);
    const ADD = into?.add ?? false;
    using all = dstates.view([total, depth]);
    for (const { first: base, tensor: y } of rowSlices(all)) {
      if (!ADD) y.fill(0);
      const args = { rows, x: dy, y, ...sizes, some: y.shape[0], base };
      kernel.run("put", { args, ...how, constants: { ADD } });
    }
    return [dstates];
  });
}

/** Their targets `[n]`; `ignored` for one that is not there. */
export function pickTargets(
  targets: Tensor,
  rows: Tensor,
  ignored: number,
): Tensor {
  const goals = Tensor.empty(targets.device, rows.shape, targets.dtype);
  const sizes = { picked: rows.size, total: targets.size, ignored };
  kernel.run("pick_targets", {
    args: { rows, targets, goals, ...sizes, some: 0, base: 0, wide: 0 },
    grid: { threads: rows.size },
  });
  return goals;
}
