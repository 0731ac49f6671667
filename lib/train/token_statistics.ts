/**
 * How well a model predicts the tokens that count, besides the loss.
 *
 * @module
 */

import { type Batch, IGNORE_INDEX } from "../data/batch.ts";
import type { Device } from "../gpu/device.ts";
import { add } from "../ops/binary.ts";
import { sum } from "../ops/reduce.ts";
import type { Random } from "../random.ts";
import { noGrad } from "../tensor/tape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { evaluate, type EvaluateOptions, type Evaluation } from "./evaluate.ts";
import { nextTokenLoss, type Objective, type Trainable } from "./train.ts";

/** What a model is told about a pass on which it measures. */
export interface MeasuredPass {
  /** Dropout is drawn from it. */
  readonly random?: Random;
  /** u32 `[B, T]`: where in its row the document of each token begins. */
  readonly starts?: Tensor;
  /** u32 `[n]`: the places of the targets that count. */
  readonly rows?: Tensor;
  /** f32 `[n, 2]`, or `[B T, 2]` without `rows`: filled by the model. */
  readonly statistics?: Tensor;
}

/** A model that says how well it predicts. */
export interface Measurable {
  /**
   * The mean loss of predicting `targets` from `ids`, both u32 `[B, T]`. Fills
   * `statistics` with 1 where the most likely token is the target, or else 0,
   * and with the entropy of each prediction in nats; zeros where none counts.
   */
  loss(ids: Tensor, targets: Tensor, pass?: MeasuredPass): Tensor;
}

/** How well tokens were predicted, by the names that users of trl know. */
export interface TokenMeasures {
  /** The share of tokens that were the most likely ones. */
  readonly meanTokenAccuracy: number;
  /** The mean entropy of the predictions, in nats. */
  readonly entropy: number;
}

/** What was measured and not yet read, to go on from; fit for JSON. */
export interface TokenSums {
  /** Tokens that were the most likely ones. */
  readonly right: number;
  /** The entropies of the predictions, added up. */
  readonly entropy: number;
  /** Targets counted. */
  readonly counted: number;
}

/**
 * A model that is trained or evaluated, and measured meanwhile. What it measures
 * gathers on the GPU until {@linkcode TokenStatistics.read}.
 */
export class TokenStatistics implements Trainable, Disposable {
  readonly #device: Device;
  readonly #model: Measurable;
  readonly #lossOf: Objective<Batch>;
  #sums: Tensor; // [2]
  #counted = 0;

  /** Nothing is measured yet. */
  constructor(device: Device, model: Measurable) {
    this.#device = device;
    this.#model = model;
    this.#lossOf = nextTokenLoss(device, this);
    this.#sums = Tensor.zeros(device, [2]).keep();
  }

  /** The loss of the model, which measures too. */
  loss(ids: Tensor, targets: Tensor, pass: MeasuredPass = {}): Tensor {
    const count = pass.rows?.size ?? targets.size;
    const statistics = Tensor.empty(this.#device, [count, 2]);
    const loss = this.#model.loss(ids, targets, { ...pass, statistics });
    const sums = noGrad(() => add(this.#sums, sum(statistics, { axis: 0 })));
    this.#sums[Symbol.dispose]();
    this.#sums = sums.keep();
    return loss;
  }

  /** What `train` makes smaller: {@linkcode TokenStatistics.loss}, and its targets are counted. */
  readonly objective: Objective<Batch> = (batch, pass) => {
    for (const target of batch.targets) {
      if (target !== IGNORE_INDEX) this.#counted++;
    }
    return this.#lossOf(batch, pass);
  };

  /**
   * The means over what was measured since this was last asked: over `tokens`, or
   * else the targets that `objective` counted. Waits for the GPU.
   */
  async read(tokens: number = this.#counted): Promise<TokenMeasures> {
    const sums = this.#sums;
    this.#sums = Tensor.zeros(this.#device, [2]).keep();
    this.#counted = 0;
    const [right, entropy] = await sums.read();
    sums[Symbol.dispose]();
    return { meanTokenAccuracy: right / tokens, entropy: entropy / tokens };
  }

  /** What has gathered since it was last read, and stays. Waits for the GPU. */
  async sums(): Promise<TokenSums> {
    const counted = this.#counted;
    const [right, entropy] = await this.#sums.read();
    return { right, entropy, counted };
  }

  /** Goes on from what had gathered, bit for bit. */
  resume({ right, entropy, counted }: TokenSums): void {
    this.#sums.write(Float32Array.of(right, entropy));
    this.#counted = counted;
  }

  /** Gives back the memory in which it gathers. */
  [Symbol.dispose](): void {
    this.#sums[Symbol.dispose]();
  }
}

/** What {@linkcode evaluateTokens} needs. */
export interface EvaluateTokensOptions extends Omit<EvaluateOptions, "model"> {
  /** What is evaluated. */
  readonly model: Measurable;
}

/** The loss of a model as {@linkcode evaluate} finds it, and how well it predicts. */
export async function evaluateTokens(
  { device, model, batches }: EvaluateTokensOptions,
): Promise<Evaluation & TokenMeasures> {
  using statistics = new TokenStatistics(device, model);
  const evaluation = await evaluate({ device, model: statistics, batches });
  return { ...evaluation, ...await statistics.read(evaluation.tokens) };
}
