/**
 * One owner at a time for a folder.
 *
 * @module
 */

import { join } from "node:path";
import { fileError } from "./file_error.ts";

/** A folder held until disposed of, or until the process ends in any way. */
export class FolderLock implements Disposable {
  readonly #file: Deno.FsFile;

  /** Takes charge of an open, locked file; see {@linkcode lockFolder}. */
  constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /**
   * Lets others have the folder. The lock file stays: removing it could take
   * it from under a process that has just opened it.
   */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

/**
 * Claims an existing folder for this process, or throws one line at once if
 * another process has it (or if the folder cannot be written to).
 *
 * The operating system drops the lock with the process that holds it, so that
 * nothing is left to clean up even after `kill -9`.
 */
export function lockFolder(folder: string): FolderLock {
  const path = join(folder, ".lock");
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, { read: true, write: true, create: true });
  } catch (error) {
    throw fileError(`use the folder "${folder}"`, error);
  }
  let locked = false;
  try {
    locked = file.tryLockSync(true);
    if (locked) note(file);
  } catch (error) {
    file.close();
    throw fileError(`lock the folder "${folder}"`, error);
  }
  if (locked) return new FolderLock(file);
  const owner = readNote(file);
  file.close();
  throw new Error(
    `Cannot use the folder "${folder}": another run${owner} is writing to it; wait for it, stop it, or name another folder`,
  );
}

/** Leaves the process number for whoever finds the folder locked. */
function note(file: Deno.FsFile) {
  file.truncateSync(0);
  file.writeSync(new TextEncoder().encode(`${Deno.pid}\n`));
}

function readNote(file: Deno.FsFile): string {
  const bytes = new Uint8Array(32);
  let length = 0;
  try {
    length = file.readSync(bytes) ?? 0;
  } catch {
    // Windows keeps even readers away from a locked file.
  }
  const text = new TextDecoder().decode(bytes.subarray(0, length)).trim();
  return /^\d+$/.test(text) ? ` (process ${text})` : "";
}
