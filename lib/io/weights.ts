/**
 * The weights of a model folder: `model.safetensors`, or several shards and
 * `model.safetensors.index.json`.
 *
 * @module
 */

import { join } from "node:path";
import { makeFolder, moveFile, replaceFile, syncFolder } from "./atomic.ts";
import { bytesPerElement } from "./dtype.ts";
import { exists, fileError, isMissing } from "./file_error.ts";
import {
  SafetensorsFile,
  type SafetensorsOptions,
  writeSafetensors,
} from "./safetensors.ts";
import {
  formatIndex,
  indexName,
  shardName,
  singleName,
} from "./shard_index.ts";
import { ShardedTensors } from "./shards.ts";
import type { HostTensor, StoredTensors, TensorSource } from "./tensors.ts";

/**
 * Opens the weights in `folder`, one file or sharded.
 *
 * Throws one line naming the file and what is missing or malformed.
 */
export function openWeights(folder: string): StoredTensors {
  const single = join(folder, singleName);
  if (exists(single)) return SafetensorsFile.open(single);
  const index = join(folder, indexName);
  if (exists(index)) return ShardedTensors.open(index);
  const pickle = ["pytorch_model.bin", "pytorch_model.bin.index.json"]
    .some((name) => exists(join(folder, name)));
  throw new Error(
    `Cannot load weights from "${folder}": there is no ${singleName} in it${
      pickle
        ? " (pytorch_model.bin is not read: loading such files can run code)"
        : ""
    }`,
  );
}

/** How {@linkcode saveWeights} writes. */
export interface WeightsOptions extends SafetensorsOptions {
  /** Most bytes of tensors in a file; 5 GB unless told. */
  readonly maxShardBytes?: number;
}

/**
 * Writes the weights of a model folder, as shards and an index if they are more
 * than `maxShardBytes`. The tensors are drawn one by one, and the same tensors
 * give the same bytes.
 *
 * If that fails, the weights that were there are intact. A single file replaces
 * what was there in one step. Where shards replace shards, the old index goes
 * before the first and the new one comes after the last, so that a crash in
 * between leaves a folder without weights rather than with mixed ones.
 */
export async function saveWeights(
  folder: string,
  source: TensorSource,
  { maxShardBytes = 5e9, dtype = "F32", metadata }: WeightsOptions = {},
): Promise<void> {
  makeFolder(folder);
  const shards = split(source.shapes, maxShardBytes / bytesPerElement[dtype]);
  const names = shards.length === 1
    ? [singleName]
    : shards.map((_, i) => shardName(i, shards.length));
  const pathOf = (name: string) => join(folder, name);

  using written = new DisposableStack();
  await using all = iterate(source.tensors);
  for (const [i, shapes] of shards.entries()) {
    // The last one also meets whatever comes too much.
    const count = i + 1 < shards.length ? shapes.size : Infinity;
    const as = `${pathOf(names[i])}.tmp`;
    await writeSafetensors(
      pathOf(names[i]),
      { shapes, tensors: take(all, count) },
      { dtype, metadata, as },
    );
    written.defer(() => removeIfThere(as));
  }

  const moveAll = () => {
    for (const name of names) moveFile(`${pathOf(name)}.tmp`, pathOf(name));
  };
  if (shards.length === 1) {
    moveAll();
    removeIfThere(pathOf(indexName));
  } else {
    const map = new Map(
      shards.flatMap((shapes, i) =>
        [...shapes.keys()].map((name) => [name, names[i]] as const)
      ),
    );
    const size = shards.reduce((sum, shapes) => sum + elementsOf(shapes), 0);
    removeIfThere(pathOf(indexName));
    syncFolder(folder);
    moveAll();
    replaceFile(
      pathOf(indexName),
      formatIndex(map, size * bytesPerElement[dtype]),
    );
    removeIfThere(pathOf(singleName));
  }
  removeOtherShards(folder, new Set(names));
}

type Shapes = TensorSource["shapes"];

/** The tensors in their order, in groups of at most `limit` elements. */
function split(shapes: Shapes, limit: number): Shapes[] {
  const groups: Map<string, readonly number[]>[] = [new Map()];
  let filled = 0;
  for (const [name, shape] of shapes) {
    const size = shape.reduce((product, length) => product * length, 1);
    if (filled > 0 && filled + size > limit) {
      groups.push(new Map());
      filled = 0;
    }
    groups.at(-1)!.set(name, shape);
    filled += size;
  }
  return groups;
}

function elementsOf(shapes: Shapes): number {
  return shapes.values().reduce(
    (sum, shape) => sum + shape.reduce((size, length) => size * length, 1),
    0,
  );
}

type Named = readonly [name: string, tensor: HostTensor];

async function* iterate(
  tensors: TensorSource["tensors"],
): AsyncGenerator<Named> {
  yield* tensors;
}

/** The next `count` of them, leaving the others for later. */
async function* take(
  all: AsyncGenerator<Named>,
  count: number,
): AsyncGenerator<Named> {
  for (let i = 0; i < count; i++) {
    const { done, value } = await all.next();
    if (done) return;
    yield value;
  }
}

/** Removes the shards of an earlier save that the new one does not have. */
function removeOtherShards(folder: string, names: ReadonlySet<string>) {
  for (const { name } of [...Deno.readDirSync(folder)]) {
    const shard = /^model-\d{5}-of-\d{5}\.safetensors$/.test(name);
    if (shard && !names.has(name)) removeIfThere(join(folder, name));
  }
}

function removeIfThere(path: string) {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!isMissing(error)) throw fileError(`remove "${path}"`, error);
  }
}
