/**
 * The cache that Hugging Face's libraries share on a machine.
 *
 *     models--ORG--NAME/blobs/HASH               the content of a file
 *     models--ORG--NAME/snapshots/COMMIT/FILE    a link to its blob
 *     models--ORG--NAME/refs/REVISION            the commit it stands for
 *     .locks/models--ORG--NAME/HASH.lock         held by who fetches the blob
 *
 * @module
 */

import { dirname, join } from "node:path";
import { makeFolder, moveFile, replaceFile } from "./atomic.ts";
import { fileError, isMissing } from "./file_error.ts";
import { isCommit } from "./hub_reference.ts";
import { pause } from "./patience.ts";

/** Milliseconds between two looks at a lock that another process holds. */
const lockInterval = 100;

/** The part of the cache that belongs to one model. */
export class ModelCache {
  readonly #folder: string;
  readonly #locks: string;

  /** The model `id` in the cache at `root`; nothing is made yet. */
  constructor(root: string, id: string) {
    const name = `models--${id.replace("/", "--")}`;
    this.#folder = join(root, name);
    this.#locks = join(root, ".locks", name);
  }

  /** The folder of the model at a commit. */
  snapshot(commit: string): string {
    return join(this.#folder, "snapshots", commit);
  }

  /** The place of the content that has this hash. */
  blob(hash: string): string {
    return join(this.#folder, "blobs", hash);
  }

  /** The commit that a revision stood for when it was last asked for. */
  commit(revision: string): string | undefined {
    if (isCommit(revision)) return revision;
    const path = join(this.#folder, "refs", revision);
    try {
      const commit = Deno.readTextFileSync(path).trim();
      return isCommit(commit) ? commit : undefined;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw fileError(`read "${path}"`, error);
    }
  }

  /** Remembers the commit that a revision stands for. */
  remember(revision: string, commit: string): void {
    if (isCommit(revision) || this.commit(revision) === commit) return;
    const path = join(this.#folder, "refs", revision);
    makeFolder(dirname(path));
    replaceFile(path, commit);
  }

  /** Whether a file of a snapshot is there, and its content with it. */
  has(commit: string, file: string): boolean {
    return isFile(join(this.snapshot(commit), file));
  }

  /** Whether content of this hash is there. */
  hasBlob(hash: string): boolean {
    return isFile(this.blob(hash));
  }

  /** Makes a file of a snapshot lead to the content of this hash. */
  link(commit: string, file: string, hash: string): void {
    const path = join(this.snapshot(commit), file);
    makeFolder(dirname(path));
    const fresh = `${path}.tmp`;
    try {
      removeIfThere(fresh);
      makeLink(this.blob(hash), join("..", "..", "blobs", hash), fresh);
    } catch (error) {
      throw fileError(`write "${path}"`, error);
    }
    moveFile(fresh, path);
  }

  /**
   * Waits until no other process fetches the content of this hash, and keeps
   * others from it until disposed of. `onWait` is called if there is a wait.
   */
  async lock(
    hash: string,
    { signal, onWait }: { signal?: AbortSignal; onWait: () => void },
  ): Promise<Disposable> {
    makeFolder(this.#locks);
    makeFolder(dirname(this.blob(hash)));
    const path = join(this.#locks, `${hash}.lock`);
    let file: Deno.FsFile;
    try {
      file = Deno.openSync(path, { read: true, write: true, create: true });
    } catch (error) {
      throw fileError(`use the cache at "${path}"`, error);
    }
    try {
      for (let first = true; !file.tryLockSync(true); first = false) {
        if (first) onWait();
        await pause(lockInterval, signal);
      }
      return file;
    } catch (error) {
      file.close();
      throw error;
    }
  }
}

/**
 * Makes `path` lead to `blob`, of which `relative` is the way from there. Where
 * symbolic links need a permission, of Deno or of the system, a second name of
 * the file does as well, and at worst a copy.
 */
function makeLink(blob: string, relative: string, path: string) {
  const ways = [
    () => Deno.symlinkSync(relative, path),
    () => Deno.linkSync(blob, path),
  ];
  for (const way of ways) {
    try {
      return way();
    } catch {
      // The next one will do, or say what is in the way.
    }
  }
  Deno.copyFileSync(blob, path);
}

function removeIfThere(path: string) {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (isMissing(error)) return false;
    throw fileError(`read "${path}"`, error);
  }
}
