/**
 * A shaped handle on GPU memory.
 *
 * A tensor knows its shape, its memory and how it was made. Arithmetic lives in
 * `ops/`, so that this module depends on the device alone.
 *
 * @module
 */

import type { Device } from "../gpu/device.ts";
import { Kernel } from "../gpu/kernel.ts";
import type { Storage } from "../gpu/pool.ts";
import type { Scope } from "../gpu/scope.ts";
import type { Random } from "../random.ts";
import { count, type Shape } from "./shape.ts";
import gridSource from "../../kernels/shared/grid.wgsl" with { type: "text" };
import fillSource from "../../kernels/fill.wgsl" with { type: "text" };

/** The element types: floats of 32 and 16 bits, signed and unsigned whole numbers. */
export type Dtype = "f32" | "f16" | "i32" | "u32";

/** The numbers of a tensor on the host. */
export type HostArray =
  | Float32Array<ArrayBuffer>
  | Float16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>;

/** How a tensor was made: what `backward` walks. */
export interface Origin {
  /** The op, for messages. */
  readonly op: string;
  /** What it was made from. */
  readonly inputs: readonly Tensor[];
  /**
   * Given the gradient of the output, the gradient of each input. For an input
   * with a place, an op may leave it there and return that very tensor, or
   * ignore the place and return another. `sole` says of each input whether its
   * gradient comes from this op alone.
   */
  readonly backward: (
    dy: Tensor,
    places: readonly (GradientPlace | null)[],
    sole?: readonly boolean[],
  ) => readonly (Tensor | null)[];
}

/** Where the gradient of an input is wanted. */
export interface GradientPlace {
  /** The memory: shaped as the input, and nobody else's. */
  readonly tensor: Tensor;
  /** Whether to add to what lies there; else to overwrite it. */
  readonly add: boolean;
}

const ELEMENT_BYTES: Readonly<Record<Dtype, number>> = {
  f32: 4,
  f16: 2,
  i32: 4,
  u32: 4,
};
const HOST_ARRAYS = {
  f32: Float32Array<ArrayBuffer>,
  f16: Float16Array<ArrayBuffer>,
  i32: Int32Array<ArrayBuffer>,
  u32: Uint32Array<ArrayBuffer>,
} as const;
const PART_BYTES = 256; // where any adapter can bind the middle of a buffer

const fill = new Kernel("fill", fillSource, gridSource);

/**
 * A shaped handle on GPU memory.
 *
 * A tensor made while a {@linkcode Device.scope} is open is released when that
 * scope closes, unless it is kept; one made outside lives until it is disposed.
 * So does what some ops make besides their result, such as the scale of each row,
 * which nobody can dispose of: a loop should have a scope of its own.
 */
export class Tensor implements Disposable {
  /** Where it lies. */
  readonly device: Device;
  /** Sizes of its axes, outermost first. */
  readonly shape: Shape;
  /** The type of its elements. */
  readonly dtype: Dtype;
  /** How many elements it has. */
  readonly size: number;
  /** Set when a gradient must flow through this tensor to its inputs. */
  origin: Origin | null = null;
  #storage: Storage | null;
  #offset: number;
  #span: number;
  #scope: Scope | undefined;
  #kept = false;

  /**
   * A handle on memory already allocated, or on a part of it that starts at
   * `offset` bytes; see {@linkcode Tensor.empty}.
   */
  constructor(
    device: Device,
    shape: Shape,
    dtype: Dtype,
    storage: Storage,
    { offset = 0, span = storage.bytes }: { offset?: number; span?: number } =
      {},
  ) {
    this.device = device;
    this.shape = shape;
    this.dtype = dtype;
    this.size = count(shape);
    this.#offset = offset;
    this.#span = span;
    this.#storage = storage;
    storage.holders++;
    this.#scope = device.currentScope;
    this.#scope?.adopt(this);
  }

  /** A tensor whose contents are whatever the memory held. */
  static empty(device: Device, shape: Shape, dtype: Dtype = "f32"): Tensor {
    if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
      throw new RangeError(
        `Cannot make a tensor [${shape}]: sizes are whole numbers from 0`,
      );
    }
    const bytes = ELEMENT_BYTES[dtype] * count(shape);
    const storage = device.allocate(bytes, () => `${dtype} [${shape}]`);
    return new Tensor(device, shape, dtype, storage);
  }

  /** A tensor of one number everywhere. */
  static full(
    device: Device,
    shape: Shape,
    value: number,
    dtype: Dtype = "f32",
  ): Tensor {
    const tensor = Tensor.empty(device, shape, dtype);
    tensor.fill(value);
    return tensor;
  }

  /** A tensor of zeros. */
  static zeros(device: Device, shape: Shape, dtype: Dtype = "f32"): Tensor {
    return Tensor.full(device, shape, 0, dtype);
  }

  /** A tensor of ones. */
  static ones(device: Device, shape: Shape, dtype: Dtype = "f32"): Tensor {
    return Tensor.full(device, shape, 1, dtype);
  }

  /**
   * A tensor of the given numbers; plain arrays become f32. Throws a `TypeError`
   * for other kinds of arrays, and a `RangeError` where the shape holds more or
   * fewer.
   */
  static from(
    device: Device,
    data: HostArray | readonly number[],
    shape: Shape = [data.length],
  ): Tensor {
    if (data.length !== count(shape)) {
      throw new RangeError(
        `Cannot shape ${data.length} numbers as [${shape}]: it holds ${
          count(shape)
        }`,
      );
    }
    const host = ArrayBuffer.isView(data) ? data : hostArray("f32", data);
    if (host !== data && !data.every((number) => typeof number === "number")) {
      throw new TypeError(
        "Cannot make a tensor of what is no number; nested rows go in one array, with a shape",
      );
    }
    const tensor = Tensor.empty(device, shape, dtypeOf(host));
    device.write(tensor, host);
    return tensor;
  }

  /** The whole numbers from `start` up to but not including `end`. */
  static arange(
    device: Device,
    start: number,
    end: number,
    dtype: Dtype = "u32",
  ): Tensor {
    const length = Math.max(0, Math.ceil(end - start));
    const numbers = Array.from({ length }, (_, i) => start + i);
    return Tensor.from(device, hostArray(dtype, numbers));
  }

  /** Numbers from a normal distribution around zero. */
  static randn(
    device: Device,
    shape: Shape,
    random: Random,
    std = 1,
  ): Tensor {
    return Tensor.from(device, random.normal(count(shape), std), shape);
  }

  /** How many bytes of its memory are its own. */
  get bytes(): number {
    return ELEMENT_BYTES[this.dtype] * this.size;
  }

  /** The memory behind it. */
  get storage(): Storage {
    if (this.#storage === null) {
      throw new ReferenceError(
        `Cannot use tensor [${this.shape}]: it was released, with its scope or by backward; keep() holds on to it`,
      );
    }
    return this.#storage;
  }

  /** Bytes from the start of the memory to its own. */
  get offset(): number {
    return this.#offset;
  }

  /** How many bytes kernels may touch: its own, and what pads them. */
  get span(): number {
    return this.#span;
  }

  /** Whether it was released. */
  get released(): boolean {
    return this.#storage === null;
  }

  /** Whether gradients flow to it. */
  get needsGrad(): boolean {
    return this.origin !== null;
  }

  /** Whether {@linkcode Tensor.keep} was called. */
  get kept(): boolean {
    return this.#kept;
  }

  /** The same memory under another shape, without a gradient; see `reshape`. */
  view(shape: Shape): Tensor {
    if (count(shape) !== this.size) {
      throw new RangeError(
        `Cannot view [${this.shape}] as [${shape}]: sizes ${this.size} and ${
          count(shape)
        } differ`,
      );
    }
    const { device, dtype, storage, offset, span } = this;
    return new Tensor(device, shape, dtype, storage, { offset, span });
  }

  /**
   * Its memory from element `start` on, as a tensor of its own: no copy, and no
   * gradient. Throws a `RangeError` unless both ends lie on multiples of 256
   * bytes, where kernels can bind them, or the second at its own end.
   */
  part(start: number, shape: Shape): Tensor {
    const bytes = ELEMENT_BYTES[this.dtype];
    const from = bytes * start;
    const to = from + bytes * count(shape);
    const aligned = from % PART_BYTES === 0 &&
      (to % PART_BYTES === 0 || to === this.bytes);
    if (!aligned || from < 0 || to > this.bytes) {
      throw new RangeError(
        `Cannot take [${shape}] at ${start} of [${this.shape}]: bytes ${from} to ${to} of ${this.bytes} do not start and end at a multiple of ${PART_BYTES}`,
      );
    }
    const offset = this.offset + from;
    const span = Math.min(this.span - from, Math.ceil((to - from) / 16) * 16);
    return new Tensor(this.device, shape, this.dtype, this.storage, {
      offset,
      span,
    });
  }

  /** Rows `first` up to `end` of its first axis; see {@linkcode Tensor.part}. */
  rows(first: number, end: number): Tensor {
    const row = count(this.shape.slice(1));
    return this.part(first * row, [end - first, ...this.shape.slice(1)]);
  }

  /** Queues setting every element to one number. */
  fill(value: number): void {
    const one = new Uint8Array(hostArray(this.dtype, [value]).buffer);
    const word = new Uint8Array(4);
    for (let at = 0; at < 4; at += one.length) word.set(one, at);
    const { device, size } = this;
    const { maxStorageBufferBindingSize } = device.limits;
    const most = Math.floor(maxStorageBufferBindingSize / PART_BYTES) *
      PART_BYTES / one.length; // elements
    for (let start = 0; start < size; start += most) {
      const y = size <= most
        ? this.view([size])
        : this.part(start, [Math.min(most, size - start)]);
      const vectors = Math.ceil(y.bytes / 16);
      fill.run("fill", {
        args: { y, vectors, value: new Uint32Array(word.buffer)[0] },
        grid: { threads: vectors },
      });
      y[Symbol.dispose]();
    }
  }

  /** Takes it out of its scope: it now lives until it is disposed. */
  keep(): this {
    this.#scope?.release(this);
    this.#scope = undefined;
    this.#kept = true;
    return this;
  }

  /** Gives it to the scope around `scope`, if it belongs to that one. */
  hoist(scope: Scope): void {
    if (this.#scope !== scope) return;
    scope.release(this);
    this.#scope = scope.outer;
    this.#scope?.adopt(this);
  }

  /** Copies the elements to the host. This is where the program waits. */
  async read(): Promise<HostArray> {
    return (await readAll([this]))[0];
  }

  /** Reads a tensor of one element. */
  async item(): Promise<number> {
    if (this.size !== 1) {
      throw new RangeError(
        `Cannot read [${this.shape}] as one number: it holds ${this.size}`,
      );
    }
    return (await this.read())[0];
  }

  /** Replaces the elements, after the work queued so far. */
  write(data: HostArray): void {
    if (data.length !== this.size || dtypeOf(data) !== this.dtype) {
      throw new RangeError(
        `Cannot write ${data.length} ${
          dtypeOf(data)
        } to a ${this.dtype} tensor [${this.shape}] of ${this.size}`,
      );
    }
    this.device.write(this, data);
  }

  /** Gives its memory back, and holds that of `other` from now on. */
  protected shareMemory({ storage, offset, span }: Tensor): void {
    this.#letGo();
    this.#storage = storage;
    this.#offset = offset;
    this.#span = span;
    storage.holders++;
  }

  /** Gives the memory back, unless another tensor views it. */
  [Symbol.dispose](): void {
    if (this.#storage === null) return;
    this.#scope?.release(this);
    this.#letGo();
    this.origin = null;
  }

  #letGo(): void {
    const storage = this.storage;
    if (--storage.holders === 0) this.device.recycle(storage);
    this.#storage = null;
  }
}

/** Copies several tensors to the host, waiting once for all of them. */
export async function readAll(
  tensors: readonly Tensor[],
): Promise<HostArray[]> {
  if (tensors.length === 0) return [];
  const buffers = await tensors[0].device.read(tensors);
  return buffers.map((buffer, i) => new HOST_ARRAYS[tensors[i].dtype](buffer));
}

function hostArray(dtype: Dtype, numbers: readonly number[]): HostArray {
  return HOST_ARRAYS[dtype].from(numbers) as HostArray;
}

function dtypeOf(data: HostArray): Dtype {
  if (data instanceof Float32Array) return "f32";
  if (data instanceof Float16Array) return "f16";
  if (data instanceof Int32Array) return "i32";
  if (data instanceof Uint32Array) return "u32";
  const { name } = (data as object).constructor;
  throw new TypeError(
    `Cannot make a tensor of a ${name}: expected a Float32Array, Float16Array, Int32Array, Uint32Array or numbers`,
  );
}
