/**
 * How the learning rate changes while training.
 *
 * @module
 */

/** The learning rate of a step, counted from 0. */
export type Schedule = (step: number) => number;

/** A rise to a peak and a fall along half a cosine, in nanoGPT's names. */
export interface CosineOptions {
  /** The peak. */
  readonly learningRate: number;
  /** Where it ends: a tenth of the peak unless said otherwise. */
  readonly minLr?: number;
  /** Steps of the linear rise. */
  readonly warmupIters?: number;
  /** The step at which `minLr` is reached. */
  readonly lrDecayIters: number;
}

/** Linear warm-up, then decay along a cosine, then constant. */
export function cosineSchedule(
  {
    learningRate,
    minLr = learningRate / 10,
    warmupIters = 0,
    lrDecayIters,
  }: CosineOptions,
): Schedule {
  return (step) => {
    if (step < warmupIters) {
      return learningRate * (step + 1) / (warmupIters + 1);
    }
    if (step >= lrDecayIters) return minLr;
    const progress = (step - warmupIters) / (lrDecayIters - warmupIters);
    const share = 0.5 * (1 + Math.cos(Math.PI * progress));
    return minLr + share * (learningRate - minLr);
  };
}

/** The same learning rate throughout, after a linear warm-up. */
export function constantSchedule(
  learningRate: number,
  warmupIters = 0,
): Schedule {
  return (step) =>
    step < warmupIters
      ? learningRate * (step + 1) / (warmupIters + 1)
      : learningRate;
}
