/**
 * Files that are written whole or not at all.
 *
 * A file grows under another name, is flushed to the disk, and only then takes
 * its own name, so that a reader, a crash or a power cut sees either the old
 * content or the new one. Needs only read and write access to the folder.
 *
 * @module
 */

import { createHash, type Hash } from "node:crypto";
import { dirname, join } from "node:path";
import { fileError, isMissing } from "./file_error.ts";

/** The SHA-256 (lowercase hex) and the length of a file's content. */
export interface Digest {
  /** SHA-256 of the content, in lowercase hex. */
  readonly sha256: string;
  /** Length of the content in bytes. */
  readonly bytes: number;
}

/**
 * Replaces the file at `path` by `content` in one step.
 *
 * Throws one line naming the path if that fails; the old file is then intact.
 */
export function replaceFile(path: string, content: string | Uint8Array): void {
  const bytes = typeof content === "string"
    ? new TextEncoder().encode(content)
    : content;
  using file = new GrowingFile(`${path}.tmp`, path, bytes.length);
  file.write(bytes);
  file.finish();
  moveFile(`${path}.tmp`, path);
}

/**
 * Replaces the file at `path` unless it already holds `content`.
 *
 * Returns whether it was written.
 */
export function replaceFileIfChanged(path: string, content: string): boolean {
  try {
    if (Deno.readTextFileSync(path) === content) return false;
  } catch (error) {
    if (!isMissing(error)) throw fileError(`read "${path}"`, error);
  }
  replaceFile(path, content);
  return true;
}

/**
 * Gives a file that is safely on the disk its own name, for good, in place of
 * whatever had it. Both names must be in one folder.
 */
export function moveFile(from: string, to: string): void {
  try {
    Deno.renameSync(from, to);
    syncFolder(dirname(to));
  } catch (error) {
    throw fileError(`write "${to}"`, error);
  }
}

/** Makes a folder and those above it, where they are missing. */
export function makeFolder(path: string): void {
  try {
    Deno.mkdirSync(path, { recursive: true });
  } catch (error) {
    throw fileError(`make the folder "${path}"`, error);
  }
}

/**
 * Removes what interrupted writes left in a folder: files that end in `.tmp` or
 * in `.safetensors.next`. The caller holds the folder's lock.
 */
export function removeStrayFiles(folder: string): void {
  try {
    for (const { name, isFile } of Deno.readDirSync(folder)) {
      const stray = isFile && /\.(tmp|safetensors\.next)$/.test(name);
      if (stray) Deno.removeSync(join(folder, name));
    }
  } catch (error) {
    throw fileError(`clean the folder "${folder}"`, error);
  }
}

/** Makes the names in a folder (new, renamed, removed) survive a power cut. */
export function syncFolder(folder: string): void {
  // Windows neither needs this nor opens folders as files.
  if (Deno.build.os === "windows") return;
  using directory = Deno.openSync(folder);
  try {
    directory.syncSync();
  } catch (error) {
    // Some network file systems do not offer it.
    if ((error as { code?: unknown }).code !== "EINVAL") throw error;
  }
}

/**
 * A file being written under a name of its own, hashed on the way.
 *
 * Disposing of it before `finish` removes it again.
 */
export class GrowingFile implements Disposable {
  readonly #path: string;
  readonly #named: string;
  readonly #expected: number;
  readonly #file: Deno.FsFile;
  readonly #hash: Hash = createHash("sha256");
  #bytes = 0;
  #open = true;
  #keep = false;

  /**
   * Starts a file at `path` that will hold `expected` bytes; messages call it
   * `named`. Throws one line if it cannot be created.
   */
  constructor(path: string, named: string, expected: number) {
    this.#path = path;
    this.#named = named;
    this.#expected = expected;
    try {
      this.#file = Deno.openSync(path, {
        write: true,
        create: true,
        truncate: true,
      });
    } catch (error) {
      throw fileError(`write "${named}"`, error);
    }
  }

  /** Appends all of `chunk`. A full disk is reported with the bytes at stake. */
  write(chunk: Uint8Array): void {
    let at = 0;
    try {
      while (at < chunk.length) at += this.#file.writeSync(chunk.subarray(at));
    } catch (error) {
      throw this.#failure(error, this.#bytes + at);
    }
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
  }

  /** Flushes everything to the disk, closes the file and says what it holds. */
  finish(): Digest {
    if (this.#bytes !== this.#expected) {
      throw new RangeError(
        `Cannot write "${this.#named}": expected ${
          count(this.#expected)
        } bytes, got ${count(this.#bytes)}`,
      );
    }
    try {
      this.#file.syncSync();
    } catch (error) {
      throw this.#failure(error, this.#bytes);
    }
    this.#close();
    this.#keep = true;
    return { sha256: this.#hash.digest("hex"), bytes: this.#bytes };
  }

  /** Closes the file and removes it if it was not finished. */
  [Symbol.dispose](): void {
    this.#close();
    if (this.#keep) return;
    try {
      Deno.removeSync(this.#path);
    } catch {
      // The failure that brought us here is the one worth reporting; whatever
      // stays behind is removed by the next save.
    }
  }

  #close() {
    if (this.#open) this.#file.close();
    this.#open = false;
  }

  #failure(error: unknown, written: number): Error {
    // Asking for the free space takes a permission (--allow-sys) that writing
    // does not; what fitted before the disk was full is the same number.
    if ((error as { code?: unknown }).code !== "ENOSPC") {
      return fileError(`write "${this.#named}"`, error);
    }
    return new Error(
      `Cannot write "${this.#named}": no space left on the disk (it needs ${
        count(this.#expected)
      } bytes, ${count(written)} were free); what was there before is intact`,
      { cause: error },
    );
  }
}

function count(bytes: number): string {
  return bytes.toLocaleString("en-US");
}
