/**
 * A run's folder: weights, optimizer and training state, always consistent.
 *
 * A save writes `model.safetensors.next` (or, of an adapter alone,
 * `adapter_model.safetensors.next`) and `optimizer.safetensors.next`,
 * flushes them, and then replaces `training_state.json`, which names both by
 * SHA-256: that rename is the moment the new step counts. Only then do the
 * `.next` files take their own names. Whoever loads takes, for each file, the
 * one of the two whose hash is named. So the process may die at any moment: the
 * folder is at the old step or the new one, never between.
 *
 * While saving, the disk holds the old and the new files together.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import {
  type Digest,
  makeFolder,
  moveFile,
  removeStrayFiles,
  syncFolder,
} from "./atomic.ts";
import { fileError, isMissing } from "./file_error.ts";
import {
  SafetensorsFile,
  type TensorSource,
  writeSafetensors,
} from "./safetensors.ts";
import {
  hasTrainingState,
  type JsonValue,
  optimizerName,
  readTrainingState,
  requireSavable,
  type WeightsName,
  weightsNameOf,
  writeTrainingState,
} from "./training_state.ts";

/** What {@linkcode saveCheckpoint} writes. */
export interface CheckpointContent {
  /** Updates done so far. */
  readonly step: number;
  /** The weights, by their published names. */
  readonly model: TensorSource;
  /**
   * What their file is called: "model.safetensors", or where an adapter is
   * trained and the weights are its own, "adapter_model.safetensors".
   */
  readonly weightsName?: WeightsName;
  /** The optimizer's moments. */
  readonly optimizer: TensorSource;
  /** Everything else that training needs to continue: JSON, no NaN. */
  readonly state: Readonly<Record<string, JsonValue>>;
}

/** A checkpoint that has been checked and opened. Dispose of it when read. */
export interface Checkpoint extends Disposable {
  /** Updates done when it was saved. */
  readonly step: number;
  /** What the caller saved beside the tensors. */
  readonly state: Readonly<Record<string, JsonValue>>;
  /** What the file of the weights is called. */
  readonly weightsName: WeightsName;
  /** The weights. */
  readonly model: SafetensorsFile;
  /** The optimizer's moments. */
  readonly optimizer: SafetensorsFile;
}

/** Bytes hashed at a time. */
const blockBytes = 1 << 22;

/** Whether a folder holds a checkpoint, sound or not. */
export function hasCheckpoint(folder: string): boolean {
  return hasTrainingState(folder);
}

/**
 * Saves a run into `folder`, making the folder if need be; the tensors are
 * drawn one by one. If it fails, the folder keeps its previous step, and the
 * error says in one line what was in the way.
 *
 * The caller holds the folder's lock (see {@linkcode lockFolder}).
 */
export async function saveCheckpoint(
  folder: string,
  {
    step,
    model,
    weightsName = "model.safetensors",
    optimizer,
    state,
  }: CheckpointContent,
): Promise<void> {
  requireSavable(step, state);
  makeFolder(folder);
  await settle(folder);

  const write = (name: string, source: TensorSource) => {
    const path = join(folder, name);
    return writeSafetensors(path, source, { as: next(path) });
  };
  try {
    const files = {
      [weightsName]: await write(weightsName, model),
      [optimizerName]: await write(optimizerName, optimizer),
    };
    syncFolder(folder);
    writeTrainingState(folder, { step, files, state });
  } catch (error) {
    // What stopped us is to be told, even if cleaning up meets it again.
    await settle(folder).catch(() => {});
    throw error;
  }
  for (const name of [weightsName, optimizerName]) {
    moveFile(next(join(folder, name)), join(folder, name));
  }
}

/**
 * Opens the checkpoint in `folder`, first checking every byte of it, finishing
 * a save that was interrupted after it counted, and removing what one that was
 * interrupted earlier left behind.
 *
 * Throws one line naming the file and what is wrong with it. The caller holds
 * the folder's lock (see {@linkcode lockFolder}).
 */
export async function loadCheckpoint(folder: string): Promise<Checkpoint> {
  const saved = readTrainingState(folder);
  const { step, files, state } = saved;
  const weightsName = weightsNameOf(saved);
  await settle(folder);
  for (const name of [weightsName, optimizerName]) {
    await requireMatch(join(folder, name), files[name]);
  }

  using opened = new DisposableStack();
  const model = opened.use(SafetensorsFile.open(join(folder, weightsName)));
  const optimizer = opened.use(
    SafetensorsFile.open(join(folder, optimizerName)),
  );
  const held = opened.move();
  return {
    step,
    state,
    weightsName,
    model,
    optimizer,
    [Symbol.dispose]: () => held.dispose(),
  };
}

/** Completes an earlier save that counts, and removes one that does not. */
async function settle(folder: string) {
  if (hasTrainingState(folder)) {
    const saved = readTrainingState(folder);
    const { files } = saved;
    for (const name of [weightsNameOf(saved), optimizerName]) {
      const path = join(folder, name);
      if (await matches(next(path), files[name])) moveFile(next(path), path);
    }
  }
  removeStrayFiles(folder);
}

/** The name of a file that does not count yet. */
function next(path: string): string {
  return `${path}.next`;
}

async function matches(path: string, expected: Digest): Promise<boolean> {
  try {
    if (Deno.statSync(path).size !== expected.bytes) return false;
  } catch (error) {
    if (isMissing(error)) return false;
    throw fileError(`read "${path}"`, error);
  }
  return await hashFile(path) === expected.sha256;
}

async function requireMatch(path: string, expected: Digest) {
  const wrong = (what: string) =>
    new Error(`Cannot resume from "${path}": ${what}`);
  let bytes: number;
  try {
    bytes = Deno.statSync(path).size;
  } catch (error) {
    throw fileError(`resume from "${path}"`, error);
  }
  if (bytes < expected.bytes) {
    throw wrong(
      `it is truncated, ${bytes} of ${expected.bytes} bytes are left`,
    );
  }
  if (bytes > expected.bytes) {
    throw wrong(`it was altered, ${bytes} bytes instead of ${expected.bytes}`);
  }
  const sha256 = await hashFile(path);
  if (sha256 !== expected.sha256) {
    throw wrong(
      `it was altered, its SHA-256 is ${sha256} instead of ${expected.sha256}`,
    );
  }
}

async function hashFile(path: string): Promise<string> {
  using file = Deno.openSync(path);
  const hash = createHash("sha256");
  const block = new Uint8Array(blockBytes);
  for (;;) {
    const count = await file.read(block);
    if (count === null) return hash.digest("hex");
    hash.update(block.subarray(0, count));
  }
}
