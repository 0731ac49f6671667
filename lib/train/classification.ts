/**
 * What a classifier makes of examples.
 *
 * @module
 */

import {
  type ClassBatch,
  type ClassExample,
  padExamples,
  type PadOptions,
} from "../data/class_examples.ts";
import type { Device } from "../gpu/device.ts";
import { noGrad } from "../tensor/tape.ts";
import { readAll, type Tensor } from "../tensor/tensor.ts";
import { type ClassScores, scoreClasses } from "./class_scores.ts";

/** A model that scores classes. */
export interface Classifying {
  /** The names of the classes, in their order. */
  readonly config: { readonly labels: readonly string[] };
  /** The scores of every class for each row: f32 `[B, K]`. */
  forward(batch: Omit<ClassBatch, "labels">): Tensor;
}

/** What classifying needs. */
export interface ClassifyOptions extends PadOptions {
  /** Where it runs. */
  readonly device: Device;
  /** What classifies. */
  readonly model: Classifying;
  /** What is classified. */
  readonly examples: readonly Pick<ClassExample, "ids">[];
  /** Examples at a time: 8. */
  readonly batchSize?: number;
}

/** Batches queued between two reads of their scores. */
const PER_READ = 64;

/**
 * The probability of every class for each example, in their order: `[N][K]`.
 * Examples of like length are read together. Throws a `RangeError` where a score
 * is not a finite number.
 */
export async function classProbabilities(
  { device, model, examples, batchSize = 8, ...padding }: ClassifyOptions,
): Promise<readonly Float64Array[]> {
  const order = [...examples.keys()]
    .sort((a, b) => examples[b].ids.length - examples[a].ids.length);
  const found = new Array<Float64Array>(examples.length);
  let queued: { rows: readonly number[]; scores: Tensor }[] = [];
  const settle = async () => {
    const read = await readAll(queued.map(({ scores }) => scores));
    queued.forEach(({ rows, scores }, i) => {
      const classes = scores.shape[1];
      rows.forEach((row, at) => {
        const own = read[i].subarray(at * classes, (at + 1) * classes);
        found[row] = softmaxOf(own as Float32Array);
      });
      scores[Symbol.dispose]();
    });
    queued = [];
  };
  for (let first = 0; first < order.length; first += batchSize) {
    using _scope = device.scope();
    const rows = order.slice(first, first + batchSize);
    const batch = padExamples(
      rows.map((row) => ({ ...examples[row], label: 0 })),
      padding,
    );
    queued.push({ rows, scores: noGrad(() => model.forward(batch)).keep() });
    device.flush();
    if (queued.length === PER_READ) await settle();
  }
  await settle();
  return found;
}

/** What a classifier makes of labeled examples. */
export interface ClassEvaluation extends ClassScores {
  /** The mean cross-entropy, in nats. */
  readonly loss: number;
  /** The likeliest class of each example, in their order. */
  readonly guesses: Uint32Array;
  /** The probability of every class for each example: `[N][K]`. */
  readonly probabilities: readonly Float64Array[];
}

/**
 * Measures a classifier on labeled examples. Throws a `RangeError` if there are
 * none.
 */
export async function evaluateClasses(
  { examples, ...options }: Omit<ClassifyOptions, "examples"> & {
    readonly examples: readonly ClassExample[];
  },
): Promise<ClassEvaluation> {
  const probabilities = await classProbabilities({
    ...options,
    examples,
  });
  const guesses = Uint32Array.from(probabilities, likeliestClass);
  const labels = examples.map(({ label }) => label);
  const classes = options.model.config.labels.length;
  const scores = scoreClasses({ labels, guesses, classes });
  const nats = labels.reduce(
    (sum, label, i) => sum - Math.log(probabilities[i][label]),
    0,
  );
  return { ...scores, loss: nats / labels.length, guesses, probabilities };
}

/** The class of the greatest probability, the first of equal ones. */
export function likeliestClass(probabilities: Float64Array): number {
  return probabilities.indexOf(Math.max(...probabilities));
}

function softmaxOf(scores: Float32Array): Float64Array {
  const most = Math.max(...scores);
  if (!scores.every(Number.isFinite)) {
    throw new RangeError(
      `Cannot classify: the model scores the classes ${scores.join(", ")}`,
    );
  }
  const powers = Float64Array.from(scores, (score) => Math.exp(score - most));
  const sum = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / sum);
}
