/**
 * A classifier on disk: a Hugging Face folder, as `transformers` writes and reads
 * those of its models for sequence classification.
 *
 * @module
 */

import { join } from "node:path";
import type { Device } from "../lib/gpu/device.ts";
import { makeFolder, replaceFileIfChanged } from "../lib/io/atomic.ts";
import { fileError, isMissing } from "../lib/io/file_error.ts";
import {
  openWeights,
  saveWeights,
  type WeightsOptions,
} from "../lib/io/weights.ts";
import { SafetensorsFile } from "../lib/io/safetensors.ts";
import { parameters } from "../lib/nn/parameters.ts";
import { loadTokenizer } from "../lib/text/load.ts";
import type { Tokenizer } from "../lib/text/tokenizer.ts";
import { ADAPTER_WEIGHTS, loadAdapter } from "./adapter_folder.ts";
import { type Classifier, newClassifier } from "./classifier.ts";
import {
  checkClassifierConfig,
  type ClassifierConfig,
  classifierConfig,
  describeClassifierConfig,
  isClassifierConfig,
} from "./classifier_config.ts";
import {
  classifierTensors,
  fillClassifier,
  SCORE,
} from "./classifier_weights.ts";
import {
  companionFiles,
  type Companions,
  readCompanions,
} from "./companions.ts";
import { baseOf, isAdapterAlone, isThere, readConfig } from "./folder.ts";
import type { ModelOptions } from "./pass.ts";
import { loadWeights } from "./weights.ts";

/** A classifier and how text becomes its ids. */
export interface LoadedClassifier {
  /** The classifier, on the device it was loaded to. */
  readonly model: Classifier;
  /** Its tokenizer. */
  readonly tokenizer: Tokenizer;
  /** What else its folder said, which goes with it when it is saved. */
  readonly companions?: Companions;
}

/**
 * Writes the folder of a classifier: everything that `transformers` and
 * {@linkcode loadClassifier} need, each file whole or not at all.
 */
export async function saveClassifier(
  folder: string,
  loaded: LoadedClassifier,
  options: WeightsOptions = {},
): Promise<void> {
  describeClassifier(folder, loaded, options);
  await saveWeights(folder, classifierTensors(loaded.model), options);
}

/** Writes what the folder of a classifier holds beside the weights. */
export function describeClassifier(
  folder: string,
  { model, tokenizer, companions = new Map() }: LoadedClassifier,
  { dtype = "F32" }: WeightsOptions = {},
): void {
  makeFolder(folder);
  const [eosTokenId] = tokenizer.specialTokens.values();
  const { body, padTokenId } = model.config;
  const said = describeClassifierConfig(model.config);
  const files = companionFiles(companions, {
    config: body,
    dtype,
    eosTokenId,
    fields: {
      architectures: said.architectures,
      num_labels: undefined, // `id2label` says it
      id2label: said.id2label,
      label2id: said.label2id,
      pad_token_id: said.pad_token_id,
      problem_type: said.problem_type,
      read_token: said.read_token,
    },
  });
  files.set("tokenizer.json", `${JSON.stringify(tokenizer, null, 2)}\n`);
  const settings = JSON.parse(files.get("tokenizer_config.json")!);
  const pad = tokenizer.specialTokens.entries()
    .find(([, id]) => id === padTokenId);
  if (pad && !settings.pad_token) {
    const padded = { ...settings, pad_token: pad[0] };
    files.set("tokenizer_config.json", `${JSON.stringify(padded, null, 2)}\n`);
  }
  for (const [name, text] of files) {
    replaceFileIfChanged(join(folder, name), text);
  }
}

/** What a loaded classifier may have otherwise than its folder says. */
export interface LoadClassifierOptions extends ModelOptions {
  /** The folder of an adapter to put on it, which brings the score along. */
  readonly adapter?: string;
}

/**
 * Loads the folder of a classifier; or an adapter that has learned to classify,
 * together with its base: the folder that it names, as from here or as from its
 * own. Labels are those of the config.json beside the adapter, else of the base;
 * if neither has any they are called `LABEL_0` and so on, as in `transformers`.
 *
 * Throws one line naming the file and what is missing, malformed or not
 * supported.
 */
export async function loadClassifier(
  device: Device,
  folder: string,
  options: LoadClassifierOptions = {},
): Promise<LoadedClassifier> {
  const { adapter } = options;
  if (adapter === undefined && isAdapterAlone(folder)) {
    return await loadClassifier(device, baseOf(folder), {
      ...options,
      adapter: folder,
    });
  }
  const config = adapter === undefined
    ? readClassifierConfig(folder)
    : adaptedConfig(folder, adapter);
  const companions = new Map([
    ...readCompanions(folder),
    ...adapter === undefined ? [] : readCompanions(adapter),
  ]);
  const tokenizer = await loadTokenizer(
    adapter !== undefined && isThere(join(adapter, "tokenizer.json"))
      ? adapter
      : folder,
  );
  if (tokenizer.vocabSize > config.body.vocabSize) {
    throw new RangeError(
      `Cannot load ${folder}: its tokenizer has ${tokenizer.vocabSize} tokens, its model ${config.body.vocabSize}`,
    );
  }
  using stored = openWeights(folder);
  const model = newClassifier({ device, random: null }, config, options);
  try {
    const path = join(folder, "model.safetensors");
    if (adapter === undefined || stored.tensors.has(SCORE)) {
      await fillClassifier(model, stored, path);
    } else await loadWeights(model.body, stored, path);
    if (adapter !== undefined) (await loadAdapter(model, adapter)).attach();
  } catch (error) {
    for (const parameter of parameters(model).values()) {
      parameter[Symbol.dispose]();
    }
    throw error;
  }
  return { model, tokenizer, companions };
}

/** What the classifier is that an adapter makes of its base. */
function adaptedConfig(
  folder: string,
  adapter: string,
): Required<ClassifierConfig> {
  const said = [adapter, folder]
    .find((place) => isClassifierConfig(readJson(join(place, "config.json"))));
  if (said !== undefined) return readClassifierConfig(said);
  const path = join(adapter, ADAPTER_WEIGHTS);
  using stored = SafetensorsFile.open(path);
  const score = stored.tensors.get(`base_model.model.${SCORE}`);
  if (score === undefined) {
    throw new RangeError(
      `Cannot load a classifier from ${adapter}: there is no ${SCORE} in ${ADAPTER_WEIGHTS}, and no …ForSequenceClassification in a config.json`,
    );
  }
  const json = readJson(join(folder, "config.json")) as {
    pad_token_id?: number;
  };
  return checkClassifierConfig({
    body: readConfig(folder),
    labels: Array.from({ length: score.shape[0] }, (_, i) => `LABEL_${i}`),
    padTokenId: json.pad_token_id,
  });
}

/** What the classifier in a folder is. Throws one line naming what is wrong. */
export function readClassifierConfig(
  folder: string,
): Required<ClassifierConfig> {
  const json = readJson(join(folder, "config.json"));
  if (json !== undefined) return classifierConfig(json);
  throw new Error(
    `Cannot load a classifier from ${folder}: there is no config.json in it`,
  );
}

/** What a file of JSON says; undefined if there is no such file. */
function readJson(path: string): unknown {
  try {
    return JSON.parse(Deno.readTextFileSync(path));
  } catch (error) {
    if (isMissing(error)) return undefined;
    if (!(error instanceof SyntaxError)) {
      throw fileError(`read "${path}"`, error);
    }
    const reason = error.message.replace(/\s*\n\s*/g, " ");
    throw new SyntaxError(`Cannot read ${path}: ${reason}`, { cause: error });
  }
}
