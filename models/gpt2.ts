/**
 * The full definition of GPT-2, all of it in this file.
 *
 * (Radford et al., 2019.) Fields are named as in Hugging Face's checkpoints, so
 * that a parameter's path is its published name. Shapes are written with B for
 * batch, T for time, C for channels, V for vocabulary.
 *
 * @module
 */

import { KeyValueCache } from "../lib/nn/cache.ts";
import { Conv1D, Embedding, type Init, LayerNorm } from "../lib/nn/layers.ts";
import { through } from "../lib/nn/through.ts";
import {
  add,
  attention,
  dropout,
  linear,
  linearCrossEntropy,
  slice,
  sub,
  to,
} from "../lib/ops/mod.ts";
import type { Random } from "../lib/random.ts";
import { recompute } from "../lib/tensor/recompute.ts";
import { Tensor } from "../lib/tensor/tensor.ts";
import { expectIds } from "./expect_ids.ts";
import { checkConfig, type GPT2Config } from "./gpt2_config.ts";
import type { LossPass, ModelOptions, Pass } from "./pass.ts";

/** A GPT-2: ids in, a score for every next token out. */
export class GPT2 {
  /** Its sizes. */
  readonly config: Readonly<Required<GPT2Config>>;
  readonly #options: ModelOptions;
  /** Token embeddings `[V, C]`, also the head. */
  readonly wte: Embedding;
  /** Position embeddings `[blockSize, C]`. */
  readonly wpe: Embedding;
  /** The blocks. */
  readonly h: readonly GPT2Block[];
  /** The last normalization. */
  readonly ln_f: LayerNorm;

  /** Draws the weights as GPT-2 did. Throws on a config that makes no sense. */
  constructor(init: Init, config: GPT2Config, options: ModelOptions = {}) {
    this.config = checkConfig(config);
    this.#options = options;
    const { vocabSize, blockSize, nLayer, nEmbd } = this.config;
    this.wte = new Embedding(init, vocabSize, nEmbd);
    this.wpe = new Embedding(init, blockSize, nEmbd);
    this.h = Array.from(
      { length: nLayer },
      () => new GPT2Block(init, this.config),
    );
    this.ln_f = new LayerNorm(init, nEmbd, normOptions(this.config));
  }

  /** Scores every next token: ids u32 `[B, T]` to logits `[B, T, V]`. */
  forward(ids: Tensor, pass: Pass = {}): Tensor {
    return this.head(this.hidden(ids, pass));
  }

  /** What the blocks make of ids `[B, T]`: `[B, T, C]`. */
  hidden(ids: Tensor, { random, cache, starts }: Pass = {}): Tensor {
    const { blockSize, dropout: rate } = this.config;
    const [, time] = ids.shape;
    const start = cache?.length ?? 0;
    const { dtype } = this.#options;
    expectIds(ids, blockSize, { cache, starts });
    const positions = starts
      ? this.wpe.forward(positionsFrom(starts)) // [B, T, C]
      : time === blockSize
      ? this.wpe.weight
      : slice(this.wpe.weight, 0, start, start + time); // [T, C]
    let x = add(this.wte.forward(ids, { dtype }), positions); // [B, T, C]
    if (random) x = dropout(x, rate, random);
    const again = cache ? "none" : this.#options.recompute;
    for (const [layer, block] of this.h.entries()) {
      const recomputes = again === "mlp";
      const pass = { layer, random, cache, starts, recomputes };
      const forward = (x: Tensor) => block.forward(x, pass);
      x = again === "block"
        ? recompute(x, forward, { random })
        : cache
        ? forward(x)
        : through(block, x, forward);
    }
    cache?.advance(time);
    return this.ln_f.forward(x);
  }

  /** Scores the next token from what the blocks made: `[..., C]` to `[..., V]`. */
  head(hidden: Tensor): Tensor {
    return to(linear(hidden, this.wte.weight), "f32"); // the embedding, tied
  }

  /** The mean loss of predicting `targets` from `ids`, both `[B, T]`. */
  loss(ids: Tensor, targets: Tensor, pass: LossPass = {}): Tensor {
    const { rows, statistics } = pass;
    const hidden = this.hidden(ids, pass);
    const options = { rows, statistics };
    return linearCrossEntropy(hidden, this.wte.weight, targets, options);
  }

  /** An empty cache for `batch` texts of at most `capacity` positions: a block. */
  cache(batch = 1, capacity = this.config.blockSize): KeyValueCache {
    const { nLayer, nHead, nEmbd } = this.config;
    return new KeyValueCache(this.wte.weight.device, {
      layers: nLayer,
      batch,
      heads: nHead,
      size: nEmbd / nHead,
      capacity,
      dtype: this.#options.dtype,
    });
  }
}

/** A pass as one block sees it. */
export interface BlockPass extends Pass {
  /** Which block it is, from 0. */
  readonly layer: number;
  /** Whether the MLP is computed again on the way back. */
  readonly recomputes?: boolean;
}

/** Attention, then an MLP, each added to the residual stream. */
export class GPT2Block {
  /** Before attention. */
  readonly ln_1: LayerNorm;
  /** Mixes positions. */
  readonly attn: GPT2Attention;
  /** Before the MLP. */
  readonly ln_2: LayerNorm;
  /** Works on each position. */
  readonly mlp: GPT2MLP;

  /** Draws the weights. */
  constructor(init: Init, config: Required<GPT2Config>) {
    this.ln_1 = new LayerNorm(init, config.nEmbd, normOptions(config));
    this.attn = new GPT2Attention(init, config);
    this.ln_2 = new LayerNorm(init, config.nEmbd, normOptions(config));
    this.mlp = new GPT2MLP(init, config);
  }

  /** `[B, T, C]` to the same shape. */
  forward(x: Tensor, pass: BlockPass): Tensor {
    const mix = (x: Tensor) => this.mlp.forward(this.ln_2.forward(x), pass, x);
    x = this.attn.forward(this.ln_1.forward(x), pass, x);
    return pass.recomputes ? recompute(x, mix, pass) : mix(x);
  }
}

/** The one layer that mixes information across time. */
export class GPT2Attention {
  readonly #heads: number;
  readonly #dropout: number;
  /** C to 3C: queries, keys and values. */
  readonly c_attn: Conv1D;
  /** C to C: what the heads found, mixed. */
  readonly c_proj: Conv1D;

  /** Draws the weights. */
  constructor(init: Init, config: Required<GPT2Config>) {
    const { nEmbd, nHead, bias } = config;
    this.#heads = nHead;
    this.#dropout = config.dropout;
    this.c_attn = new Conv1D(init, {
      inputs: nEmbd,
      outputs: 3 * nEmbd,
      bias,
    });
    this.c_proj = new Conv1D(init, {
      inputs: nEmbd,
      outputs: nEmbd,
      std: residualStd(config),
      bias,
    });
  }

  /** `[B, T, C]` to the same shape, on top of a residual stream `[B, T, C]`. */
  forward(
    x: Tensor,
    { layer, random, cache, starts }: BlockPass,
    residual: Tensor,
  ): Tensor {
    const qkv = this.c_attn.forward(x, { random }); // [B, T, 3C]
    const rate = this.#dropout;
    const mixed = cache
      ? cache.attend(layer, qkv)
      : attention(qkv, this.#heads, {
        starts,
        dropout: random && { rate, random },
      });
    return onto(residual, this.c_proj, mixed, { random, rate });
  }
}

/** Two linear layers around a GELU, at every position alike. */
export class GPT2MLP {
  readonly #dropout: number;
  /** C to 4C. */
  readonly c_fc: Conv1D;
  /** 4C back to C. */
  readonly c_proj: Conv1D;

  /** Draws the weights. */
  constructor(init: Init, config: Required<GPT2Config>) {
    const { nEmbd, bias } = config;
    this.#dropout = config.dropout;
    this.c_fc = new Conv1D(init, { inputs: nEmbd, outputs: 4 * nEmbd, bias });
    this.c_proj = new Conv1D(init, {
      inputs: 4 * nEmbd,
      outputs: nEmbd,
      std: residualStd(config),
      bias,
    });
  }

  /** `[B, T, C]` to the same shape, on top of a residual stream `[B, T, C]`. */
  forward(x: Tensor, { random }: Pass, residual: Tensor): Tensor {
    const wide = this.c_fc.forward(x, { activation: "gelu", random }); // [B, T, 4C]
    return onto(residual, this.c_proj, wide, { random, rate: this.#dropout });
  }
}

/** A residual stream, plus what a layer makes of `x` and dropout leaves of it. */
function onto(
  residual: Tensor,
  layer: Conv1D,
  x: Tensor,
  { random, rate }: { random?: Random; rate: number },
): Tensor {
  if (!random || rate === 0) return layer.forward(x, { random, residual });
  return add(residual, dropout(layer.forward(x, { random }), rate, random));
}

/** Each layer adds twice to the residual stream, so it starts that much smaller. */
function residualStd({ nLayer }: GPT2Config): number {
  return 0.02 / Math.sqrt(2 * nLayer);
}

/** The position of each token in its document, `[B, T]`. */
function positionsFrom(starts: Tensor): Tensor {
  const [, time] = starts.shape;
  return sub(Tensor.arange(starts.device, 0, time), starts);
}

function normOptions({ bias, layerNormEpsilon }: Required<GPT2Config>) {
  return { bias, eps: layerNormEpsilon };
}
