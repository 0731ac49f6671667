/**
 * Bytes that can be read from any place: a file's, or some in memory.
 *
 * @module
 */

import { fileError } from "./file_error.ts";

/** Bytes that can be read from any place. */
export interface ByteSource extends Disposable {
  /** What messages call it. */
  readonly name: string;
  /** Number of bytes. */
  readonly size: number;
  /** Fills `into` with the bytes that begin at byte `at`. */
  read(into: Uint8Array, at: number): void;
}

/** The bytes of a file, which stays open until disposed of. */
export class FileBytes implements ByteSource {
  /** The file's path. */
  readonly name: string;
  /** Length of the file in bytes. */
  readonly size: number;
  readonly #file: Deno.FsFile;

  /** Opens the file at `path`; throws one line if that fails. */
  constructor(path: string) {
    this.name = path;
    try {
      this.#file = Deno.openSync(path);
    } catch (error) {
      throw fileError(`read "${path}"`, error);
    }
    const { isFile, size } = this.#file.statSync();
    this.size = size;
    if (isFile) return;
    this.#file.close();
    throw new Error(`Cannot read "${path}": it is not a file`);
  }

  /** Fills `into` with the bytes that begin at byte `at`. */
  read(into: Uint8Array, at: number): void {
    let filled = 0;
    try {
      this.#file.seekSync(at, Deno.SeekMode.Start);
      while (filled < into.length) {
        const count = this.#file.readSync(into.subarray(filled));
        if (count === null) break;
        filled += count;
      }
    } catch (error) {
      throw fileError(`read "${this.name}"`, error);
    }
    if (filled === into.length) return;
    throw new Error(
      `Cannot read "${this.name}": it ends at byte ${at + filled}, ${
        into.length - filled
      } bytes early`,
    );
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

/** Bytes in memory. */
export class MemoryBytes implements ByteSource {
  /** What messages call them. */
  readonly name: string;
  readonly #bytes: Uint8Array;

  /** Reads from `bytes`, which are not copied. */
  constructor(bytes: Uint8Array, name: string) {
    this.#bytes = bytes;
    this.name = name;
  }

  /** Number of bytes. */
  get size(): number {
    return this.#bytes.length;
  }

  /** Fills `into` with the bytes that begin at byte `at`. */
  read(into: Uint8Array, at: number): void {
    into.set(this.#bytes.subarray(at, at + into.length));
  }

  /** Nothing to close. */
  [Symbol.dispose](): void {}
}
