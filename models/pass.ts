/**
 * What all models may be told, and asked for.
 *
 * @module
 */

import type { KeyValueCache } from "../lib/nn/cache.ts";
import type { Random } from "../lib/random.ts";
import type { Tensor } from "../lib/tensor/tensor.ts";

/** What one pass through the model is for. */
export interface Pass {
  /** Training: dropout is drawn from it. Without it nothing is dropped. */
  readonly random?: Random;
  /** Generation: what was read before, to which this pass adds. */
  readonly cache?: KeyValueCache;
  /**
   * Where documents lie side by side: u32 `[B, T]`, the place in its row at which
   * that of each token begins. Without it, a row is one document.
   */
  readonly starts?: Tensor;
}

/** What a loss may be told besides. */
export interface LossPass extends Pass {
  /**
   * u32 `[n]`: which targets count, by their places in `[B, T]`, where the others
   * do not. Those cost no products with the head.
   */
  readonly rows?: Tensor;
  /**
   * f32 `[B T, 2]`, or `[n, 2]` of the rows named: filled with 1 where the most
   * likely token is the target and else 0, and the entropy of each prediction.
   */
  readonly statistics?: Tensor;
}

/** What training computes again on the way back rather than keep. */
export type Recomputed = "none" | "mlp" | "block";

/** How a model computes; what it computes is in its config. */
export interface ModelOptions {
  /** What it multiplies in: f32. The weights are f32 in any case. */
  readonly dtype?: "f32" | "f16";
  /** What is computed again, to save memory for time: none. */
  readonly recompute?: Recomputed;
}
