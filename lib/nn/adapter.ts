/**
 * What may be put on a linear layer to change what it gives.
 *
 * @module
 */

import type { Random } from "../random.ts";
import type { Parameter } from "../tensor/parameter.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** A linear layer as an adapter sees it. */
export interface Adapted {
  /** Its weight, in the layer's own layout. */
  readonly weight: Parameter;
  /** Its bias, if there is one. */
  readonly bias: Parameter | null;
  /** What it gives by itself: `[..., inputs]` to `[..., outputs]`. */
  base(x: Tensor): Tensor;
}

/**
 * What an adapted layer gives in place of its own output. Its parameters are
 * among those of the layer it is on.
 */
export interface Adapter {
  /**
   * `[..., inputs]` to `[..., outputs]`; in training, what it drops is drawn from
   * `random`.
   */
  forward(x: Tensor, layer: Adapted, random?: Random): Tensor;
}
