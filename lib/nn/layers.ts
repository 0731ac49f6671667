/**
 * The layers models are made of.
 *
 * A layer is any object with a `forward` method: there is no base class. Its
 * parameters are the {@linkcode Parameter}s among its fields.
 *
 * @module
 */

import type { Device } from "../gpu/device.ts";
import type { Random } from "../random.ts";
import { type AffineOptions, conv1d } from "../ops/linear.ts";
import { add } from "../ops/binary.ts";
import { gelu } from "../ops/unary.ts";
import { embedding, type EmbeddingOptions } from "../ops/embedding.ts";
import { layerNorm } from "../ops/layer_norm.ts";
import { Parameter } from "../tensor/parameter.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Adapted, Adapter } from "./adapter.ts";

/** Where and from what randomness to make parameters. */
export interface Init {
  /** Where they lie. */
  readonly device: Device;
  /** What they are drawn from; null leaves them zero, to be loaded. */
  readonly random: Random | null;
}

/** The shape of a linear layer, and how it starts. */
export interface LinearOptions {
  /** Length of the rows it takes. */
  readonly inputs: number;
  /** Length of the rows it gives. */
  readonly outputs: number;
  /** Standard deviation of the weights at the start. */
  readonly std?: number;
  /** Whether it shifts its output. */
  readonly bias?: boolean;
}

/** `y = x weight + bias`, the weight stored `[inputs, outputs]` as in GPT-2. */
export class Conv1D implements Adapted {
  /** `[inputs, outputs]`. */
  readonly weight: Parameter;
  /** `[outputs]`, if there is one. */
  readonly bias: Parameter | null;
  /** What changes its output, if anything does. */
  adapter: Adapter | null = null;

  /** Draws the weights from a normal distribution; the bias starts at zero. */
  constructor(
    { device, random }: Init,
    { inputs, outputs, std = 0.02, bias = true }: LinearOptions,
  ) {
    this.weight = Parameter.normal(device, [inputs, outputs], random, std);
    this.bias = bias ? new Parameter(device, null, [outputs]) : null;
  }

  /** `[..., inputs]` to `[..., outputs]`. */
  forward(
    x: Tensor,
    { random, ...options }: AffineOptions & { random?: Random } = {},
  ): Tensor {
    if (this.adapter === null) {
      return conv1d(x, this.weight, this.bias, options);
    }
    const { activation, residual } = options;
    const sum = this.adapter.forward(x, this, random);
    const y = activation ? gelu(sum) : sum;
    return residual ? add(residual, y) : y;
  }

  /** The same without its adapter. */
  base(x: Tensor): Tensor {
    return conv1d(x, this.weight, this.bias);
  }
}

/** A learned vector for each id. */
export class Embedding {
  /** `[rows, channels]`. */
  readonly weight: Parameter;

  /** Draws `rows` vectors from a normal distribution. */
  constructor(
    { device, random }: Init,
    rows: number,
    channels: number,
    std = 0.02,
  ) {
    this.weight = Parameter.normal(device, [rows, channels], random, std);
  }

  /** Ids `[...]` to vectors `[..., channels]`. */
  forward(ids: Tensor, options: EmbeddingOptions = {}): Tensor {
    return embedding(this.weight, ids, options);
  }
}

/** Layer normalization with a learned scale and shift. */
export class LayerNorm {
  readonly #eps: number;
  /** `[channels]`, ones at the start. */
  readonly weight: Parameter;
  /** `[channels]`, zeros at the start, if there is one. */
  readonly bias: Parameter | null;

  /** Normalizes rows of `channels`. */
  constructor(
    { device }: Init,
    channels: number,
    { bias = true, eps = 1e-5 }: { bias?: boolean; eps?: number } = {},
  ) {
    this.#eps = eps;
    this.weight = new Parameter(device, null, [channels]);
    this.weight.fill(1);
    this.bias = bias ? new Parameter(device, null, [channels]) : null;
  }

  /** `[..., channels]` to the same shape. */
  forward(x: Tensor): Tensor {
    return layerNorm(x, this.weight, this.bias, this.#eps);
  }
}
