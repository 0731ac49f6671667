/**
 * The AdamW optimizer, with clipping by the global norm of the gradients.
 *
 * @module
 */

import { Kernel } from "../gpu/kernel.ts";
import type { Parameter } from "../tensor/parameter.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { windows } from "../tensor/windows.ts";
import { FlatParameters, type Run, stretch, zeros } from "./flat.ts";
import { GradientNorm } from "./gradient_norm.ts";
import type { LossScale, LossScaleState } from "./gradient_norm.ts";
import gridSource from "../../kernels/shared/grid.wgsl" with { type: "text" };
import source from "../../kernels/adamw.wgsl" with { type: "text" };

const kernel = new Kernel("adamw", source, gridSource);

/** The knobs of {@linkcode AdamW}, with nanoGPT's defaults. */
export interface AdamWOptions {
  /** How slowly the mean of the gradients follows them: 0.9. */
  readonly beta1?: number;
  /** How slowly the mean of their squares follows: 0.95. */
  readonly beta2?: number;
  /** Keeps the division from zero: 1e-8. */
  readonly eps?: number;
  /** Decoupled decay of weights of two axes or more; others do not decay: 0.1. */
  readonly weightDecay?: number;
  /** The most the gradients may measure together, or 0 for no limit: 1. */
  readonly gradClip?: number;
  /** How losses are scaled, where a model computes in f16: not at all. */
  readonly lossScale?: LossScale | null;
}

/** What AdamW remembers of a parameter. */
export interface Moments {
  /** The running mean of its gradients. */
  readonly m: Tensor;
  /** The running mean of their squares. */
  readonly v: Tensor;
}

/**
 * Adam with decoupled weight decay, applied to matrices only.
 *
 * Norm, clipping and update stay on the GPU. If the norm is not finite, no
 * weight and no moment moves, in that step or after it; see
 * {@linkcode AdamW.status}. With a loss scale, such a step is skipped instead,
 * and the scale halved.
 *
 * The parameters come to lie side by side in a few buffers, so that a step is a
 * handful of runs. They remain the same objects; frozen ones are left alone.
 */
export class AdamW implements Disposable {
  readonly #options: Required<AdamWOptions>;
  readonly #flat: FlatParameters;
  readonly #norm: GradientNorm;
  readonly #moments = new Map<string, Moments>();
  /** The moments of each block. */
  readonly #blocks: readonly Moments[];
  #steps = 0;

  /**
   * Prepares to move these parameters, by name. Throws a `RangeError` if there are
   * none, or an option makes no sense.
   */
  constructor(
    parameters: ReadonlyMap<string, Parameter>,
    options: AdamWOptions = {},
  ) {
    const moved = new Map(
      [...parameters].filter(([, { frozen }]) => !frozen),
    );
    const [first] = moved.values();
    if (first === undefined) {
      throw new RangeError("Cannot optimize: there are no parameters");
    }
    this.#options = {
      beta1: 0.9,
      beta2: 0.95,
      eps: 1e-8,
      weightDecay: 0.1,
      gradClip: 1,
      lossScale: null,
      ...options,
    };
    checkOptions(this.#options);
    const { device } = first;
    this.#flat = new FlatParameters(moved);
    this.#norm = new GradientNorm(device, this.#flat, this.#options);
    const placed = new Map<string, Moments>();
    this.#blocks = this.#flat.blocks.map(({ places }) => {
      const m = zeros(device, places, "the mean gradients");
      const v = zeros(device, places, "the mean squared gradients");
      for (const { name, start, parameter: { shape } } of places) {
        placed.set(name, {
          m: stretch(m, start, shape).keep(),
          v: stretch(v, start, shape).keep(),
        });
      }
      return { m, v };
    });
    for (const name of moved.keys()) {
      this.#moments.set(name, placed.get(name)!);
    }
  }

  /**
   * Nine numbers on the GPU: the gradient norm of the last step, what gradients
   * were multiplied by, and the first step whose norm was not finite (0 if none);
   * whether the step was skipped, the loss scale that follows from it, how many
   * steps it has held, and how many were skipped in all; two for the update.
   */
  get status(): Tensor {
    return this.#norm.status;
  }

  /** What to multiply losses by, one number on the GPU, if they are scaled. */
  get lossScale(): Tensor | null {
    return this.#norm.lossScale;
  }

  /** How many steps were taken, or skipped. */
  get steps(): number {
    return this.#steps;
  }

  /** The moments, by the names of the parameters. Writable, to resume. */
  get moments(): ReadonlyMap<string, Moments> {
    return this.#moments;
  }

  /** Where the loss scale stands, to be saved; null if losses are not scaled. */
  lossScaleState(): Promise<LossScaleState | null> {
    return this.#norm.lossScaleState();
  }

  /**
   * Says that `steps` steps were taken, whose moments have been restored, and
   * where the loss scale stood.
   */
  resume(steps: number, lossScale: LossScaleState | null = null): void {
    this.#steps = steps;
    if (lossScale) this.#norm.resume(lossScale);
  }

  /** Moves every parameter that has a gradient, and consumes the gradients. */
  step(learningRate: number): void {
    this.#steps++;
    const runs = this.#flat.runs();
    this.#norm.measure(runs, this.#steps);
    for (const run of runs) this.#update(run, learningRate);
    this.#flat.consume();
    this.#flat.halves.expire();
  }

  /** Releases the moments and the gradients. */
  [Symbol.dispose](): void {
    for (const { m, v } of [...this.#moments.values(), ...this.#blocks]) {
      m[Symbol.dispose]();
      v[Symbol.dispose]();
    }
    this.#norm[Symbol.dispose]();
    this.#flat[Symbol.dispose]();
  }

  #update({ block, places }: Run, lr: number): void {
    const { beta1, beta2, eps, weightDecay: decay } = this.#options;
    const { m, v } = this.#blocks[this.#flat.blocks.indexOf(block)];
    const { start } = places[0];
    const size = places.at(-1)!.end - start;
    const whole = size === block.size;
    const all = [block.weight, block.grad, m, v].map((tensor) =>
      whole ? tensor : stretch(tensor, start, [size])
    );
    let seen = 0;
    for (const [weight, grad, m, v] of windows(all)) {
      const vectors = weight.size / 4;
      const matrices = Math.max(0, (block.matrices - start - seen) / 4);
      const { status } = this;
      kernel.run("update", {
        args: {
          ...{ grad, status, weight, m, v },
          ...{ vectors, matrices, lr, beta1, beta2, eps, decay },
        },
        grid: { threads: vectors },
        images: ["grad", "weight", "m", "v"],
      });
      seen += weight.size;
    }
    if (!whole) { for (const part of all) part[Symbol.dispose](); }
  }
}

function checkOptions(
  { beta1, beta2, eps, weightDecay, gradClip }: Required<AdamWOptions>,
): void {
  for (const [name, beta] of Object.entries({ beta1, beta2 })) {
    if (!(beta >= 0 && beta < 1)) {
      throw new RangeError(
        `Cannot optimize: ${name} is ${beta}, expected a number from 0 and below 1`,
      );
    }
  }
  for (const [name, value] of Object.entries({ eps, weightDecay, gradClip })) {
    if (!(value >= 0)) {
      throw new RangeError(
        `Cannot optimize: ${name} is ${value}, expected a number from 0`,
      );
    }
  }
}
