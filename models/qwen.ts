/**
 * What Qwen2.5 and Qwen3 do otherwise than Llama: attention.
 *
 * @module
 */

import type { Init } from "../lib/nn/layers.ts";
import { RMSNorm } from "../lib/nn/rms_norm.ts";
import { reshape } from "../lib/ops/mod.ts";
import type { Tensor } from "../lib/tensor/tensor.ts";
import type { ModelOptions, Pass } from "./pass.ts";
import { Llama, LlamaAttention } from "./llama.ts";
import type { LlamaConfig } from "./llama_config.ts";

/** A Qwen2 or Qwen2.5: queries, keys and values have biases. */
export class Qwen2 extends Llama {
  /** Draws the weights. Throws on a config that makes no sense. */
  constructor(init: Init, config: LlamaConfig, options: ModelOptions = {}) {
    super(
      init,
      { ...config, modelType: "qwen2" },
      options,
      (init, config) => new LlamaAttention(init, config, true),
    );
  }
}

/** A Qwen3: queries and keys are normalized head by head. */
export class Qwen3 extends Llama {
  /** Draws the weights. Throws on a config that makes no sense. */
  constructor(init: Init, config: LlamaConfig, options: ModelOptions = {}) {
    super(
      init,
      { ...config, modelType: "qwen3" },
      options,
      (init, config) => new Qwen3Attention(init, config),
    );
  }
}

/** Attention whose scores cannot grow with the weights that make them. */
export class Qwen3Attention extends LlamaAttention {
  readonly #size: number;
  /** Normalizes each head of the queries, D channels. */
  readonly q_norm: RMSNorm;
  /** Normalizes each head of the keys. */
  readonly k_norm: RMSNorm;

  /** Draws the weights. */
  constructor(init: Init, config: Required<LlamaConfig>) {
    super(init, config);
    const { headSize, rmsNormEpsilon } = config;
    this.#size = headSize;
    this.q_norm = new RMSNorm(init, headSize, rmsNormEpsilon);
    this.k_norm = new RMSNorm(init, headSize, rmsNormEpsilon);
  }

  /** The queries, each head of length about the square root of D. */
  protected override queries(x: Tensor, pass: Pass): Tensor {
    return this.#byHead(super.queries(x, pass), this.q_norm);
  }

  /** The keys, likewise. */
  protected override keys(x: Tensor, pass: Pass): Tensor {
    return this.#byHead(super.keys(x, pass), this.k_norm);
  }

  #byHead(x: Tensor, norm: RMSNorm): Tensor {
    const heads = reshape(x, [...x.shape.slice(0, -1), -1, this.#size]);
    return reshape(norm.forward(heads), x.shape);
  }
}
