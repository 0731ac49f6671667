import { resultOf } from "../tensor/result.ts";
import { isRecording } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { parameters } from "./parameters.ts";

/**
 * What `forward` makes of `x` with the parameters of `block`. Where no gradient
 * will pass back, because all of them are frozen and none is wanted of `x`,
 * nothing is kept of what was made on the way.
 */
export function through(
  block: object,
  x: Tensor,
  forward: (x: Tensor) => Tensor,
): Tensor {
  const kept = isRecording() && (x.needsGrad || isLearning(block));
  return kept ? forward(x) : resultOf(x.device, () => forward(x));
}

function isLearning(block: object): boolean {
  return [...parameters(block).values()].some(({ needsGrad }) => needsGrad);
}
