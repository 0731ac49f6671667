/**
 * Keys and values of the positions a model has read, so that each is computed
 * once while text is generated.
 *
 * @module
 */

import type { Device } from "../gpu/device.ts";
import { Kernel } from "../gpu/kernel.ts";
import { attention } from "../ops/attention.ts";
import { noGrad } from "../tensor/tape.ts";
import { type Dtype, Tensor } from "../tensor/tensor.ts";
import gridSource from "../../kernels/shared/grid.wgsl" with { type: "text" };
import reduceSource from "../../kernels/shared/reduce_workgroup.wgsl" with {
  type: "text",
};
import scalarSource from "../../kernels/shared/scalar.wgsl" with {
  type: "text",
};
import source from "../../kernels/attention_cached.wgsl" with { type: "text" };
import vectorSource from "../../kernels/shared/vector.wgsl" with {
  type: "text",
};

const [vectorKernel, scalarKernel] = [vectorSource, scalarSource].map((value) =>
  new Kernel("attention_cached", source, value, gridSource, reduceSource)
);

/** The sizes of a {@linkcode KeyValueCache}. */
export interface CacheOptions {
  /** Layers that attend. */
  readonly layers: number;
  /** Texts generated side by side: 1. */
  readonly batch?: number;
  /** Heads of queries of a layer. */
  readonly heads: number;
  /** Heads of keys, and of values, each serving as many of queries: as many. */
  readonly keyValueHeads?: number;
  /** Channels of a head. */
  readonly size: number;
  /** Positions it holds at most. */
  readonly capacity: number;
  /** What it keeps them in: f32, or f16, which takes half the memory. */
  readonly dtype?: "f32" | "f16";
}

/** Threads of a workgroup on a GPU, and positions that are worth one. */
const LEAST_PART = 64;

/** Workgroups that keep a large GPU busy. */
const ENOUGH_GROUPS = 512;

/** The keys and values of every layer. */
export class KeyValueCache implements Disposable {
  readonly #options: Required<CacheOptions>;
  readonly #layers: readonly { keys: Tensor; values: Tensor }[];
  #length = 0;

  /** Takes the memory for all positions at once. */
  constructor(device: Device, options: CacheOptions) {
    const { batch = 1, keyValueHeads = options.heads, dtype = "f32" } = options;
    this.#options = { ...options, batch, keyValueHeads, dtype };
    const { layers, capacity, size } = options;
    const shape = [batch, keyValueHeads, size, capacity];
    this.#layers = Array.from({ length: layers }, () => ({
      keys: Tensor.empty(device, shape, dtype).keep(),
      values: Tensor.empty(device, shape, dtype).keep(),
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
   * Adds new positions of a layer, `qkv` as {@linkcode attention} takes it, and
   * attends from them over all there are: `[B, T, C]`. No gradient passes through.
   */
  attend(layer: number, qkv: Tensor): Tensor {
    const { heads, keyValueHeads, size, capacity, batch, dtype } =
      this.#options;
    const [rows, time] = qkv.shape;
    if (rows !== batch || this.#length + time > capacity) {
      throw new RangeError(
        `Cannot cache [${qkv.shape}] after ${this.#length} positions: it holds ${batch} rows of ${capacity}`,
      );
    }
    const { device } = qkv;
    const { keys, values } = this.#layers[layer];
    const SIZE = size % 4 === 0 ? size / 4 : size;
    const BLOCK = device.prefersBroadcast ? device.subgroupSize : LEAST_PART;
    const SINGLE = time === 1;
    const queries = batch * heads * time;
    const count = this.#length + time;
    const parts = partsFor(device, queries, count);
    const whole = parts === 1;
    const part = Math.ceil(count / parts / BLOCK) * BLOCK;
    // A copy is of the whole cache, so enough of it must be in use.
    const copies = 4 * count >= capacity &&
      count * keys.size / capacity >= MANY;
    const args = {
      ...{ qkv, batch, time, heads, capacity, parts, part },
      key_heads: keyValueHeads,
      position: this.#length,
      scale: 1 / Math.sqrt(size),
    };
    const run = (
      entry: string,
      tensors: Record<string, Tensor>,
      grid: { threads: number } | { groups: number },
      read = 0,
    ) =>
      (size % 4 === 0 ? vectorKernel : scalarKernel).run(entry, {
        args: { ...args, ...tensors },
        constants: { SIZE, BLOCK, SINGLE },
        grid,
        types: {
          Stored: stored(qkv.dtype, size),
          Kept: stored(dtype, size),
          Part: stored(entry === "attend" && whole ? qkv.dtype : "f32", size),
        },
        work: { flops: 2 * read, bytes: read * keys.bytes / keys.size },
        trips: entry === "attend" ? Math.ceil(part / BLOCK) + SIZE * BLOCK : 0,
        images: entry === "attend" && copies ? ["keys", "values"] : [],
      });
    if (!SINGLE) {
      const added = batch * keyValueHeads * time * SIZE;
      run("append", { keys, values }, { threads: added });
    }
    // The first positions see nothing but each other.
    if (this.#length === 0 && time > 1) {
      return noGrad(() => attention(qkv, heads, { keyValueHeads }));
    }
    const y = Tensor.empty(device, [batch, time, heads * size], qkv.dtype);
    using y_part = whole ? y.view(y.shape) : Tensor.empty(
      device,
      [parts, ...y.shape],
    );
    using lse = Tensor.empty(device, [parts, batch, time, heads]);
    run(
      "attend",
      { keys, values, y_part, lse },
      { groups: parts * queries },
      2 * queries * count * size,
    );
    if (!whole) {
      run("combine", { y_parts: y_part, lse_parts: lse, y }, {
        threads: queries * SIZE,
      });
    }
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

/** Numbers read for which a copy to an image pays; see `RunOptions.images`. */
const MANY = 1 << 15;

/** Into how many parts `count` positions are cut for `queries` heads. */
function partsFor(device: Device, queries: number, count: number): number {
  if (device.adapter.software) return 1;
  const most = Math.ceil(count / LEAST_PART);
  return Math.max(1, Math.min(most, Math.ceil(ENOUGH_GROUPS / queries)));
}

/** The type of a value of a head's channels in memory. */
function stored(dtype: Dtype, size: number) {
  const half = dtype === "f16";
  return size % 4 === 0 ? half ? "vec4h" : "vec4f" : half ? "f16" : "f32";
}
