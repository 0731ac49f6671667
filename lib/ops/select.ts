/**
 * Ops that choose among elements.
 *
 * @module
 */

import { axisOf, broadcast, count, sameShape } from "../tensor/shape.ts";
import { record } from "../tensor/tape.ts";
import { expectDtype } from "../tensor/expect.ts";
import { Tensor } from "../tensor/tensor.ts";
import { elementwise } from "./elementwise.ts";
import { expand, slice } from "./layout.ts";
import gatherSource from "../../kernels/gather.wgsl" with { type: "text" };
import whereSource from "../../kernels/where.wgsl" with { type: "text" };

const whereKernel = elementwise("where", whereSource);
const gatherKernel = elementwise("gather", gatherSource);
const PICKS_PER_RUN = 1 << 15; // software adapters bear loops of twice as many

/** `a` where `condition`, u32, is not 0, and `b` elsewhere; all broadcast. */
export function where(condition: Tensor, a: Tensor, b: Tensor): Tensor {
  expectDtype("choose by", condition, "u32");
  expectDtype("choose from", b, a.dtype);
  const shape = broadcast(broadcast(condition.shape, a.shape), b.shape);
  const [test, x, z] = [condition, a, b].map((tensor) =>
    sameShape(tensor.shape, shape) ? tensor : expand(tensor, shape)
  );
  const y = Tensor.empty(a.device, shape, a.dtype);
  const { size } = y;
  const grid = { threads: size };
  whereKernel.run("forward", {
    args: { condition: test, a: x, b: z, y, size },
    grid,
  });
  return record(y, "where", [x, z], (dy) => {
    const da = Tensor.empty(a.device, shape);
    const db = Tensor.empty(a.device, shape);
    const args = { condition: test, dy, da, db, size };
    whereKernel.run("backward", { args, grid });
    return [da, db];
  });
}

/** `value` where `mask`, u32, is not 0, and `x` elsewhere. */
export function maskedFill(x: Tensor, mask: Tensor, value: number): Tensor {
  return where(mask, Tensor.full(x.device, [], value, x.dtype), x);
}

/**
 * Picks elements along an axis: `y[..., p, ...] = x[..., index[..., p, ...], ...]`.
 * `index`, u32, has as many axes as `x` and is no longer than it along the
 * others. (As `torch.gather`.)
 */
export function gather(x: Tensor, axis: number, index: Tensor): Tensor {
  const along = axisOf(x.shape, axis);
  expectDtype("gather from", x, "f32");
  expectDtype("gather by", index, "u32");
  const fits = index.shape.length === x.shape.length &&
    index.shape.every((size, i) => i === along || size <= x.shape[i]);
  if (!fits) {
    throw new RangeError(
      `Cannot gather from [${x.shape}] by [${index.shape}]: the index must have as many axes and be no longer except along axis ${along}`,
    );
  }
  index.shape.forEach((size, i) => {
    if (i !== along && size < x.shape[i]) x = slice(x, i, 0, size);
  });
  return pick(x, along, index);
}

/** Gathers by an index whose shape differs along the one axis alone. */
function pick(x: Tensor, along: number, index: Tensor): Tensor {
  const line = {
    outer: count(x.shape.slice(0, along)),
    length: x.shape[along],
    picks: index.shape[along],
    inner: count(x.shape.slice(along + 1)),
  };
  const y = Tensor.empty(x.device, index.shape);
  gatherKernel.run("forward", {
    args: { x, index, y, ...line, first: 0, end: line.picks },
    grid: { threads: y.size },
  });
  return record(y, "gather", [x], (dy) => {
    const dx = Tensor.zeros(x.device, x.shape);
    for (let first = 0; first < line.picks; first += PICKS_PER_RUN) {
      const end = Math.min(first + PICKS_PER_RUN, line.picks);
      gatherKernel.run("backward", {
        args: { index, dy, dx, ...line, first, end },
        grid: { threads: line.outer * line.inner },
        trips: end - first,
      });
    }
    return [dx];
  });
}
