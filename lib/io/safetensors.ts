/**
 * Tensors on disk, in the safetensors format.
 *
 * Reading holds one tensor at a time, or some rows of one; writing holds one at
 * a time; so a model of any size passes through little memory.
 *
 * @module
 */

import { type Digest, GrowingFile, moveFile } from "./atomic.ts";
import { type ByteSource, FileBytes, MemoryBytes } from "./byte_source.ts";
import {
  blockElements,
  bytesPerElement,
  encode,
  type FloatDtype,
  isFloatDtype,
  widen,
} from "./dtype.ts";
import { quote } from "./json_scanner.ts";
import {
  formatHeader,
  headerLength,
  parseHeader,
  prefixBytes,
  type SafetensorsHeader,
  type TensorEntry,
} from "./safetensors_header.ts";
import {
  type HostTensor,
  sliceRows,
  type StoredTensors,
  type TensorSlice,
  type TensorSource,
} from "./tensors.ts";

export type * from "./tensors.ts";

/**
 * An open safetensors file whose tensors are read one by one.
 *
 * The header has been checked in full: every tensor lies within the file, and
 * no two share a byte.
 */
export class SafetensorsFile implements StoredTensors {
  readonly #source: ByteSource;
  readonly #header: SafetensorsHeader;

  private constructor(source: ByteSource) {
    this.#source = source;
    try {
      const prefix = new Uint8Array(Math.min(prefixBytes, source.size));
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
   * Reads a tensor of dtype F32, F16 or BF16 as float32, into `into` if given.
   *
   * Throws a `RangeError` if the file does not have it or `into` is not of its
   * size, and a `TypeError` if its dtype is another.
   */
  read(name: string, into?: Float32Array<ArrayBuffer>): HostTensor {
    const { entry, dtype } = this.#floats(name);
    if (into && into.length !== entry.size) {
      throw new RangeError(
        `Cannot read the tensor ${
          quote(name)
        } [${entry.shape}] into ${into.length} elements`,
      );
    }
    const data = into ?? new Float32Array(entry.size);
    this.#fill(data, entry.offset, dtype);
    return { shape: entry.shape, data };
  }

  /**
   * Reads rows of a tensor of dtype F32, F16 or BF16 as float32: as many as
   * `into` holds, from row `first` of the first axis on. Throws as `read` does.
   */
  readRows(
    name: string,
    first: number,
    into: Float32Array<ArrayBuffer>,
  ): void {
    const { entry: { shape, size, offset }, dtype } = this.#floats(name);
    const [rows = 1] = shape;
    const width = rows > 0 ? size / rows : 0;
    const count = width > 0 ? into.length / width : into.length;
    const whole = Number.isInteger(first) && Number.isInteger(count);
    if (!(whole && first >= 0 && first + count <= rows)) {
      throw new RangeError(
        `Cannot read ${into.length} elements of the tensor ${
          quote(name)
        } [${shape}] from row ${first} on`,
      );
    }
    const skipped = first * width * bytesPerElement[dtype];
    this.#fill(into, offset + skipped, dtype);
  }

  /**
   * Reads a tensor of dtype F32, F16 or BF16 as float32 in slices of whole
   * rows, as many at a time as `bytes` bytes hold, and never less than one.
   * Throws as `read` does.
   */
  slices(name: string, bytes?: number): Iterable<TensorSlice> {
    return sliceRows(this, name, bytes);
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#source[Symbol.dispose]();
  }

  #floats(name: string): { entry: TensorEntry; dtype: FloatDtype } {
    const entry = this.tensors.get(name);
    if (!entry) {
      throw new RangeError(
        `Cannot read the tensor ${
          quote(name)
        }: "${this.#source.name}" does not have it`,
      );
    }
    const { dtype } = entry;
    if (isFloatDtype(dtype)) return { entry, dtype };
    throw new TypeError(
      `Cannot read the tensor ${
        quote(name)
      }: it is ${dtype}, and only F32, F16 and BF16 are converted`,
    );
  }

  /** Fills `data` with the elements that begin at byte `offset` of the file. */
  #fill(data: Float32Array<ArrayBuffer>, offset: number, dtype: FloatDtype) {
    if (dtype === "F32") {
      const bytes = new Uint8Array(
        data.buffer,
        data.byteOffset,
        4 * data.length,
      );
      return this.#source.read(bytes, offset);
    }
    const block = new Uint16Array(Math.min(data.length, blockElements));
    for (let at = 0; at < data.length; at += block.length) {
      const bits = block.subarray(0, data.length - at);
      const bytes = new Uint8Array(bits.buffer, 0, 2 * bits.length);
      this.#source.read(bytes, offset + 2 * at);
      widen(dtype, bits, data.subarray(at, at + bits.length));
    }
  }
}

/** How a file is written. */
export interface SafetensorsOptions {
  /** How the elements are stored; `F32`, as they come, unless told. */
  readonly dtype?: FloatDtype;
  /** Free texts about the file; `{ format: "pt" }` unless told. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** How {@linkcode writeSafetensors} writes. */
export interface WriteOptions extends SafetensorsOptions {
  /** The name to write under for the time being. */
  readonly as?: string;
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
  options: SafetensorsOptions = {},
): Promise<void> {
  await writeSafetensors(path, source, { ...options, as: `${path}.tmp` });
  moveFile(`${path}.tmp`, path);
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
  { dtype = "F32", metadata = pytorchMetadata, as = path }: WriteOptions = {},
): Promise<Digest> {
  const header = formatHeader(source.shapes, dtype, metadata);
  const size = [...source.shapes.values()].reduce((n, s) => n + sizeOf(s), 0);
  const bytes = header.length + size * bytesPerElement[dtype];
  using file = new GrowingFile(as, path, bytes);

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
    for (const chunk of encode(data, dtype)) file.write(chunk);
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
