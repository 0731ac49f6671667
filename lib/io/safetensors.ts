/**
 * Tensors on disk, in the safetensors format.
 *
 * Reading holds one tensor at a time, writing holds one at a time, so that a
 * model of any size passes through little memory.
 *
 * @module
 */

import { type Digest, GrowingFile, moveFile } from "./atomic.ts";
import { type ByteSource, FileBytes, MemoryBytes } from "./byte_source.ts";
import { quote } from "./header_scanner.ts";
import {
  formatHeader,
  headerLength,
  parseHeader,
  type SafetensorsHeader,
  type TensorEntry,
} from "./safetensors_header.ts";

/** A tensor in ordinary memory. */
export interface HostTensor {
  /** Length of each dimension; empty for a single number. */
  readonly shape: readonly number[];
  /** The elements, the last dimension running fastest. */
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

/** Elements converted at a time from the 16-bit types. */
const blockElements = 1 << 20;

/**
 * An open safetensors file whose tensors are read one by one.
 *
 * The header has been checked in full: every tensor lies within the file, and
 * no two share a byte.
 */
export class SafetensorsFile implements Disposable {
  readonly #source: ByteSource;
  readonly #header: SafetensorsHeader;

  private constructor(source: ByteSource) {
    this.#source = source;
    try {
      const prefix = new Uint8Array(Math.min(8, source.size));
      source.read(prefix, 0);
      const header = new Uint8Array(headerLength(prefix, source.size));
      source.read(header, 8);
      this.#header = parseHeader(header, source.size);
    } catch (error) {
      source[Symbol.dispose]();
      if (!(error instanceof SyntaxError)) throw error;
      throw new SyntaxError(`Cannot read "${source.name}": ${error.message}`);
    }
  }

  /** Opens the file at `path`; throws one line if it is not whole and sound. */
  static open(path: string): SafetensorsFile {
    return new SafetensorsFile(new FileBytes(path));
  }

  /** Reads a file that is already in memory; `name` is used in messages. */
  static parse(bytes: Uint8Array, name = "safetensors"): SafetensorsFile {
    return new SafetensorsFile(new MemoryBytes(bytes, name));
  }

  /** What the file holds: dtype, shape and place of each tensor by name. */
  get tensors(): ReadonlyMap<string, TensorEntry> {
    return this.#header.tensors;
  }

  /** Free texts about the file, such as `format`. */
  get metadata(): ReadonlyMap<string, string> {
    return this.#header.metadata;
  }

  /**
   * Reads a tensor of dtype F32, F16 or BF16 as float32.
   *
   * Throws a `RangeError` if the file does not have it, and a `TypeError` if
   * its dtype is another.
   */
  read(name: string): HostTensor {
    const entry = this.tensors.get(name);
    if (!entry) {
      throw new RangeError(
        `Cannot read the tensor ${
          quote(name)
        }: "${this.#source.name}" does not have it`,
      );
    }
    const data = new Float32Array(entry.size);
    if (entry.dtype === "F32") {
      this.#source.read(new Uint8Array(data.buffer), entry.offset);
    } else if (entry.dtype === "F16" || entry.dtype === "BF16") {
      this.#widen(entry, data);
    } else {
      throw new TypeError(
        `Cannot read the tensor ${
          quote(name)
        }: it is ${entry.dtype}, and only F32, F16 and BF16 are converted`,
      );
    }
    return { shape: entry.shape, data };
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#source[Symbol.dispose]();
  }

  #widen({ dtype, offset, size }: TensorEntry, data: Float32Array) {
    const block = new Uint16Array(Math.min(size, blockElements));
    const floats = new Float16Array(block.buffer);
    const bits = new Uint32Array(data.buffer, data.byteOffset, size);
    for (let at = 0; at < size; at += block.length) {
      const length = Math.min(block.length, size - at);
      this.#source.read(
        new Uint8Array(block.buffer, 0, 2 * length),
        offset + 2 * at,
      );
      if (dtype === "F16") data.set(floats.subarray(0, length), at);
      else for (let i = 0; i < length; i++) bits[at + i] = block[i] << 16;
    }
  }
}

/** The texts that PyTorch's loaders expect in a file. */
const pytorchMetadata = { format: "pt" };

/**
 * Writes a safetensors file in one step: either all of it is there, or what was
 * there before. The same tensors give the same bytes.
 */
export async function saveSafetensors(
  path: string,
  source: TensorSource,
  metadata: Readonly<Record<string, string>> = pytorchMetadata,
): Promise<void> {
  await writeSafetensors(path, source, { metadata, as: `${path}.tmp` });
  moveFile(`${path}.tmp`, path);
}

/** How {@linkcode writeSafetensors} writes. */
export interface WriteOptions {
  /** Free texts about the file; `{ format: "pt" }` unless told. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** The name to write under for the time being. */
  readonly as?: string;
}

/**
 * Writes a safetensors file, flushes it to the disk, and returns its SHA-256
 * and length. If that fails, nothing stays behind.
 *
 * Throws a `RangeError` if the tensors are not those that were declared.
 */
export async function writeSafetensors(
  path: string,
  source: TensorSource,
  { metadata = pytorchMetadata, as = path }: WriteOptions = {},
): Promise<Digest> {
  const header = formatHeader(source.shapes, metadata);
  const sizes = [...source.shapes.values()].map(sizeOf);
  const dataBytes = 4 * sizes.reduce((sum, size) => sum + size, 0);
  using file = new GrowingFile(as, path, header.length + dataBytes);

  file.write(header);
  const expected = source.shapes.entries();
  for await (const [name, { shape, data }] of source.tensors) {
    const next = expected.next().value;
    const fits = next && next[0] === name && `${next[1]}` === `${shape}` &&
      data.length === sizeOf(shape);
    if (!fits) {
      throw new RangeError(
        `Cannot write "${path}": expected ${
          next ? `${quote(next[0])} [${next[1]}]` : "no further tensor"
        }, got ${quote(name)} [${shape}] of ${data.length} elements`,
      );
    }
    file.write(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  const missing = expected.next().value;
  if (missing) {
    throw new RangeError(
      `Cannot write "${path}": the tensor ${quote(missing[0])} never came`,
    );
  }
  return file.finish();
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1);
}
