/**
 * Activations computed twice instead of kept.
 *
 * @module
 */

import type { Random } from "../random.ts";
import { type Gradients, LEAF, passBack, recordedBefore } from "./chain.ts";
import { resultOf } from "./result.ts";
import { enableGrad } from "./tape.ts";
import type { GradientPlace, Tensor } from "./tensor.ts";

/** What {@linkcode recompute} may be told. */
export interface RecomputeOptions {
  /** What `body` draws from: it will draw the same again. */
  readonly random?: Random;
}

/**
 * `body(x)`, keeping nothing in between: on the way back, `body` runs again and
 * the gradient passes through that run. Gradients are those of `body(x)` itself,
 * bit for bit, for memory of one run at a time.
 *
 * `body` must come to the same each time: it may draw from `random` and use
 * parameters, but no other tensor that a gradient flows to.
 */
export function recompute(
  x: Tensor,
  body: (x: Tensor) => Tensor,
  { random }: RecomputeOptions = {},
): Tensor {
  const { device } = x;
  const start = random?.state;
  const run = () => {
    const leaf = x.view(x.shape);
    if (x.needsGrad) leaf.origin = LEAF;
    return { leaf, y: body(leaf) };
  };
  let needed = false;
  let inside: readonly Tensor[] = [];
  const y = resultOf(device, () => {
    const { y } = run();
    needed = y.needsGrad;
    inside = needed ? recordedBefore(y) : [];
    return y;
  });
  if (!needed) return y;
  const stranger = inside.find(({ released }) => !released);
  if (stranger !== undefined) {
    throw new Error(
      `Cannot recompute: the body keeps, or takes from outside, a tensor [${stranger.shape}] made by ${
        stranger.origin!.op
      }`,
    );
  }

  const backward = (dy: Tensor, [place]: readonly (GradientPlace | null)[]) => {
    const stop = random?.state;
    if (random) random.state = start!;
    const total = place?.add ? place.tensor : null;
    const dx = resultOf(device, () => {
      const { leaf, y } = enableGrad(run);
      const grads: Gradients = new Map([[y, dy.view(dy.shape)]]);
      // Alone, the gradient is added to in its place, as without recomputing.
      dy[Symbol.dispose]();
      if (total) grads.set(leaf, total);
      passBack(y, grads);
      return grads.get(leaf) ?? null;
    }, total);
    if (random) random.state = stop!;
    return [dx];
  };
  y.origin = { op: "recompute", inputs: [x], backward };
  return y;
}
