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
import type { FloatDtype } from "../lib/io/dtype.ts";
import { parameters } from "../lib/nn/parameters.ts";
import { loadTokenizer } from "../lib/text/load.ts";
import type { Tokenizer } from "../lib/text/tokenizer.ts";
import {
  companionFiles,
  type Companions,
  endTokensIn,
  readCompanions,
} from "./companions.ts";
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
}

/**
 * Writes a model folder: everything that `transformers` and
 * {@linkcode loadModel} need, each file whole or not at all. What the folder of
 * a loaded model said beside its weights is kept: its chat template, say.
 */
export async function saveModel(
  folder: string,
  loaded: LoadedModel,
  options: WeightsOptions = {},
): Promise<void> {
  describeModel(folder, loaded, options);
  await saveWeights(folder, modelTensors(loaded.model), options);
}

/** PyTorch's names of how weights are stored. */
const PYTORCH_DTYPES: Readonly<Record<FloatDtype, string>> = {
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
};

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
    dtype: PYTORCH_DTYPES[dtype],
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
}

/**
 * Loads a model folder. Throws one line naming the file and what is missing,
 * malformed or not supported.
 */
export async function loadModel(
  device: Device,
  folder: string,
  options: LoadOptions = {},
): Promise<LoadedModel> {
  const config = readConfig(folder, options);
  const companions = readCompanions(folder);
  const tokenizer = await loadTokenizer(folder);
  if (tokenizer.vocabSize > config.vocabSize) {
    throw new RangeError(
      `Cannot load ${folder}: its tokenizer has ${tokenizer.vocabSize} tokens, its model ${config.vocabSize}`,
    );
  }
  using stored = openWeights(folder);
  const model = newModel({ device, random: null }, config, options);
  try {
    await loadWeights(model, stored, join(folder, "model.safetensors"));
  } catch (error) {
    for (const parameter of parameters(model).values()) {
      parameter[Symbol.dispose]();
    }
    throw error;
  }
  return { model, tokenizer, companions };
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
