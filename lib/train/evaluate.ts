/**
 * The loss of a model on text it does not learn from.
 *
 * @module
 */

import { type Batch, IGNORE_INDEX } from "../data/batch.ts";
import type { Device } from "../gpu/device.ts";
import { noGrad } from "../tensor/tape.ts";
import { readAll, type Tensor } from "../tensor/tensor.ts";
import { nextTokenLoss, type Trainable } from "./train.ts";

/** What evaluation needs. */
export interface EvaluateOptions {
  /** Where it runs. */
  readonly device: Device;
  /** What is evaluated. */
  readonly model: Trainable;
  /** What it is evaluated on; targets may be ignored. */
  readonly batches: Iterable<Batch>;
}

/** What evaluation found. */
export interface Evaluation {
  /** Nats per token. */
  readonly loss: number;
  /** `e` to the loss. */
  readonly perplexity: number;
  /** Targets that counted. */
  readonly tokens: number;
}

/** Batches queued between two reads of their losses. */
const PER_READ = 64;

/** The mean loss over every target of the batches that is not ignored. */
export async function evaluate(
  { device, model, batches }: EvaluateOptions,
): Promise<Evaluation> {
  const lossOf = nextTokenLoss(device, model);
  let sum = 0;
  let tokens = 0;
  let queued: { loss: Tensor; counted: number }[] = [];
  const settle = async () => {
    const losses = await readAll(queued.map(({ loss }) => loss));
    queued.forEach(({ loss, counted }, i) => {
      sum += losses[i][0] * counted;
      tokens += counted;
      loss[Symbol.dispose]();
    });
    queued = [];
  };
  for (const batch of batches) {
    const counted = batch.targets.reduce(
      (count, target) => count + (target === IGNORE_INDEX ? 0 : 1),
      0,
    );
    if (counted === 0) continue;
    queued.push({ loss: queueLoss(device, () => lossOf(batch, {})), counted });
    if (queued.length === PER_READ) await settle();
  }
  await settle();
  if (tokens === 0) {
    throw new RangeError("Cannot evaluate: there are no targets");
  }
  const loss = sum / tokens;
  return { loss, perplexity: Math.exp(loss), tokens };
}

/** The loss of one batch, computed but not awaited. */
function queueLoss(device: Device, lossOf: () => Tensor): Tensor {
  using _scope = device.scope();
  const loss = noGrad(lossOf).keep();
  device.flush();
  return loss;
}
