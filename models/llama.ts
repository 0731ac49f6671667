/**
 * The full definition of Llama, all of it in this file.
 *
 * (Touvron et al., 2023.) Llama 2 and 3, TinyLlama, SmolLM2 and Mistral differ
 * in nothing but their config. Fields are named as in Hugging Face's
 * checkpoints, so that a parameter's path is its published name. Shapes are
 * written with B for batch, T for time, C for channels, H for heads of queries,
 * KV for heads of keys and values, D for channels of a head, V for vocabulary.
 *
 * @module
 */

import { KeyValueCache } from "../lib/nn/cache.ts";
import { Embedding, type Init } from "../lib/nn/layers.ts";
import { Linear } from "../lib/nn/linear.ts";
import { RMSNorm } from "../lib/nn/rms_norm.ts";
import { Rotary } from "../lib/nn/rotary.ts";
import { through } from "../lib/nn/through.ts";
import {
  attention,
  linear,
  linearCrossEntropy,
  swiglu,
  to,
} from "../lib/ops/mod.ts";
import type { Parameter } from "../lib/tensor/parameter.ts";
import { recompute } from "../lib/tensor/recompute.ts";
import type { Tensor } from "../lib/tensor/tensor.ts";
import { expectIds } from "./expect_ids.ts";
import { checkLlamaConfig, type LlamaConfig } from "./llama_config.ts";
import type { LossPass, ModelOptions, Pass } from "./pass.ts";

/** Makes the attention of a block: what the members of the family differ in. */
export type MakeAttention = (
  init: Init,
  config: Required<LlamaConfig>,
) => LlamaAttention;

/** A Llama: ids in, a score for every next token out. */
export class Llama {
  /** Its sizes. */
  readonly config: Readonly<Required<LlamaConfig>>;
  readonly #options: ModelOptions;
  readonly #rotary: Rotary;
  /** All but the head. */
  readonly model: {
    /** Token embeddings `[V, C]`, also the head if they are tied. */
    readonly embed_tokens: Embedding;
    /** The blocks. */
    readonly layers: readonly LlamaBlock[];
    /** The last normalization. */
    readonly norm: RMSNorm;
  };
  /** The head, unless it is the embedding, or a classifier took its place. */
  lm_head: Linear | null;

  /** Draws the weights. Throws on a config that makes no sense. */
  constructor(
    init: Init,
    config: LlamaConfig,
    options: ModelOptions = {},
    makeAttention: MakeAttention = (...given) => new LlamaAttention(...given),
  ) {
    this.config = checkLlamaConfig(config);
    this.#options = options;
    const { vocabSize, nLayer, nEmbd, rmsNormEpsilon, tied } = this.config;
    this.#rotary = new Rotary({
      size: this.config.headSize,
      positions: this.config.blockSize,
      theta: this.config.ropeTheta,
      scaling: this.config.ropeScaling,
    });
    this.model = {
      embed_tokens: new Embedding(init, vocabSize, nEmbd),
      layers: Array.from(
        { length: nLayer },
        () => new LlamaBlock(init, this.config, makeAttention),
      ),
      norm: new RMSNorm(init, nEmbd, rmsNormEpsilon),
    };
    this.lm_head = tied
      ? null
      : new Linear(init, { inputs: nEmbd, outputs: vocabSize });
  }

  /** Scores every next token: ids u32 `[B, T]` to logits `[B, T, V]`. */
  forward(ids: Tensor, pass: Pass = {}): Tensor {
    return this.head(this.hidden(ids, pass));
  }

  /** What the blocks make of ids `[B, T]`: `[B, T, C]`. */
  hidden(ids: Tensor, { random, cache, starts }: Pass = {}): Tensor {
    const { blockSize } = this.config;
    const [, time] = ids.shape;
    expectIds(ids, blockSize, { cache, starts });
    const { dtype } = this.#options;
    let x = this.model.embed_tokens.forward(ids, { dtype }); // [B, T, C]
    const again = cache ? "none" : this.#options.recompute;
    for (const [layer, block] of this.model.layers.entries()) {
      const recomputes = again === "mlp";
      const pass = {
        ...{ layer, random, cache, starts, recomputes },
        rotary: this.#rotary,
      };
      const forward = (x: Tensor) => block.forward(x, pass);
      x = again === "block"
        ? recompute(x, forward, { random })
        : cache
        ? forward(x)
        : through(block, x, forward);
    }
    cache?.advance(time);
    return this.model.norm.forward(x);
  }

  /** Scores the next token from what the blocks made: `[..., C]` to `[..., V]`. */
  head(hidden: Tensor): Tensor {
    return to(linear(hidden, this.#head), "f32");
  }

  /** The mean loss of predicting `targets` from `ids`, both `[B, T]`. */
  loss(ids: Tensor, targets: Tensor, pass: LossPass = {}): Tensor {
    const { rows, statistics } = pass;
    const hidden = this.hidden(ids, pass);
    const options = { rows, statistics };
    return linearCrossEntropy(hidden, this.#head, targets, options);
  }

  /** An empty cache for `batch` texts of at most `capacity` positions: a block. */
  cache(batch = 1, capacity = this.config.blockSize): KeyValueCache {
    const { nLayer, nHead, nKeyValueHead, headSize } = this.config;
    return new KeyValueCache(this.#head.device, {
      layers: nLayer,
      batch,
      heads: nHead,
      keyValueHeads: nKeyValueHead,
      size: headSize,
      capacity,
      dtype: this.#options.dtype,
    });
  }

  get #head(): Parameter {
    return (this.lm_head ?? this.model.embed_tokens).weight;
  }
}

/** A pass as one block sees it. */
export interface LlamaPass extends Pass {
  /** Which block it is, from 0. */
  readonly layer: number;
  /** Turns queries and keys by their positions. */
  readonly rotary: Rotary;
  /** Whether the MLP is computed again on the way back. */
  readonly recomputes?: boolean;
}

/** Attention, then an MLP, each added to the residual stream. */
export class LlamaBlock {
  /** Mixes positions. */
  readonly self_attn: LlamaAttention;
  /** Works on each position. */
  readonly mlp: LlamaMLP;
  /** Before attention. */
  readonly input_layernorm: RMSNorm;
  /** Before the MLP. */
  readonly post_attention_layernorm: RMSNorm;

  /** Draws the weights. */
  constructor(
    init: Init,
    config: Required<LlamaConfig>,
    makeAttention: MakeAttention,
  ) {
    const { nEmbd, rmsNormEpsilon: eps } = config;
    this.self_attn = makeAttention(init, config);
    this.mlp = new LlamaMLP(init, config);
    this.input_layernorm = new RMSNorm(init, nEmbd, eps);
    this.post_attention_layernorm = new RMSNorm(init, nEmbd, eps);
  }

  /** `[B, T, C]` to the same shape. */
  forward(x: Tensor, pass: LlamaPass): Tensor {
    const mix = (x: Tensor) =>
      this.mlp.forward(this.post_attention_layernorm.forward(x), pass, x);
    x = this.self_attn.forward(this.input_layernorm.forward(x), pass, x);
    return pass.recomputes ? recompute(x, mix, pass) : mix(x);
  }
}

/** The one layer that mixes information across time. */
export class LlamaAttention {
  /** The sizes of the model. */
  readonly #config: Required<LlamaConfig>;
  /** C to H D: queries. */
  readonly q_proj: Linear;
  /** C to KV D: keys. */
  readonly k_proj: Linear;
  /** C to KV D: values. */
  readonly v_proj: Linear;
  /** H D to C: what the heads found, mixed. */
  readonly o_proj: Linear;

  /** Draws the weights; queries, keys and values are shifted if `bias`. */
  constructor(init: Init, config: Required<LlamaConfig>, bias = false) {
    const { nEmbd, nHead, nKeyValueHead, headSize } = config;
    const layer = (heads: number) =>
      new Linear(init, { inputs: nEmbd, outputs: heads * headSize, bias });
    this.#config = config;
    this.q_proj = layer(nHead);
    this.k_proj = layer(nKeyValueHead);
    this.v_proj = layer(nKeyValueHead);
    this.o_proj = new Linear(init, {
      inputs: nHead * headSize,
      outputs: nEmbd,
    });
  }

  /** `[B, T, C]` to the same shape, on top of a residual stream `[B, T, C]`. */
  forward(
    x: Tensor,
    { layer, rotary, random, cache, starts }: LlamaPass,
    residual: Tensor,
  ): Tensor {
    const { nHead: heads, nKeyValueHead: keyValueHeads } = this.#config;
    const q = this.queries(x, { random }); // [B, T, H D]
    const k = this.keys(x, { random }); // [B, T, KV D]
    const v = this.v_proj.forward(x, { random }); // [B, T, KV D]
    const at = { start: cache?.length, starts };
    const qkv = rotary.forward(q, k, v, at); // [B, T, (H + 2 KV) D]
    const mixed = cache
      ? cache.attend(layer, qkv)
      : attention(qkv, heads, { keyValueHeads, starts }); // [B, T, H D]
    return this.o_proj.forward(mixed, { random, residual });
  }

  /** The queries before they are turned. */
  protected queries(x: Tensor, pass: Pass): Tensor {
    return this.q_proj.forward(x, pass);
  }

  /** The keys before they are turned. */
  protected keys(x: Tensor, pass: Pass): Tensor {
    return this.k_proj.forward(x, pass);
  }
}

/** Two linear layers side by side, one the gate of the other, and one back. */
export class LlamaMLP {
  /** C to the inner size: what opens the gate. */
  readonly gate_proj: Linear;
  /** C to the inner size: what passes it. */
  readonly up_proj: Linear;
  /** The inner size back to C. */
  readonly down_proj: Linear;

  /** Draws the weights. */
  constructor(
    init: Init,
    { nEmbd: inputs, intermediateSize: outputs }: Required<LlamaConfig>,
  ) {
    this.gate_proj = new Linear(init, { inputs, outputs });
    this.up_proj = new Linear(init, { inputs, outputs });
    this.down_proj = new Linear(init, { inputs: outputs, outputs: inputs });
  }

  /** `[B, T, C]` to the same shape, on top of a residual stream `[B, T, C]`. */
  forward(x: Tensor, { random }: Pass, residual: Tensor): Tensor {
    const gate = this.gate_proj.forward(x, { random });
    const up = this.up_proj.forward(x, { random });
    return this.down_proj.forward(swiglu(gate, up), { random, residual });
  }
}
