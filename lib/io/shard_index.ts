/**
 * `model.safetensors.index.json`: which file of several holds which tensor.
 *
 *     { "metadata": { "total_size": 24, … },
 *       "weight_map": { name: "model-00001-of-00002.safetensors", … } }
 *
 * @module
 */

import { JsonScanner, quote } from "./json_scanner.ts";

/** The weights of a model folder, if they are one file. */
export const singleName = "model.safetensors";

/** The index of the weights of a model folder, if they are shards. */
export const indexName = "model.safetensors.index.json";

/** Longest index that is read, in bytes: some 200,000 tensors. */
export const maxIndexBytes = 25_000_000;

/** Most shards we open. */
const maxShards = 10_000;

/** What an index says that we believe: the shard of each tensor, by its name. */
export type WeightMap = ReadonlyMap<string, string>;

/**
 * Reads the index in `bytes`. Only its `weight_map` counts: what the rest says
 * can be had from the shards themselves.
 *
 * Throws a `SyntaxError` naming what is wrong, such as a shard that would lie
 * in another folder.
 */
export function parseIndex(bytes: Uint8Array): WeightMap {
  const scanner = new JsonScanner(bytes, "it");
  let map: WeightMap | undefined;
  scanner.object((key) => {
    if (key !== "weight_map") return scanner.skip();
    if (map) throw new SyntaxError(`it has two "weight_map"`);
    map = parseWeightMap(scanner);
  });
  scanner.end();
  if (!map) throw new SyntaxError(`it has no "weight_map"`);
  if (map.size === 0) throw new SyntaxError(`its "weight_map" is empty`);
  return map;
}

/** The text of an index. */
export function formatIndex(map: WeightMap, totalBytes: number): string {
  const index = {
    metadata: { total_size: totalBytes },
    weight_map: Object.fromEntries(map),
  };
  return `${JSON.stringify(index, null, 2)}\n`;
}

/** The usual name of a shard, counted from 0. */
export function shardName(shard: number, shards: number): string {
  const five = (n: number) => String(n).padStart(5, "0");
  return `model-${five(shard + 1)}-of-${five(shards)}.safetensors`;
}

/**
 * Whether a name is that of a safetensors file in the folder at hand, whatever
 * the system: no path, no address, no device.
 */
export function isShardName(name: string): boolean {
  return name.length <= 200 && /^[\w][\w.+-]*\.safetensors$/.test(name) &&
    !/^(con|prn|aux|nul|com\d|lpt\d)\./i.test(name);
}

function parseWeightMap(scanner: JsonScanner): WeightMap {
  const map = new Map<string, string>();
  const shards = new Set<string>();
  scanner.object((name) => {
    if (map.has(name)) {
      throw new SyntaxError(`its "weight_map" has ${quote(name)} twice`);
    }
    const shard = scanner.string();
    if (!shards.has(shard)) {
      if (!isShardName(shard)) {
        throw new SyntaxError(
          `it puts the tensor ${quote(name)} in ${
            quote(shard)
          }, which is no name of a safetensors file in this folder`,
        );
      }
      if (shards.size === maxShards) {
        throw new SyntaxError(`it names more than ${maxShards} shards`);
      }
      shards.add(shard);
    }
    map.set(name, shard);
  });
  return map;
}
