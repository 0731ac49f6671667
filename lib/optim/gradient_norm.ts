/**
 * The norm of all gradients, and what it decides: clipping, the loss scale, and
 * whether a step is taken.
 *
 * @module
 */

import type { Device } from "../gpu/device.ts";
import { Kernel } from "../gpu/kernel.ts";
import {
  longRowBlock,
  longRowReductions,
  rowBlock,
  rowReductions,
} from "../ops/rows.ts";
import type { Parameter } from "../tensor/parameter.ts";
import { Tensor } from "../tensor/tensor.ts";
import { windowLength } from "../tensor/windows.ts";
import { type FlatParameters, type Run, stretch } from "./flat.ts";
import gridSource from "../../kernels/shared/grid.wgsl" with { type: "text" };
import source from "../../kernels/gradient_norm.wgsl" with { type: "text" };

const [kernel, longKernel] = [rowReductions, longRowReductions].map(
  (reductions) => new Kernel("gradient_norm", source, gridSource, reductions),
);

const CHUNK = 4096; // elements of one sum

/**
 * How losses are scaled so that gradients fit f16. The scale is halved, and the
 * step skipped, when the gradients overflow; it is doubled after a while of
 * steps in which they did not.
 */
export interface LossScale {
  /** The scale to begin with: 65536. */
  readonly initial?: number;
  /** Steps without overflow before it doubles: 2000. */
  readonly growthInterval?: number;
}

/** Where a loss scale stands. */
export interface LossScaleState {
  /** What the next loss is multiplied by. */
  readonly scale: number;
  /** Steps since it changed. */
  readonly goodSteps: number;
  /** Steps skipped in all. */
  readonly skipped: number;
}

/** What the norm decides by. */
export interface NormOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly gradClip: number;
  readonly lossScale: LossScale | null;
}

/** Measures gradients, and keeps what follows on the GPU. */
export class GradientNorm implements Disposable {
  /** What the last step came to; see kernels/gradient_norm.wgsl. */
  readonly status: Tensor;
  readonly #device: Device;
  readonly #options: NormOptions;
  readonly #interval: number;
  readonly #lossScale: Tensor;
  readonly #table: Tensor;
  readonly #partial: Tensor;
  /** Where each chunk starts and ends in its block. */
  readonly #ends: [start: number, end: number][] = [];
  /** The first chunk of each parameter in the table. */
  readonly #chunks = new Map<Parameter, number>();

  /** Cuts the gradients of parameters into chunks. */
  constructor(device: Device, flat: FlatParameters, options: NormOptions) {
    const { initial = 65536, growthInterval = 2000 } = options.lossScale ?? {};
    this.#device = device;
    this.#options = options;
    this.#interval = options.lossScale ? growthInterval : 0;
    for (const { parameter, start } of flat.blocks.flatMap((b) => b.places)) {
      this.#chunks.set(parameter, this.#ends.length);
      const end = start + parameter.size;
      for (let at = start; at < end; at += CHUNK) {
        this.#ends.push([at, Math.min(at + CHUNK, end)]);
      }
    }
    this.#table = Tensor.from(device, Uint32Array.from(this.#ends.flat()))
      .keep();
    this.#partial = Tensor.zeros(device, [this.#ends.length]).keep();
    this.status = Tensor.empty(device, [9]).keep();
    this.#lossScale = Tensor.empty(device, [1]).keep();
    const scale = options.lossScale ? initial : 1;
    this.resume({ scale, goodSteps: 0, skipped: 0 });
  }

  /** What to multiply losses by, if they are scaled. */
  get lossScale(): Tensor | null {
    return this.#interval > 0 ? this.#lossScale : null;
  }

  /** Where the loss scale stands, or null without one. */
  async lossScaleState(): Promise<LossScaleState | null> {
    if (this.#interval === 0) return null;
    const [, , , , scale, goodSteps, skipped] = await this.status.read();
    return { scale, goodSteps, skipped };
  }

  /** Continues from where the loss scale stood. */
  resume({ scale, goodSteps, skipped }: LossScaleState): void {
    this.status.write(
      Float32Array.of(0, 0, 0, 0, scale, goodSteps, skipped, 0, 0),
    );
    this.#lossScale.write(Float32Array.of(scale));
  }

  /** Leaves the norm of all gradients, and what it implies, in `status`. */
  measure(runs: readonly Run[], step: number): void {
    const { beta1, beta2, gradClip: most } = this.#options;
    const constants = { BLOCK: rowBlock(this.#device) };
    const shared = {
      table: this.#table,
      partial_in: this.#partial,
      partial_out: this.#partial,
      status: this.status,
      loss_scale: this.#lossScale,
      most,
      step,
      interval: this.#interval,
      bias1: 1 - beta1 ** step,
      bias2: 1 - beta2 ** step,
      log1: Math.log(beta1),
      log2: Math.log(beta2),
    };
    let first = 0;
    for (const run of runs) {
      for (const { grad, base, chunk, count } of this.#stretches(run)) {
        kernel.run("squares", {
          args: { ...shared, grad, chunk, base, count, first, chunks: 0 },
          grid: { groups: count },
          constants,
          images: ["grad"],
        });
        first += count;
      }
    }
    const long = longRowBlock(this.#device, first);
    const BLOCK = long ?? constants.BLOCK;
    (long ? longKernel : kernel).run("settle", {
      args: { ...shared, chunk: 0, base: 0, count: 0, first: 0, chunks: first },
      grid: { groups: 1 },
      constants: { BLOCK },
      trips: Math.ceil(first / BLOCK),
    });
  }

  /**
   * The gradients of a run, as many whole chunks at a time as a window holds. A
   * stretch is released when the next is asked for.
   */
  *#stretches({ block, places }: Run) {
    const most = windowLength(this.#device);
    const { parameter, end: stop } = places.at(-1)!;
    const last = this.#chunks.get(parameter)! +
      Math.ceil(parameter.size / CHUNK);
    let chunk = this.#chunks.get(places[0].parameter)!;
    while (chunk < last) {
      const [base] = this.#ends[chunk];
      let next = chunk + 1;
      while (next < last && this.#ends[next][1] - base <= most) next++;
      const end = next < last ? this.#ends[next][0] : stop;
      using grad = stretch(block.grad, base, [end - base]);
      yield { grad, base, chunk, count: next - chunk };
      chunk = next;
    }
  }

  /** Releases what it keeps. */
  [Symbol.dispose](): void {
    for (
      const tensor of [
        this.status,
        this.#lossScale,
        this.#table,
        this.#partial,
      ]
    ) tensor[Symbol.dispose]();
  }
}
