import { rmsNorm } from "../ops/rms_norm.ts";
import { Parameter } from "../tensor/parameter.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Init } from "./layers.ts";

/** Normalization by the root mean square, with a learned scale. */
export class RMSNorm {
  readonly #eps: number;
  /** `[channels]`, ones at the start. */
  readonly weight: Parameter;

  /** Normalizes rows of `channels`. */
  constructor({ device }: Init, channels: number, eps = 1e-6) {
    this.#eps = eps;
    this.weight = new Parameter(device, null, [channels]);
    this.weight.fill(1);
  }

  /** `[..., channels]` to the same shape. */
  forward(x: Tensor): Tensor {
    return rmsNorm(x, this.weight, this.#eps);
  }
}
