/**
 * A model on its way from the Hugging Face hub into the cache.
 *
 * @module
 */

import { join } from "node:path";
import { ModelCache } from "./hub_cache.ts";
import { describeFile, fetchFile, type HubFile } from "./hub_file.ts";
import {
  adapterNames,
  describeModel,
  type HubModel,
  neededFiles,
} from "./hub_model.ts";
import { isCommit, type ModelReference } from "./hub_reference.ts";
import { type Access, NotPermittedError } from "./hub_request.ts";
import { accessOf, type HubOptions } from "./hub_settings.ts";
import { PassingError } from "./patience.ts";
import { indexName, maxIndexBytes, singleName } from "./shard_index.ts";
import { readIndex } from "./shards.ts";

/** Most bytes of a file that is no tensors: the largest vocabularies have 40 MB. */
const maxCompanionBytes = 200_000_000;

/**
 * Brings the files of a model that are not in the cache, and returns its folder
 * there. Throws one line saying what is in the way.
 */
export function downloadModelFiles(
  model: ModelReference,
  options: HubOptions,
): Promise<string> {
  return new Download(model, options).run();
}

/** One model on its way into the cache. */
class Download {
  readonly #model: ModelReference;
  readonly #options: HubOptions;
  readonly #access: Access;
  readonly #cache: ModelCache;

  constructor(model: ModelReference, options: HubOptions) {
    this.#model = model;
    this.#options = options;
    this.#cache = new ModelCache(options.cache, model.id);
    this.#access = accessOf(options);
  }

  async run(): Promise<string> {
    const { revision } = this.#model;
    const known = this.#cache.commit(revision);
    const cached = known !== undefined && this.#isComplete(known)
      ? this.#cache.snapshot(known)
      : undefined;
    if (cached && (this.#options.offline || isCommit(revision))) return cached;
    if (this.#options.offline) {
      throw new Error(
        "it is not in the cache, and the network is not to be used",
      );
    }

    let hub: HubModel;
    try {
      // With something to fall back on, one try is enough.
      const access = { ...this.#access, ...(cached && { attempts: 1 }) };
      hub = await describeModel(access, this.#model);
    } catch (error) {
      const away = error instanceof PassingError ||
        error instanceof NotPermittedError;
      if (!cached || !away) throw error;
      this.#options.onNotice?.(
        `Using ${this.#model.id} as it is in the cache: ${error.message}`,
      );
      return cached;
    }

    const needed = neededFiles(hub);
    if (needed.includes(indexName)) {
      await this.#bring(hub, [indexName]);
      const index = join(this.#cache.snapshot(hub.commit), indexName);
      needed.push(...new Set(readIndex(index).values()));
    }
    await this.#bring(hub, needed);
    this.#cache.remember(revision, hub.commit);
    return this.#cache.snapshot(hub.commit);
  }

  /** Whether a snapshot has what no model can be without. */
  #isComplete(commit: string): boolean {
    const has = (name: string) => this.#cache.has(commit, name);
    if (adapterNames.every(has)) return true;
    if (!has("config.json")) return false;
    if (has(singleName)) return true;
    if (!has(indexName)) return false;
    const index = readIndex(join(this.#cache.snapshot(commit), indexName));
    return [...new Set(index.values())].every(has);
  }

  /** Brings the files that a snapshot does not have, one after another. */
  async #bring({ commit, files }: HubModel, names: readonly string[]) {
    const missing: HubFile[] = [];
    for (const name of names) {
      if (this.#cache.has(commit, name)) continue;
      if (!files.has(name)) throw new Error(`it has no ${name}`);
      const { endpoint } = this.#access;
      const url = `${endpoint}/${this.#model.id}/resolve/${commit}/${name}`;
      const file = await describeFile(this.#access, { name, url, commit });
      requireSensibleSize(file);
      missing.push(file);
    }

    const total = missing.reduce((sum, { size }) => sum + size, 0);
    let done = 0;
    for (const file of missing) {
      const { name, size } = file;
      await this.#fetch(file, commit, (bytes) =>
        this.#options.onProgress?.({
          file: name,
          received: done + bytes,
          total,
        }));
      done += size;
    }
  }

  async #fetch(
    file: HubFile,
    commit: string,
    onReceived: (bytes: number) => void,
  ) {
    using _lock = await this.#cache.lock(file.hash, {
      signal: this.#options.signal,
      onWait: () =>
        this.#options.onNotice?.(
          `Waiting for another process that is downloading ${file.name}`,
        ),
    });
    if (!this.#cache.hasBlob(file.hash)) {
      const path = this.#cache.blob(file.hash);
      await fetchFile(this.#access, file, path, onReceived);
    }
    onReceived(file.size);
    this.#cache.link(commit, file.name, file.hash);
  }
}

function requireSensibleSize({ name, size }: HubFile) {
  const most = name === indexName
    ? maxIndexBytes
    : name.endsWith(".safetensors")
    ? Infinity
    : maxCompanionBytes;
  if (size <= most) return;
  throw new Error(`its ${name} has ${size} bytes, more than any should`);
}
