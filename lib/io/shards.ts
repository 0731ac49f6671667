/**
 * Tensors spread over several safetensors files.
 *
 * @module
 */

import { basename, dirname, join, sep } from "node:path";
import { FileBytes } from "./byte_source.ts";
import { fileError, isMissing } from "./file_error.ts";
import { quote } from "./json_scanner.ts";
import { SafetensorsFile } from "./safetensors.ts";
import type { TensorEntry } from "./safetensors_header.ts";
import { maxIndexBytes, parseIndex, type WeightMap } from "./shard_index.ts";
import {
  type HostTensor,
  sliceRows,
  type StoredTensors,
  type TensorSlice,
} from "./tensors.ts";

/** Files held open at a time: systems allow a few hundred. */
const maxOpen = 32;

/**
 * The tensors of a `model.safetensors.index.json` and the shards it names.
 *
 * Every shard has been opened and checked: each holds the tensors that the
 * index says, and no other has them.
 */
export class ShardedTensors implements StoredTensors {
  /** What there is: dtype, shape and place in its shard of each tensor. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** The free texts of the first shard. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly #folder: string;
  readonly #weightMap: WeightMap;
  /** The files used last, the latest at the end. */
  readonly #open = new Map<string, SafetensorsFile>();

  private constructor(path: string) {
    this.#folder = dirname(path);
    this.#weightMap = readIndex(path);
    try {
      requireWithin(this.#folder, new Set(this.#weightMap.values()));
      this.tensors = this.#collect();
      const [first] = this.#weightMap.values();
      this.metadata = this.#file(first).metadata;
    } catch (error) {
      this[Symbol.dispose]();
      if (!(error instanceof RangeError)) throw error;
      throw new RangeError(`Cannot read "${path}": ${error.message}`);
    }
  }

  /** Opens an index and its shards; throws one line naming what is wrong. */
  static open(path: string): ShardedTensors {
    return new ShardedTensors(path);
  }

  /**
   * Reads a tensor of dtype F32, F16 or BF16 as float32, into `into` if given.
   * Throws as {@linkcode SafetensorsFile.read} does.
   */
  read(name: string, into?: Float32Array<ArrayBuffer>): HostTensor {
    return this.#fileOf(name).read(name, into);
  }

  /**
   * Reads as many rows of a tensor as `into` holds, from row `first` on. Throws
   * as {@linkcode SafetensorsFile.readRows} does.
   */
  readRows(
    name: string,
    first: number,
    into: Float32Array<ArrayBuffer>,
  ): void {
    this.#fileOf(name).readRows(name, first, into);
  }

  /**
   * Reads a tensor in slices of whole rows, as many at a time as `bytes` bytes
   * hold. Throws as {@linkcode SafetensorsFile.slices} does.
   */
  slices(name: string, bytes?: number): Iterable<TensorSlice> {
    return sliceRows(this, name, bytes);
  }

  /** Closes all files. */
  [Symbol.dispose](): void {
    for (const file of this.#open.values()) file[Symbol.dispose]();
    this.#open.clear();
  }

  /** Every tensor's entry, in the index's order. */
  #collect(): ReadonlyMap<string, TensorEntry> {
    const found = new Map<string, TensorEntry>();
    for (const shard of new Set(this.#weightMap.values())) {
      for (const [name, entry] of this.#file(shard).tensors) {
        const place = this.#weightMap.get(name);
        if (place !== shard) {
          throw new RangeError(
            `${quote(shard)} holds the tensor ${quote(name)}, which the index ${
              place === undefined ? "does not name" : `has in ${quote(place)}`
            }`,
          );
        }
        found.set(name, entry);
      }
    }
    return new Map(
      [...this.#weightMap].map(([name, shard]) => {
        const entry = found.get(name);
        if (entry) return [name, entry];
        throw new RangeError(
          `${quote(shard)} does not hold the tensor ${quote(name)}`,
        );
      }),
    );
  }

  #fileOf(name: string): SafetensorsFile {
    const shard = this.#weightMap.get(name);
    if (shard !== undefined) return this.#file(shard);
    throw new RangeError(
      `Cannot read the tensor ${
        quote(name)
      }: "${this.#folder}" does not have it`,
    );
  }

  /** A shard, opened again if it was closed to make room. */
  #file(shard: string): SafetensorsFile {
    const file = this.#open.get(shard) ??
      SafetensorsFile.open(join(this.#folder, shard));
    this.#open.delete(shard);
    this.#open.set(shard, file);
    const [oldest] = this.#open;
    if (this.#open.size > maxOpen) {
      oldest[1][Symbol.dispose]();
      this.#open.delete(oldest[0]);
    }
    return file;
  }
}

/** Reads an index; throws one line naming what is wrong with it. */
export function readIndex(path: string): WeightMap {
  using file = new FileBytes(path);
  try {
    if (file.size > maxIndexBytes) {
      throw new SyntaxError(
        `it has ${file.size} bytes, more than the ${maxIndexBytes} that are read`,
      );
    }
    const bytes = new Uint8Array(file.size);
    file.read(bytes, 0);
    return parseIndex(bytes);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SyntaxError(`Cannot read "${path}": ${error.message}`);
  }
}

/**
 * Checks that shards are there, and that links lead no further than to files of
 * the same model: those in the folder, or, in a cache of the Hugging Face hub,
 * the blobs that belong to it.
 */
function requireWithin(folder: string, shards: ReadonlySet<string>) {
  const real = Deno.realPathSync(folder);
  const allowed = [real];
  if (basename(dirname(real)) === "snapshots") {
    allowed.push(join(dirname(dirname(real)), "blobs"));
  }
  for (const shard of shards) {
    let target: string;
    try {
      target = Deno.realPathSync(join(folder, shard));
    } catch (error) {
      if (isMissing(error)) {
        throw new RangeError(`the shard ${quote(shard)} is missing`);
      }
      throw fileError(`read "${join(folder, shard)}"`, error);
    }
    if (!allowed.some((place) => target.startsWith(place + sep))) {
      throw new RangeError(
        `the shard ${quote(shard)} is a link that leaves the folder`,
      );
    }
  }
}
