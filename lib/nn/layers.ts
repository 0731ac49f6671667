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
import { conv1d } from "../ops/linear.ts";
import { embedding } from "../ops/embedding.ts";
import { layerNorm } from "../ops/layer_norm.ts";
import { Parameter, type Tensor } from "../tensor/tensor.ts";

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
export class Conv1D {
  /** `[inputs, outputs]`. */
  readonly weight: Parameter;
  /** `[outputs]`, if there is one. */
  readonly bias: Parameter | null;

  /** Draws the weights from a normal distribution; the bias starts at zero. */
  constructor(
    { device, random }: Init,
    { inputs, outputs, std = 0.02, bias = true }: LinearOptions,
  ) {
    const weight = draw(random, inputs * outputs, std);
    this.weight = new Parameter(device, weight, [inputs, outputs]);
    this.bias = bias
      ? new Parameter(device, new Float32Array(outputs), [outputs])
      : null;
  }

  /** `[..., inputs]` to `[..., outputs]`. */
  forward(x: Tensor): Tensor {
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
    const weight = draw(random, rows * channels, std);
    this.weight = new Parameter(device, weight, [rows, channels]);
  }

  /** Ids `[...]` to vectors `[..., channels]`. */
  forward(ids: Tensor): Tensor {
    return embedding(this.weight, ids);
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
    const ones = new Float32Array(channels).fill(1);
    this.weight = new Parameter(device, ones, [channels]);
    this.bias = bias
      ? new Parameter(device, new Float32Array(channels), [channels])
      : null;
  }

  /** `[..., channels]` to the same shape. */
  forward(x: Tensor): Tensor {
    return layerNorm(x, this.weight, this.bias, this.#eps);
  }
}

function draw(random: Random | null, count: number, std: number) {
  return random?.normal(count, std) ?? new Float32Array(count);
}
