import { add } from "../ops/binary.ts";
import { linear } from "../ops/linear.ts";
import type { Random } from "../random.ts";
import { Parameter } from "../tensor/parameter.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Adapted, Adapter } from "./adapter.ts";
import type { Init, LinearOptions } from "./layers.ts";

/** `y = x weight^T + bias`, the weight stored `[outputs, inputs]` as in PyTorch. */
export class Linear implements Adapted {
  /** `[outputs, inputs]`. */
  readonly weight: Parameter;
  /** `[outputs]`, if there is one. */
  readonly bias: Parameter | null;
  /** What changes its output, if anything does. */
  adapter: Adapter | null = null;

  /** Draws the weights from a normal distribution; the bias starts at zero. */
  constructor(
    { device, random }: Init,
    { inputs, outputs, std = 0.02, bias = false }: LinearOptions,
  ) {
    this.weight = Parameter.normal(device, [outputs, inputs], random, std);
    this.bias = bias ? new Parameter(device, null, [outputs]) : null;
  }

  /** `[..., inputs]` to `[..., outputs]`. */
  forward(
    x: Tensor,
    { random, residual }: { random?: Random; residual?: Tensor } = {},
  ): Tensor {
    if (this.adapter === null) {
      return linear(x, this.weight, this.bias, { residual });
    }
    const y = this.adapter.forward(x, this, random);
    return residual ? add(residual, y) : y;
  }

  /** The same without its adapter. */
  base(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }
}
