/**
 * The tensors that training moves.
 *
 * @module
 */

import type { Device } from "../gpu/device.ts";
import { Kernel } from "../gpu/kernel.ts";
import type { Random } from "../random.ts";
import { count, type Shape } from "./shape.ts";
import { type Dtype, type HostArray, Tensor } from "./tensor.ts";
import { windows } from "./windows.ts";
import gridSource from "../../kernels/shared/grid.wgsl" with { type: "text" };
import source from "../../kernels/halve.wgsl" with { type: "text" };

/** Numbers that are made on the host at once, few enough to stay in its caches. */
const STRETCH = 1 << 16;

const kernel = new Kernel("halve", source, gridSource);

/** What a parameter begins as: its numbers, what makes them, or zeros. */
export type ParameterData =
  | Float32Array<ArrayBuffer>
  | ((numbers: Float32Array<ArrayBuffer>) => void)
  | null;

/**
 * A tensor the optimizer moves. It belongs to no scope, and its numbers are f32;
 * where a model computes in half precision, ops read a copy of it.
 */
export class Parameter extends Tensor {
  /** The gradient accumulated since the optimizer last consumed it. */
  grad: Tensor | null = null;
  /** Where an optimizer wants that gradient; ops write it there directly. */
  slot: Tensor | null = null;
  /** Whether training leaves it as it is: no gradient flows to it. */
  frozen = false;
  /** The copies in f16 that its own is one of, if it is not alone. */
  halves: Halves | null = null;
  #own: Halves | null = null;

  /**
   * Copies `data` to the GPU as a parameter; without data it is zeros. A function
   * is handed one stretch of it after another to fill, so that a large one never
   * lies on the host as a whole.
   */
  constructor(device: Device, data: ParameterData, shape: Shape) {
    const what = () => `a parameter f32 [${shape}]`;
    super(device, shape, "f32", device.allocate(4 * count(shape), what));
    this.keep();
    if (data === null) this.fill(0);
    else if (typeof data !== "function") this.write(data);
    else {
      const numbers = new Float32Array(Math.min(this.size, STRETCH));
      for (let start = 0; start < this.size; start += STRETCH) {
        const stretch = numbers.subarray(0, this.size - start);
        data(stretch);
        const { storage } = this;
        device.write({ storage, offset: 4 * start }, stretch);
      }
    }
  }

  /** Draws a parameter from a normal distribution; from nothing it is zeros. */
  static normal(
    device: Device,
    shape: Shape,
    random: Random | null,
    std: number,
  ): Parameter {
    const draw = random &&
      ((numbers: Float32Array<ArrayBuffer>) => random.fillNormal(numbers, std));
    return new Parameter(device, draw, shape);
  }

  /** Gradients flow to a parameter unless it is frozen. */
  override get needsGrad(): boolean {
    return !this.frozen;
  }

  /**
   * Its numbers as ops on a dtype read them: itself, or a copy in f16, made when
   * first asked for and again after it changed.
   */
  as(dtype: Dtype): Tensor {
    if (dtype !== "f16") return this;
    const alone = () =>
      new Halves([{ whole: this, parts: [{ parameter: this, start: 0 }] }]);
    return (this.halves ?? (this.#own ??= alone())).of(this);
  }

  /** Moves it to other memory that holds its numbers already. */
  moveTo(home: Tensor): void {
    this.shareMemory(home);
  }

  /** Queues setting every element to one number. */
  override fill(value: number): void {
    super.fill(value);
    this.changed();
  }

  /** Replaces the elements, after the work queued so far. */
  override write(data: HostArray): void {
    super.write(data);
    this.changed();
  }

  /** Says that its numbers were written by way of another tensor, such as a view. */
  changed(): void {
    this.halves?.expire();
    this.#own?.expire();
  }

  /** Gives the memory of the parameter, its gradient and its copy back. */
  override [Symbol.dispose](): void {
    this.grad?.[Symbol.dispose]();
    this.slot?.[Symbol.dispose]();
    this.#own?.[Symbol.dispose]();
    this.grad = this.slot = this.#own = null;
    super[Symbol.dispose]();
  }
}

/** Memory of parameters, and where in it each begins, in elements. */
export interface Whole {
  /** The f32 memory. */
  readonly whole: Tensor;
  /** The parameters in it, at multiples of 512 bytes. */
  readonly parts: readonly { parameter: Parameter; start: number }[];
}

/** Parameters in f16, copied together, when one is asked for after they changed. */
export class Halves implements Disposable {
  readonly #wholes: readonly Whole[];
  readonly #copies: Tensor[] = [];
  readonly #parts = new Map<Parameter, Tensor>();
  #current = false;

  /** Takes no memory yet. */
  constructor(wholes: readonly Whole[]) {
    this.#wholes = wholes;
  }

  /** The copy of a parameter. */
  of(parameter: Parameter): Tensor {
    if (this.#copies.length === 0) this.#make();
    if (!this.#current) this.#refresh();
    return this.#parts.get(parameter)!;
  }

  /** Says that parameters have changed. */
  expire(): void {
    this.#current = false;
  }

  /** Gives the memory back; whoever asks again gets new copies. */
  [Symbol.dispose](): void {
    for (const part of this.#parts.values()) part[Symbol.dispose]();
    for (const copy of this.#copies) copy[Symbol.dispose]();
    this.#parts.clear();
    this.#copies.length = 0;
    this.#current = false;
  }

  #make(): void {
    for (const { whole: { device, size }, parts } of this.#wholes) {
      const copy = Tensor.empty(device, [size], "f16").keep();
      this.#copies.push(copy);
      for (const { parameter, start } of parts) {
        const { shape } = parameter;
        const place = {
          offset: 2 * start,
          span: Math.min(copy.span, Math.ceil(parameter.size / 8) * 16),
        };
        this.#parts.set(
          parameter,
          new Tensor(device, shape, "f16", copy.storage, place).keep(),
        );
      }
    }
  }

  #refresh(): void {
    this.#current = true;
    for (const [i, { whole }] of this.#wholes.entries()) {
      for (const [x, y] of windows([whole, this.#copies[i]])) {
        const vectors = Math.ceil(x.size / 4);
        kernel.run("halve", {
          args: { x, y, vectors },
          grid: { threads: vectors },
          types: { Half: "vec4h" },
        });
      }
    }
  }
}
