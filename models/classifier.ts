/**
 * A classifier: a language model that scores classes where it scored tokens.
 *
 * Fields are named as in Hugging Face's checkpoints, so that a parameter's path is
 * its published name. Shapes are written with B for batch, T for time, C for
 * channels, K for classes.
 *
 * @module
 */

import type { ClassBatch } from "../lib/data/class_examples.ts";
import type { Init } from "../lib/nn/layers.ts";
import { Linear } from "../lib/nn/linear.ts";
import {
  crossEntropy,
  embedding,
  matmul,
  reshape,
  to,
} from "../lib/ops/mod.ts";
import { Tensor } from "../lib/tensor/tensor.ts";
import {
  checkClassifierConfig,
  type ClassifierConfig,
} from "./classifier_config.ts";
import { GPT2 } from "./gpt2.ts";
import type { Llama } from "./llama.ts";
import { type Model, newModel } from "./model_types.ts";
import type { ModelOptions, Pass } from "./pass.ts";

/** Texts in, a score for every class out. */
export class Classifier {
  /** Its body, its labels and what it reads. */
  readonly config: Readonly<Required<ClassifierConfig>>;
  readonly #body: Model;
  /** The body, if it is a GPT-2. */
  readonly transformer?: GPT2;
  /** The body, if it is of the family of Llama: all but the head. */
  readonly model?: Llama["model"];
  /** C to K: the scores. */
  readonly score: Linear;

  /**
   * Puts a new score on a body, whose sizes the config need not repeat. A head
   * that is not the embedding has no more use: it is taken off the body, and its
   * memory given back. Throws on a config that makes no sense.
   */
  constructor(
    init: Init,
    body: Model,
    config: Omit<ClassifierConfig, "body"> & Partial<ClassifierConfig>,
  ) {
    this.config = checkClassifierConfig({ body: body.config, ...config });
    this.#body = body;
    if (body instanceof GPT2) this.transformer = body;
    else {
      this.model = body.model;
      body.lm_head?.weight[Symbol.dispose]();
      body.lm_head = null;
    }
    const outputs = this.config.labels.length;
    this.score = new Linear(init, { inputs: body.config.nEmbd, outputs });
  }

  /**
   * The scores of every class: `[B, K]`. What fills up rows has no influence.
   * Throws a `RangeError` on rows that are too long or empty.
   */
  forward(
    { inputs, lengths, shape: [rows, time] }: Omit<ClassBatch, "labels">,
    pass: Pass = {},
  ): Tensor {
    const { device } = this.score.weight;
    if (
      inputs.length !== rows * time || lengths.length !== rows ||
      lengths.some((length) => length < 1 || length > time)
    ) {
      throw new RangeError(
        `Cannot classify ${inputs.length} ids as [${rows}, ${time}] with lengths [${lengths}]: expected a length from 1 to ${time} for each row`,
      );
    }
    const ids = Tensor.from(device, inputs, [rows, time]);
    const states = this.#body.hidden(ids, pass); // [B, T, C]
    return this.score.forward(this.#read(states, lengths), pass); // [B, K]
  }

  /** The mean cross-entropy of the classes of a batch. */
  loss(batch: ClassBatch, pass: Pass = {}): Tensor {
    const { labels } = batch;
    const logits = this.forward(batch, pass); // [B, K]
    return crossEntropy(
      logits,
      Tensor.from(logits.device, labels, [labels.length]),
    );
  }

  /** The model below the score, which scores tokens no more. */
  get body(): Model {
    return this.#body;
  }

  /** What stands for each text, `[B, C]` in f32, of what stands for its tokens. */
  #read(states: Tensor, lengths: Uint32Array): Tensor {
    const [rows, time, channels] = states.shape;
    if (this.config.read === "mean") {
      const shares = new Float32Array(rows * time);
      lengths.forEach((length, row) =>
        shares.fill(1 / length, row * time, row * time + length)
      );
      const weights = Tensor.from(states.device, shares, [rows, 1, time]);
      const means = matmul(weights, to(states, "f32")); // [B, 1, C]
      return reshape(means, [rows, channels]);
    }
    const places = Uint32Array.from(
      lengths,
      (length, row) =>
        row * time + (this.config.read === "last" ? length - 1 : 0),
    );
    const all = reshape(to(states, "f32"), [rows * time, channels]);
    return embedding(all, Tensor.from(states.device, places, [rows]));
  }
}

/** A classifier of these sizes, its weights drawn, or zeros to be loaded. */
export function newClassifier(
  init: Init,
  config: ClassifierConfig,
  options: ModelOptions = {},
): Classifier {
  const headless = "intermediateSize" in config.body
    ? { ...config.body, tied: true }
    : config.body;
  return new Classifier(init, newModel(init, headless, options), config);
}
