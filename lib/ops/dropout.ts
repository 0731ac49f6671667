import type { Random } from "../random.ts";
import { record } from "../tensor/tape.ts";
import { expectFloat } from "../tensor/expect.ts";
import { Tensor } from "../tensor/tensor.ts";
import { elementwise, storedAs, vectorsOf } from "./elementwise.ts";
import randomSource from "../../kernels/shared/random.wgsl" with {
  type: "text",
};
import source from "../../kernels/dropout.wgsl" with { type: "text" };

const kernel = elementwise("dropout", source, randomSource);

/**
 * Zeroes each element with probability `rate`, in [0, 1), and scales the others
 * by `1 / (1 - rate)`. The mask follows from `random` and is drawn again, not
 * stored, for the gradient.
 */
export function dropout(x: Tensor, rate: number, random: Random): Tensor {
  checkRate(rate);
  if (rate === 0) return x;
  expectFloat("drop out of", x);
  const drop = { rate, ...seedFrom(random), vectors: vectorsOf(x) };
  const apply = (x: Tensor) => {
    const y = Tensor.empty(x.device, x.shape, x.dtype);
    const grid = { threads: drop.vectors };
    const types = storedAs(x.dtype);
    const args = { x, y, ...drop };
    kernel.run("apply", { args, grid, types, images: ["x"] });
    return y;
  };
  return record(apply(x), "dropout", [x], (dy) => [apply(dy)]);
}

/** Throws a `RangeError` unless a dropout rate lies in [0, 1). */
export function checkRate(rate: number): void {
  if (!(rate >= 0 && rate < 1)) {
    throw new RangeError(
      `Cannot drop out at rate ${rate}: expected at least 0 and below 1`,
    );
  }
}

/** The two words that seed the masks of one run. */
export function seedFrom(random: Random): { seed_x: number; seed_y: number } {
  return { seed_x: random.bits(), seed_y: random.bits() };
}
