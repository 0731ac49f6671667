/**
 * The chain rule.
 *
 * @module
 */

import { passBack } from "./chain.ts";
import { Tensor } from "./tensor.ts";

/**
 * Adds the gradient of `loss` to the `grad` of every parameter it came from.
 *
 * The loss is one number, multiplied by `scale` first: `1 / n` averages over `n`
 * calls that accumulate. A scale that lies on the GPU, a tensor of one f32, is
 * never read by the host. This consumes the graph: a tensor and its gradient
 * return to the pool as soon as the chain rule has passed them, except those
 * that were kept. The loss itself remains readable.
 */
export function backward(loss: Tensor, scale: number | Tensor = 1): void {
  if (loss.size !== 1) {
    throw new RangeError(
      `Cannot go backward from [${loss.shape}]: the loss must be one number`,
    );
  }
  if (!loss.needsGrad) {
    throw new Error(
      `Cannot go backward from [${loss.shape}]: no parameter led to it, or backward has passed it already`,
    );
  }
  const seed = typeof scale === "number"
    ? Tensor.full(loss.device, loss.shape, scale)
    : scale.view(loss.shape);
  passBack(loss, new Map([[loss, seed]]));
}
