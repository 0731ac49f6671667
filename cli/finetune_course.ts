/**
 * How long a run of fine-tuning goes on, and how fast.
 *
 * @module
 */

import type { CosineOptions } from "../lib/optim/schedule.ts";
import { usageError } from "./args.ts";
import { type FinetuneValues, learningRateOf } from "./finetune_values.ts";
import type { Rhythm } from "./run.ts";

/** When a run does what, and the learning rate of each step. */
export interface Course {
  readonly rhythm: Rhythm;
  readonly schedule: Required<CosineOptions>;
}

/**
 * The course of a run with so many batches an epoch. Throws a usage error where
 * the flags contradict that, or the steps that were taken before.
 */
export function courseOf(
  values: FinetuneValues,
  { batches, taken = 0 }: { batches: number; taken?: number },
): Course {
  const micro = values["gradient-accumulation-steps"];
  const { epochs } = values;
  const whole = epochs > 0
    ? Math.max(1, Math.round(epochs * batches / micro))
    : 0;
  const maxIters = values["max-iters"] ?? whole;
  const evalInterval = values["eval-interval"] ?? Math.ceil(batches / micro);
  const learningRate = learningRateOf(values);
  const warmupIters = values["warmup-iters"] ??
    Math.min(100, Math.floor(maxIters / 10));
  const lrDecayIters = values["lr-decay-iters"] ?? Math.max(1, maxIters);
  const problems: string[] = [];
  if (warmupIters >= lrDecayIters && maxIters > warmupIters) {
    problems.push(
      `--warmup-iters ${warmupIters} leaves no step before --lr-decay-iters ${lrDecayIters}`,
    );
  }
  if (maxIters < taken) {
    const asked = values["max-iters"] === undefined
      ? `--epochs ${epochs} is ${maxIters} steps`
      : `--max-iters is ${maxIters}`;
    problems.push(`${asked}, the run has taken ${taken} steps`);
  }
  if (problems.length > 0) {
    throw usageError(taken > 0 ? "resume" : "finetune", problems);
  }
  return {
    rhythm: {
      maxIters,
      evalInterval,
      logInterval: values["log-interval"],
      saveInterval: values["save-interval"] ?? evalInterval,
      sampleInterval: 0,
      patience: values["early-stopping-patience"],
    },
    schedule: {
      learningRate,
      minLr: values["min-lr"] ?? learningRate / 10,
      warmupIters,
      lrDecayIters,
    },
  };
}
