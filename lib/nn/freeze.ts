/**
 * Which parameters of a model train.
 *
 * @module
 */

import type { Parameter } from "../tensor/parameter.ts";
import { parameters } from "./parameters.ts";

/** Parameters by path: those that training moves, and those it leaves. */
export interface Trained {
  /** Those that train. */
  readonly trained: ReadonlyMap<string, Parameter>;
  /** Those that are frozen. */
  readonly frozen: ReadonlyMap<string, Parameter>;
  /** How many numbers train. */
  readonly trainedCount: number;
  /** How many numbers there are in all. */
  readonly count: number;
}

/**
 * Freezes all parameters of a model but those that are to train:
 *
 * - `all`;
 * - `head`: what scores, which is the embedding where the two are one;
 * - `last-block`: the head, the last block and the last normalization, as in the
 *   book;
 * - `last-N`: the same with the last N blocks;
 * - else parts of paths, with commas between them, where `*` stands for anything:
 *   `h.11,ln_f,score` or `*.mlp.*.weight`.
 *
 * ```ts
 * import { Device, freezeBut, GPT2, Random } from "@shaderloom/shaderloom";
 * import { assertEquals } from "@std/assert";
 *
 * using device = await Device.open();
 * const model = new GPT2({ device, random: new Random(1) }, {
 *   vocabSize: 16,
 *   blockSize: 8,
 *   nLayer: 2,
 *   nHead: 2,
 *   nEmbd: 8,
 * });
 * const { trained } = freezeBut(model, "ln_f");
 * assertEquals([...trained.keys()], ["ln_f.weight", "ln_f.bias"]);
 * ```
 *
 * @throws {RangeError} When a part is in no path, or there are fewer blocks.
 */
export function freezeBut(model: object, trains: string): Trained {
  const all = parameters(model);
  const chosen = chosenOf([...all.keys()], trains);
  for (const [path, parameter] of all) parameter.frozen = !chosen.has(path);
  return trainedOf(model);
}

/** Which parameters of a model train as it is. */
export function trainedOf(model: object): Trained {
  const all = [...parameters(model)];
  const trained = new Map(all.filter(([, { frozen }]) => !frozen));
  const frozen = new Map(all.filter(([, { frozen }]) => frozen));
  const size = (of: Iterable<Parameter>) =>
    [...of].reduce((sum, { size }) => sum + size, 0);
  return {
    trained,
    frozen,
    trainedCount: size(trained.values()),
    count: size(all.map(([, parameter]) => parameter)),
  };
}

/** The paths that are to train. */
function chosenOf(paths: readonly string[], trains: string): Set<string> {
  if (trains === "all") return new Set(paths);
  if (trains === "head") return new Set(paths.filter(isOfHead(paths)));
  const [, last] = trains.match(/^last-(block|\d+)$/) ?? [];
  if (last !== undefined) {
    return lastOf(paths, last === "block" ? 1 : Number(last));
  }
  const patterns = trains.split(",").map((part) => part.trim());
  const chosen = new Set<string>();
  for (const pattern of patterns) {
    const found = pattern === "" ? [] : paths.filter(partOf(pattern));
    if (found.length === 0) {
      throw new RangeError(
        `Cannot choose what trains: "${pattern}" is neither all, head, last-block, last-N nor part of a parameter's path, such as ${
          paths.slice(-3).join(", ")
        }`,
      );
    }
    for (const path of found) chosen.add(path);
  }
  return chosen;
}

/** Whether a path has these segments side by side. */
function partOf(pattern: string): (path: string) => boolean {
  const text = pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*");
  const expression = new RegExp(`(^|\\.)${text}(\\.|$)`);
  return (path) => expression.test(path);
}

const BLOCK = /(?:^|\.)(?:h|layers)\.(\d+)\./;
const LAST_NORM = /(?:^|\.)(?:ln_f|model\.norm)\./;

/** The head, the last blocks and the last normalization. */
function lastOf(paths: readonly string[], count: number): Set<string> {
  const blockOf = (path: string) => Number(path.match(BLOCK)?.[1] ?? -1);
  const blocks = 1 + Math.max(...paths.map(blockOf));
  if (count < 1 || count > blocks) {
    throw new RangeError(
      `Cannot train the last ${count} blocks: the model has ${blocks}, expected a number from 1 to that`,
    );
  }
  const isHead = isOfHead(paths);
  return new Set(
    paths.filter((path) =>
      isHead(path) || LAST_NORM.test(path) || blockOf(path) >= blocks - count
    ),
  );
}

/** Whether a path is of what scores: of classes, of tokens, or the embedding. */
function isOfHead(paths: readonly string[]): (path: string) => boolean {
  const heads = [/^score\./, /^lm_head\./, /(^|\.)(wte|embed_tokens)\./];
  const head = heads.find((head) => paths.some((path) => head.test(path)));
  return (path) => head?.test(path) ?? false;
}
