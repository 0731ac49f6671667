/**
 * What all models may be told, and asked for.
 *
 * @module
 */

import type { KeyValueCache } from "../lib/nn/cache.ts";
import type { Random } from "../lib/random.ts";

/** What one pass through the model is for. */
export interface Pass {
  /** Training: dropout is drawn from it. Without it nothing is dropped. */
  readonly random?: Random;
  /** Generation: what was read before, to which this pass adds. */
  readonly cache?: KeyValueCache;
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
