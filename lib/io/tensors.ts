/**
 * Tensors on their way from and to the disk.
 *
 * @module
 */

import type { TensorEntry } from "./safetensors_header.ts";

/** A tensor in ordinary memory. */
export interface HostTensor {
  /** Length of each dimension; empty for a single number. */
  readonly shape: readonly number[];
  /** The elements, the last dimension running fastest. */
  readonly data: Float32Array<ArrayBuffer>;
}

/** Some rows of a tensor in ordinary memory. */
export interface TensorSlice {
  /** The first row, counted along the first axis. */
  readonly first: number;
  /** The row after the last. */
  readonly end: number;
  /** The elements, which stay only until the next slice is asked for. */
  readonly data: Float32Array<ArrayBuffer>;
}

/** Named tensors whose shapes are known before their data. */
export interface TensorSource {
  /** The shape of each tensor, in the order they will come. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** The tensors, each once, in the order of `shapes`. */
  readonly tensors:
    | Iterable<readonly [name: string, tensor: HostTensor]>
    | AsyncIterable<readonly [name: string, tensor: HostTensor]>;
}

/**
 * Named tensors on the disk, open to be read one by one.
 *
 * The methods that read throw a `RangeError` if there is no tensor of that
 * name, and a `TypeError` if its dtype is none of F32, F16 and BF16.
 */
export interface StoredTensors extends Disposable {
  /** What there is: dtype, shape and place of each tensor by name. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** Free texts about them, such as `format`. */
  readonly metadata: ReadonlyMap<string, string>;
  /**
   * Reads a tensor as float32, into memory of its size if that is given.
   */
  read(name: string, into?: Float32Array<ArrayBuffer>): HostTensor;
  /**
   * Reads as many rows of a tensor as `into` holds, from row `first` on; rows
   * are counted along the first axis.
   */
  readRows(
    name: string,
    first: number,
    into: Float32Array<ArrayBuffer>,
  ): void;
  /**
   * Reads a tensor as float32 in slices of whole rows, as many at a time as
   * `bytes` bytes hold (64 MiB unless told), in multiples of 64 if so many do,
   * and never less than one.
   */
  slices(name: string, bytes?: number): Iterable<TensorSlice>;
}

/** What `StoredTensors.slices` does, by what `readRows` does. */
export function* sliceRows(
  stored: StoredTensors,
  name: string,
  bytes = 64 << 20,
): Generator<TensorSlice> {
  const { shape, size } = stored.tensors.get(name) ?? { shape: [], size: 0 };
  const rows = size > 0 ? shape[0] ?? 1 : 0;
  const width = rows > 0 ? size / rows : 1;
  const fitting = Math.max(1, Math.floor(bytes / 4 / width));
  // 64 rows of any width are a multiple of 256 bytes, where views may begin.
  const height = Math.min(
    rows,
    fitting < 64 ? fitting : fitting - fitting % 64,
  );
  const block = new Float32Array(height * width);
  // Without rows, one reading of none asks whether there is such a tensor.
  for (let first = 0; first < Math.max(1, rows); first += height || 1) {
    const end = Math.min(rows, first + height);
    const data = block.subarray(0, (end - first) * width);
    stored.readRows(name, first, data);
    if (end > first) yield { first, end, data };
  }
}
