/**
 * Taking the folder of a run.
 *
 * @module
 */

import { makeFolder } from "../lib/io/atomic.ts";
import { hasCheckpoint } from "../lib/io/checkpoint.ts";
import { type FolderLock, lockFolder } from "../lib/io/lock.ts";

/** Takes the folder for a run, or throws one line that says why not. */
export function claimFolder(
  out: string,
  { resume, overwrite }: {
    readonly resume: boolean;
    readonly overwrite: boolean;
  },
): FolderLock {
  if (resume && !hasCheckpoint(out)) {
    throw new Error(`Cannot resume: ${out} holds no run`);
  }
  makeFolder(out);
  const lock = lockFolder(out);
  if (resume || overwrite || !hasCheckpoint(out)) return lock;
  lock[Symbol.dispose]();
  throw new Error(
    `Cannot start a run in ${out}: it holds one; --resume continues it, --overwrite starts anew, --out names another folder`,
  );
}

/** Whether there is a folder of that name. */
export function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false; // Claiming it will say what is wrong, if anything is.
  }
}
