import { linear } from "../ops/linear.ts";
import { Parameter } from "../tensor/parameter.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Init, LinearOptions } from "./layers.ts";

/** `y = x weight^T + bias`, the weight stored `[outputs, inputs]` as in PyTorch. */
export class Linear {
  /** `[outputs, inputs]`. */
  readonly weight: Parameter;
  /** `[outputs]`, if there is one. */
  readonly bias: Parameter | null;

  /** Draws the weights from a normal distribution; the bias starts at zero. */
  constructor(
    { device, random }: Init,
    { inputs, outputs, std = 0.02, bias = false }: LinearOptions,
  ) {
    const weight = random?.normal(inputs * outputs, std) ?? null;
    this.weight = new Parameter(device, weight, [outputs, inputs]);
    this.bias = bias ? new Parameter(device, null, [outputs]) : null;
  }

  /** `[..., inputs]` to `[..., outputs]`. */
  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }
}
