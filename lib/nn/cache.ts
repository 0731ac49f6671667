/**
 * Keys and values of the positions a model has read, so that each is computed
 * once while text is generated.
 *
 * @module
 */

import type { Device } from "../gpu/device.ts";
import { rowBlock, RowKernel, rowReductions } from "../ops/rows.ts";
import { Tensor } from "../tensor/tensor.ts";
import source from "../../kernels/attention_cached.wgsl" with { type: "text" };

const kernel = new RowKernel("attention_cached", source, rowReductions);

/** The sizes of a {@linkcode KeyValueCache}. */
export interface CacheOptions {
  /** Layers that attend. */
  readonly layers: number;
  /** Texts generated side by side. */
  readonly batch?: number;
  /** Heads of a layer. */
  readonly heads: number;
  /** Channels of a head. */
  readonly size: number;
  /** Positions it holds at most. */
  readonly capacity: number;
}

/** The keys and values of every layer. */
export class KeyValueCache implements Disposable {
  readonly #options: Required<CacheOptions>;
  readonly #layers: readonly { keys: Tensor; values: Tensor }[];
  #length = 0;

  /** Takes the memory for all positions at once. */
  constructor(device: Device, options: CacheOptions) {
    this.#options = { batch: 1, ...options };
    const { layers, batch, heads, capacity, size } = this.#options;
    const shape = [batch, heads, capacity, size];
    this.#layers = Array.from({ length: layers }, () => ({
      keys: Tensor.empty(device, shape).keep(),
      values: Tensor.empty(device, shape).keep(),
    }));
  }

  /** Positions read so far. */
  get length(): number {
    return this.#length;
  }

  /** Positions it holds at most. */
  get capacity(): number {
    return this.#options.capacity;
  }

  /**
   * Adds new positions of a layer, `qkv` `[B, T, 3 C]`, and attends from them
   * over all there are: `[B, T, C]`. No gradient passes through.
   */
  attend(layer: number, qkv: Tensor): Tensor {
    const { heads, size, capacity, batch } = this.#options;
    const [rows, time] = qkv.shape;
    if (rows !== batch || this.#length + time > capacity) {
      throw new RangeError(
        `Cannot cache [${qkv.shape}] after ${this.#length} positions: it holds ${batch} rows of ${capacity}`,
      );
    }
    const { keys, values } = this.#layers[layer];
    const y = Tensor.empty(qkv.device, [batch, time, heads * size]);
    const SIZE = size / kernel.width(size);
    const args = {
      qkv,
      batch,
      time,
      heads,
      position: this.#length,
      capacity,
      scale: 1 / Math.sqrt(size),
    };
    const constants = { SIZE, BLOCK: rowBlock(qkv.device) };
    kernel.run("append", size, {
      args: { ...args, keys, values },
      grid: { threads: batch * time * heads * SIZE },
      constants,
    });
    kernel.run("attend", size, {
      args: { ...args, keys_kept: keys, values_kept: values, y },
      grid: { groups: batch * heads * time },
      constants,
    });
    return y;
  }

  /** Counts positions that every layer has added. */
  advance(time: number): void {
    this.#length += time;
  }

  /** Forgets all positions. */
  reset(): void {
    this.#length = 0;
  }

  /** Gives the memory back. */
  [Symbol.dispose](): void {
    for (const { keys, values } of this.#layers) {
      keys[Symbol.dispose]();
      values[Symbol.dispose]();
    }
  }
}
