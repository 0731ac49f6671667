/**
 * A model on disk: a Hugging Face folder, readable by `transformers` and here.
 *
 * `config.json`, `model.safetensors` or its shards, and `tokenizer.json`, with
 * the names and layouts of Hugging Face.
 *
 * @module
 */

import { join } from "node:path";
import type { Device } from "../lib/gpu/device.ts";
import { makeFolder, replaceFileIfChanged } from "../lib/io/atomic.ts";
import {
  openWeights,
  saveWeights,
  type WeightsOptions,
} from "../lib/io/weights.ts";
import { parameters } from "../lib/nn/parameters.ts";
import { loadTokenizer } from "../lib/text/load.ts";
import type { Tokenizer } from "../lib/text/tokenizer.ts";
import {
  companionFiles,
  type Companions,
  endTokensIn,
  readCompanions,
} from "./companions.ts";
import {
  ADAPTER_CONFIG,
  baseFolder,
  hasAdapter,
  loadAdapter,
  readAdapter,
} from "./adapter_folder.ts";
import type { ModelAdapter } from "./lora.ts";
import type { ModelOptions } from "./pass.ts";
import {
  type Model,
  type ModelConfig,
  modelConfig,
  newModel,
} from "./model_types.ts";
import { loadWeights, modelTensors } from "./weights.ts";

/** A model and how text becomes its ids. */
export interface LoadedModel {
  /** The model, on the device it was loaded to. */
  readonly model: Model;
  /** Its tokenizer. */
  readonly tokenizer: Tokenizer;
  /** What else its folder said, which goes with it when it is saved. */
  readonly companions?: Companions;
  /** The adapters that were loaded for it, of which the first is on. */
  readonly adapters?: readonly ModelAdapter[];
}

/**
 * Writes a model folder: everything that `transformers` and
 * {@linkcode loadModel} need, each file whole or not at all. What the folder of
 * a loaded model said beside its weights is kept: its chat template, say.
 *
 * An adapter that the model has on must be merged into it first, or taken off;
 * `saveAdapter` saves it by itself. Throws an `Error` otherwise.
 */
export async function saveModel(
  folder: string,
  loaded: LoadedModel,
  options: WeightsOptions = {},
): Promise<void> {
  const tensors = modelTensors(loaded.model);
  describeModel(folder, loaded, options);
  await saveWeights(folder, tensors, options);
}

/** Writes what a model folder holds beside the weights. */
export function describeModel(
  folder: string,
  { model, tokenizer, companions = new Map() }: LoadedModel,
  { dtype = "F32" }: WeightsOptions = {},
): void {
  makeFolder(folder);
  const [eosTokenId] = tokenizer.specialTokens.values();
  const files = companionFiles(companions, {
    config: model.config,
    dtype,
    eosTokenId,
  });
  files.set("tokenizer.json", `${JSON.stringify(tokenizer, null, 2)}\n`);
  for (const [name, text] of files) {
    replaceFileIfChanged(join(folder, name), text);
  }
}

/** What a loaded model may have otherwise than its folder says. */
export interface LoadOptions extends ModelOptions {
  /** Share of activations dropped in training; Llamas drop none. */
  readonly dropout?: number;
  /** Folders of adapters to load with it; the first is put on: none. */
  readonly adapters?: readonly string[];
}

/**
 * Loads a model folder, or the folder of an adapter together with its base: the
 * folder that it names, as from here or as from its own. The tokenizer and the
 * chat template are those beside the first adapter, where there are any.
 *
 * Throws one line naming the file and what is missing, malformed or not
 * supported.
 */
export async function loadModel(
  device: Device,
  folder: string,
  options: LoadOptions = {},
): Promise<LoadedModel> {
  if (isAdapterAlone(folder)) {
    const adapters = [folder, ...options.adapters ?? []];
    return await loadModel(device, baseOf(folder), { ...options, adapters });
  }
  const { adapters = [] } = options;
  const config = readConfig(folder, options);
  const places = [...adapters.slice(0, 1), folder];
  const companions = new Map(
    places.toReversed().flatMap((place) =>
      [...readCompanions(place)]
        .filter(([name]) => place === folder || name !== "config.json")
    ),
  );
  const speaks = (place: string) => isThere(join(place, "tokenizer.json"));
  const tokenizer = await loadTokenizer(places.find(speaks) ?? folder);
  if (tokenizer.vocabSize > config.vocabSize) {
    throw new RangeError(
      `Cannot load ${folder}: its tokenizer has ${tokenizer.vocabSize} tokens, its model ${config.vocabSize}`,
    );
  }
  using stored = openWeights(folder);
  const model = newModel({ device, random: null }, config, options);
  const loaded: ModelAdapter[] = [];
  try {
    await loadWeights(model, stored, join(folder, "model.safetensors"));
    for (const adapter of adapters) {
      loaded.push(await loadAdapter(model, adapter));
    }
  } catch (error) {
    for (const adapter of loaded) adapter[Symbol.dispose]();
    for (const parameter of parameters(model).values()) {
      parameter[Symbol.dispose]();
    }
    throw error;
  }
  loaded[0]?.attach();
  return { model, tokenizer, companions, adapters: loaded };
}

/** Whether a folder holds an adapter, and no model. */
export function isAdapterAlone(folder: string): boolean {
  const weights = ["model.safetensors", "model.safetensors.index.json"];
  return hasAdapter(folder) &&
    !weights.some((name) => isThere(join(folder, name)));
}

/** The folder of an adapter's base. Throws one line if it names none. */
export function baseOf(folder: string): string {
  const { base } = readAdapter(folder);
  const found = base === null ? undefined : baseFolder(folder, base);
  if (found !== undefined) return found;
  throw new Error(
    `Cannot load ${join(folder, ADAPTER_CONFIG)}: ${
      base === null
        ? "it names no base"
        : `its base "${base}" is no folder of a model, neither from here nor from the adapter`
    }`,
  );
}

/**
 * The ids that end a text: those that the config and the descriptions beside it
 * name, or else all special ones.
 */
export function endTokens(
  config: Required<ModelConfig>,
  tokenizer: Tokenizer,
  companions: Companions = new Map(),
): number[] {
  const own = "eosTokenIds" in config ? config.eosTokenIds : [];
  const named = [...new Set([...own, ...endTokensIn(companions)])]
    .filter((id) => Number.isInteger(id) && id >= 0 && id < config.vocabSize);
  return named.length > 0 ? named : [...tokenizer.specialTokens.values()];
}

/** The sizes of the model in a folder, with other dropout if that is given. */
export function readConfig(
  folder: string,
  { dropout }: LoadOptions = {},
): Required<ModelConfig> {
  const path = join(folder, "config.json");
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(
      `Cannot load a model from ${folder}: there is no config.json in it`,
      { cause: error },
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(
      `Cannot read ${path}: ${
        (error as Error).message.replace(/\s*\n\s*/g, " ")
      }`,
      { cause: error },
    );
  }
  const config = modelConfig(json);
  if ("dropout" in config) {
    return { ...config, dropout: dropout ?? config.dropout };
  }
  if (dropout) {
    throw new RangeError(
      `Cannot load ${folder} with dropout ${dropout}: a model of type ${config.modelType} has none`,
    );
  }
  return config;
}

/** Whether there is a file or folder that can be looked at. */
export function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false; // Who needs it will say why it cannot be read.
  }
}
