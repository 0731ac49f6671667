/**
 * The header of a safetensors file: what tensors it holds, and where.
 *
 * The file is eight bytes with the header's length (little-endian), the header
 * (JSON), and the data. The header is
 *
 *     { "__metadata__": { text: text, … },
 *       name: { "dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24] }, … }
 *
 * and nothing else, so it is read by a parser of just that grammar.
 *
 * @module
 */

import { bitsPerElement, bytesPerElement, type FloatDtype } from "./dtype.ts";
import { JsonScanner, quote } from "./json_scanner.ts";

/** Longest header that the format allows, in bytes. */
const maxHeaderBytes = 100_000_000;

/** One tensor of a file: what it is and where its bytes lie. */
export interface TensorEntry {
  /** Element type as the format spells it: `F32`, `BF16`, `I64`, … */
  readonly dtype: string;
  /** Length of each dimension; empty for a single number. */
  readonly shape: readonly number[];
  /** Number of elements. */
  readonly size: number;
  /** Where the tensor's first byte lies in the file. */
  readonly offset: number;
  /** Number of bytes it takes. */
  readonly bytes: number;
}

/** What a file's header says. */
export interface SafetensorsHeader {
  /** The tensors by name, in the header's order. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** Free texts about the file. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** Bytes that tell how long a header is, and whether it may be one. */
export const prefixBytes = 9;

/**
 * The length in bytes of the header of a file of `fileBytes` bytes, of which
 * `prefix` is the first {@linkcode prefixBytes}, or all if it has fewer.
 *
 * Throws a `SyntaxError` if such a header cannot be.
 */
export function headerLength(prefix: Uint8Array, fileBytes: number): number {
  if (prefix.length < 8) {
    throw new SyntaxError(
      `the file has ${prefix.length} bytes, too few for a header`,
    );
  }
  const view = new DataView(prefix.buffer, prefix.byteOffset, 8);
  const length = view.getBigUint64(0, true);
  if (length > maxHeaderBytes) {
    throw new SyntaxError(
      `its header claims ${length} bytes, more than the ${maxHeaderBytes} that are allowed`,
    );
  }
  if (8n + length > fileBytes) {
    throw new SyntaxError(
      `its header claims ${length} bytes, but the file has ${fileBytes} (truncated?)`,
    );
  }
  // A gigabyte of something else is not worth reading for a better message.
  if (prefix[8] !== "{".charCodeAt(0)) {
    throw new SyntaxError("its header does not begin with {");
  }
  return Number(length);
}

/**
 * Reads the header `bytes` of a file of `fileBytes` bytes, and checks that its
 * tensors fill the file exactly, without holes and without overlap.
 *
 * Throws a `SyntaxError` naming what is wrong.
 */
export function parseHeader(
  bytes: Uint8Array,
  fileBytes: number,
): SafetensorsHeader {
  const scanner = new JsonScanner(bytes, "its header");
  const tensors = new Map<string, TensorEntry>();
  let metadata: ReadonlyMap<string, string> | undefined;
  const dataStart = 8 + bytes.length;

  scanner.object((key) => {
    if (key === "__metadata__") {
      if (metadata) throw new SyntaxError(`its header has two "__metadata__"`);
      metadata = parseMetadata(scanner);
      return;
    }
    if (tensors.has(key)) {
      throw new SyntaxError(`its header has two tensors named ${quote(key)}`);
    }
    tensors.set(key, parseEntry(scanner, key, dataStart));
  });
  scanner.end();

  checkLayout(tensors, dataStart, fileBytes);
  return { tensors, metadata: metadata ?? new Map() };
}

/**
 * The first bytes of a file, up to its data, for tensors of one dtype in the
 * order given, padded with spaces so that the data begins at a multiple of 8.
 */
export function formatHeader(
  shapes: ReadonlyMap<string, readonly number[]>,
  dtype: FloatDtype,
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const fields: string[] = [];
  if (Object.keys(metadata).length > 0) {
    fields.push(`"__metadata__":${JSON.stringify(metadata)}`);
  }
  let end = 0;
  for (const [name, shape] of shapes) {
    const bytes = bytesPerElement[dtype] * elementsIn(name, shape);
    const entry = { dtype, shape, data_offsets: [end, end += bytes] };
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`);
  }
  const json = new TextEncoder().encode(`{${fields.join(",")}}`);
  const bytes = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(bytes.length - 8), true);
  bytes.set(json, 8);
  return bytes;
}

function parseMetadata(scanner: JsonScanner): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  scanner.object((key) => {
    if (metadata.has(key)) {
      throw new SyntaxError(`its metadata has two fields ${quote(key)}`);
    }
    metadata.set(key, scanner.string());
  });
  return metadata;
}

function parseEntry(
  scanner: JsonScanner,
  name: string,
  dataStart: number,
): TensorEntry {
  let dtype: string | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  const wrong = (what: string) =>
    new SyntaxError(`its tensor ${quote(name)} ${what}`);

  scanner.object((key) => {
    if (key === "dtype" && dtype === undefined) dtype = scanner.string();
    else if (key === "shape" && !shape) shape = scanner.numbers();
    else if (key === "data_offsets" && !offsets) offsets = scanner.numbers();
    else throw wrong(`has a field ${quote(key)} too many`);
  });

  if (dtype === undefined) throw wrong("has no dtype");
  if (!shape) throw wrong("has no shape");
  if (!offsets) throw wrong("has no data_offsets");
  const bits = bitsPerElement.get(dtype);
  if (bits === undefined) throw wrong(`has an unknown dtype, ${quote(dtype)}`);
  if (offsets.length !== 2) {
    throw wrong(`has ${offsets.length} data_offsets instead of 2`);
  }
  const [start, end] = offsets;
  if (end < start) throw wrong(`ends (${end}) before it starts (${start})`);

  const size = product(shape);
  const needed = size * bits;
  if (!(needed <= Number.MAX_SAFE_INTEGER)) {
    throw wrong("has a shape of more elements than a file can hold");
  }
  if (needed % 8 !== 0) throw wrong(`ends within a byte (${needed} bits)`);
  if (end - start !== needed / 8) {
    throw wrong(`takes ${needed / 8} bytes but is given ${end - start}`);
  }
  return { dtype, shape, size, offset: dataStart + start, bytes: end - start };
}

/** Number of elements of a shape, or Infinity where that cannot be exact. */
function product(shape: readonly number[]): number {
  let size = 1;
  for (const length of shape) {
    size *= length;
    if (!Number.isSafeInteger(size)) return Infinity;
  }
  return size;
}

/** Checks that the tensors lie end to end from the first data byte to the last. */
function checkLayout(
  tensors: ReadonlyMap<string, TensorEntry>,
  dataStart: number,
  fileBytes: number,
) {
  let end = dataStart;
  for (const [name, { offset, bytes }] of inOrder(tensors)) {
    if (offset !== end) {
      const what = offset < end ? "overlaps another" : "leaves a hole";
      throw new SyntaxError(
        `its tensor ${quote(name)} ${what}: it starts at data byte ${
          offset - dataStart
        } instead of ${end - dataStart}`,
      );
    }
    end = offset + bytes;
  }
  if (end !== fileBytes) {
    throw new SyntaxError(
      `its tensors take ${end} bytes, but the file has ${fileBytes}${
        fileBytes < end ? " (truncated?)" : ""
      }`,
    );
  }
}

/** The tensors as they lie in the file; most headers have them so already. */
function inOrder(
  tensors: ReadonlyMap<string, TensorEntry>,
): Iterable<readonly [string, TensorEntry]> {
  let end = 0;
  for (const { offset, bytes } of tensors.values()) {
    if (offset < end) {
      return [...tensors].sort(([, a], [, b]) =>
        a.offset - b.offset || a.bytes - b.bytes
      );
    }
    end = offset + bytes;
  }
  return tensors;
}

function elementsIn(name: string, shape: readonly number[]): number {
  const valid = name !== "__metadata__" && name.isWellFormed() &&
    shape.every((length) => Number.isSafeInteger(length) && length >= 0);
  const size = valid ? product(shape) : NaN;
  if (Number.isFinite(size)) return size;
  throw new RangeError(`Cannot write the tensor ${quote(name)} [${shape}]`);
}
