/**
 * The AdamW optimizer, with clipping by the global norm of the gradients.
 *
 * @module
 */

import type { Device } from "../gpu/device.ts";
import { Kernel } from "../gpu/kernel.ts";
import { rowBlock, rowReductions } from "../ops/rows.ts";
import { type Parameter, Tensor } from "../tensor/tensor.ts";
import gridSource from "../../kernels/shared/grid.wgsl" with { type: "text" };
import normSource from "../../kernels/gradient_norm.wgsl" with { type: "text" };
import source from "../../kernels/adamw.wgsl" with { type: "text" };

const kernel = new Kernel("adamw", source, gridSource);
const normKernel = new Kernel(
  "gradient_norm",
  normSource,
  gridSource,
  rowReductions,
);
const CHUNK = 4096;

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
 * {@linkcode AdamW.status}.
 */
export class AdamW implements Disposable {
  readonly #device: Device;
  readonly #parameters: ReadonlyMap<string, Parameter>;
  readonly #moments = new Map<string, Moments>();
  readonly #options: Required<AdamWOptions>;
  readonly #partial: Tensor;
  #steps = 0;

  /**
   * Four numbers on the GPU: the gradient norm of the last step, what clipping
   * multiplied by, the first step whose norm was not finite (0 if none), unused.
   */
  readonly status: Tensor;

  /** Prepares to move these parameters, by name. */
  constructor(
    parameters: ReadonlyMap<string, Parameter>,
    options: AdamWOptions = {},
  ) {
    const [first] = parameters.values();
    if (first === undefined) {
      throw new RangeError("Cannot optimize: there are no parameters");
    }
    this.#device = first.device;
    this.#parameters = parameters;
    this.#options = {
      beta1: 0.9,
      beta2: 0.95,
      eps: 1e-8,
      weightDecay: 0.1,
      gradClip: 1,
      ...options,
    };
    let chunks = 0;
    for (const [name, { device, shape, size }] of parameters) {
      this.#moments.set(name, {
        m: Tensor.zeros(device, shape).keep(),
        v: Tensor.zeros(device, shape).keep(),
      });
      chunks += Math.ceil(size / CHUNK);
    }
    this.#partial = Tensor.zeros(first.device, [chunks]).keep();
    this.status = Tensor.zeros(first.device, [4]).keep();
  }

  /** How many steps were taken. */
  get steps(): number {
    return this.#steps;
  }

  /** The moments, by the names of the parameters. Writable, to resume. */
  get moments(): ReadonlyMap<string, Moments> {
    return this.#moments;
  }

  /** Says that `steps` steps were taken, whose moments have been restored. */
  resume(steps: number): void {
    this.#steps = steps;
  }

  /** Moves every parameter that has a gradient, and consumes the gradients. */
  step(learningRate: number): void {
    const { beta1, beta2, eps, weightDecay } = this.#options;
    this.#steps++;
    this.#measure();
    const bias1 = 1 - beta1 ** this.#steps;
    const bias2 = 1 - beta2 ** this.#steps;
    const knobs = { lr: learningRate, beta1, beta2, eps, bias1, bias2 };
    for (const [name, weight] of this.#parameters) {
      const { grad } = weight;
      if (grad === null) continue;
      const { m, v } = this.#moments.get(name)!;
      const decay = weight.shape.length > 1 ? weightDecay : 0;
      const vectors = Math.ceil(weight.size / 4);
      const { status } = this;
      kernel.run("update", {
        args: { grad, status, weight, m, v, vectors, decay, ...knobs },
        grid: { threads: vectors },
      });
      grad[Symbol.dispose]();
      weight.grad = null;
    }
  }

  /** Releases the moments. */
  [Symbol.dispose](): void {
    for (const { m, v } of this.#moments.values()) {
      m[Symbol.dispose]();
      v[Symbol.dispose]();
    }
    this.#partial[Symbol.dispose]();
    this.status[Symbol.dispose]();
  }

  /** Leaves the norm of all gradients, and what it implies, in `status`. */
  #measure() {
    const constants = { BLOCK: rowBlock(this.#device), CHUNK };
    const most = this.#options.gradClip;
    const step = this.#steps;
    let first = 0;
    for (const { grad } of this.#parameters.values()) {
      if (grad === null) continue;
      const { size } = grad;
      const chunks = Math.ceil(size / CHUNK);
      normKernel.run("squares", {
        args: {
          grad,
          partial_out: this.#partial,
          size,
          first,
          chunks,
          most,
          step,
        },
        grid: { groups: chunks },
        constants,
      });
      first += chunks;
    }
    normKernel.run("settle", {
      args: {
        partial_in: this.#partial,
        status: this.status,
        size: 0,
        first: 0,
        chunks: first,
        most,
        step,
      },
      grid: { groups: 1 },
      constants,
    });
  }
}
