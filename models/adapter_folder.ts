/**
 * An adapter on disk, as PEFT writes and reads it: `adapter_config.json` and
 * `adapter_model.safetensors`.
 *
 * @module
 */

import { isAbsolute, join } from "node:path";
import { makeFolder, replaceFileIfChanged } from "../lib/io/atomic.ts";
import { exists, fileError } from "../lib/io/file_error.ts";
import {
  SafetensorsFile,
  type SafetensorsOptions,
  type StoredTensors,
  type TensorSource,
  writeSafetensors,
} from "../lib/io/safetensors.ts";
import type { Tensor } from "../lib/tensor/tensor.ts";
import {
  type AdapterDescription,
  formatAdapterConfig,
  parseAdapterConfig,
  type TaskType,
} from "./adapter_config.ts";
import type { ModelAdapter } from "./lora.ts";
import { adapterOf, addLoRA } from "./lora.ts";
import { tiedEmbedding } from "./lora_config.ts";
import { anatomyOf, endsIn } from "./lora_targets.ts";
import { fill, tensorSource } from "./weights.ts";

/** The file that says what an adapter is. */
export const ADAPTER_CONFIG = "adapter_config.json";
/** The file of its weights. */
export const ADAPTER_WEIGHTS = "adapter_model.safetensors";

/** The key of the head in PEFT's files. */
const HEAD = "base_model.model.lm_head.weight";

/** What an adapter's folder says of it beside what the adapter knows. */
export interface AdapterOrigin {
  /** The model it is for: a folder, or a name on the hub. */
  readonly base: string;
  /** Which revision of that: none in particular. */
  readonly revision?: string | null;
  /** What it is for: "CAUSAL_LM". */
  readonly taskType?: TaskType;
}

/** Whether a folder holds an adapter. */
export function hasAdapter(folder: string): boolean {
  return exists(join(folder, ADAPTER_CONFIG));
}

/** Writes an adapter's folder, each file whole or not at all, the weights first. */
export async function saveAdapter(
  folder: string,
  adapter: ModelAdapter,
  { dtype, ...origin }: AdapterOrigin & Pick<SafetensorsOptions, "dtype">,
): Promise<void> {
  makeFolder(folder);
  await writeSafetensors(
    join(folder, ADAPTER_WEIGHTS),
    adapterTensors(adapter),
    { dtype, metadata: { format: "pt" } },
  );
  describeAdapter(folder, adapter, origin);
}

/** Writes what an adapter's folder holds beside the weights. */
export function describeAdapter(
  folder: string,
  adapter: ModelAdapter,
  { base, revision = null, taskType = "CAUSAL_LM" }: AdapterOrigin,
): void {
  makeFolder(folder);
  const text = formatAdapterConfig({
    config: {
      ...adapter.config,
      targetModules: adapter.targets,
      modulesToSave: adapter.modules,
    },
    ...{ base, revision, taskType, ensureWeightTying: adapter.savesTied },
  }, adapter);
  replaceFileIfChanged(join(folder, ADAPTER_CONFIG), text);
}

/** The weights of an adapter as PEFT names them, read from the GPU. */
export function adapterTensors(adapter: ModelAdapter): TensorSource {
  const named = new Map<string, Tensor>(adapter.parameters());
  const tied = [...named].find(([name]) =>
    adapter.savesTied && name.endsWith(`${tiedEmbedding(adapter.model)}.weight`)
  );
  if (tied) named.set(HEAD, tied[1]);
  return tensorSource(named);
}

/**
 * Reads what an adapter's folder says of it. Throws one line naming the file and
 * everything in it that is malformed or not supported.
 */
export function readAdapter(folder: string): AdapterDescription {
  const path = join(folder, ADAPTER_CONFIG);
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    throw fileError(`read the adapter "${path}"`, error);
  }
  return parseAdapterConfig(text, path);
}

/**
 * The folder of an adapter's base, where that is a folder: named as from here, or
 * as from the adapter's folder. Undefined if it is no folder.
 */
export function baseFolder(folder: string, base: string): string | undefined {
  const places = isAbsolute(base) ? [base] : [base, join(folder, base)];
  return places.find((place) => exists(join(place, "config.json")));
}

/**
 * Loads an adapter for a model and puts it on, in place of what it has on.
 * Throws one line naming the file and everything that does not fit the model.
 */
export async function loadAdapter(
  model: object,
  folder: string,
): Promise<ModelAdapter> {
  const described = readAdapter(folder);
  using stored = openAdapter(folder);
  const path = join(folder, ADAPTER_WEIGHTS);
  const before = adapterOf(model);
  const adapter = named(join(folder, ADAPTER_CONFIG), () => {
    const { places } = anatomyOf(model);
    const [{ parameter: { device } }] = places.values();
    const config = configFor(model, described, [...places.keys()]);
    return addLoRA(model, { device, random: null }, config);
  });
  try {
    await fillAdapter(adapter, stored, path);
  } catch (error) {
    adapter[Symbol.dispose]();
    before?.attach();
    throw error;
  }
  return adapter;
}

/** Fills an adapter with stored weights, all of them, that have PEFT's names. */
export async function fillAdapter(
  adapter: ModelAdapter,
  stored: StoredTensors,
  path: string,
): Promise<void> {
  const parameters = adapter.parameters();
  const left = new Map([...stored.tensors.keys()].map((name) => [name, name]));
  if (adapter.savesTied) requireTied(adapter, stored, path);
  await fill(parameters, left, stored, path);
  if (adapter.savesTied) left.delete(HEAD);
  const strange = [...left.keys()];
  if (strange.length === 0) return;
  throw new RangeError(
    `Cannot load ${path}: the adapter has no ${strange.slice(0, 3).join(", ")}${
      strange.length > 3 ? ` and ${strange.length - 3} others` : ""
    }`,
  );
}

/** What the description means for this model. */
function configFor(
  model: object,
  { config, taskType, ensureWeightTying }: AdapterDescription,
  places: readonly string[],
) {
  const isClassifier = places.some((name) => endsIn(name, "score.weight"));
  if (taskType === "SEQ_CLS" && !isClassifier) {
    throw new RangeError("it is for a classifier (task_type SEQ_CLS)");
  }
  const embedding = tiedEmbedding(model);
  const apart = (config.modulesToSave ?? []).find((name) =>
    embedding !== null && (name === "lm_head" || endsIn(embedding, name))
  );
  if (apart !== undefined && !ensureWeightTying) {
    throw new RangeError(
      `modules_to_save has ${apart}, which is embedding and head in one here, and peft trained them apart; with ensure_weight_tying it keeps them one`,
    );
  }
  // peft lists both names that heads of classifiers have.
  const modulesToSave = (config.modulesToSave ?? []).filter((name) =>
    taskType !== "SEQ_CLS" || name !== "classifier"
  );
  return { ...config, modulesToSave };
}

/** Refuses an embedding that is not its head. */
function requireTied(
  { model }: ModelAdapter,
  stored: StoredTensors,
  path: string,
): void {
  const name = `base_model.model.${tiedEmbedding(model)}.weight`;
  const [embedding, head] = [name, HEAD].map((name) =>
    stored.tensors.has(name) ? stored.read(name).data : null
  );
  const same = embedding !== null && embedding.length === head?.length &&
    embedding.every((value, i) => value === head[i]);
  if (same) return;
  throw new RangeError(
    `Cannot load ${path}: ${name} and ${HEAD} have to be there and alike, since they are one in the model`,
  );
}

function openAdapter(folder: string): StoredTensors {
  const path = join(folder, ADAPTER_WEIGHTS);
  if (exists(path)) return SafetensorsFile.open(path);
  throw new Error(
    `Cannot load the adapter "${folder}": there is no ${ADAPTER_WEIGHTS} in it${
      exists(join(folder, "adapter_model.bin"))
        ? " (adapter_model.bin is not read: loading such files can run code)"
        : ""
    }`,
  );
}

/** What `body` gives; what it throws says that it is about a file. */
function named<T>(path: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    const { message } = error as Error;
    throw new RangeError(`Cannot load ${path}: ${message}`, { cause: error });
  }
}
