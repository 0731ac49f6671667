/**
 * What is trained: a whole model, or an adapter of one; and its files.
 *
 * @module
 */

import { parseReference } from "../lib/io/hub_reference.ts";
import type { StoredTensors, TensorSource } from "../lib/io/tensors.ts";
import type { WeightsName } from "../lib/io/training_state.ts";
import {
  ADAPTER_WEIGHTS,
  adapterTensors,
  describeAdapter,
  fillAdapter,
  saveAdapter,
} from "../models/adapter_folder.ts";
import type { TaskType } from "../models/adapter_config.ts";
import {
  describeClassifier,
  type LoadedClassifier,
  saveClassifier,
} from "../models/classifier_folder.ts";
import {
  classifierTensors,
  fillClassifier,
} from "../models/classifier_weights.ts";
import {
  describeModel,
  type LoadedModel,
  saveModel,
} from "../models/folder.ts";
import type { ModelAdapter } from "../models/lora.ts";
import { loadWeights, modelTensors } from "../models/weights.ts";
import { isFolder } from "./claim_folder.ts";

/** What is trained of a model, and the files that keep it. */
export interface Subject {
  /** What has the parameters, frozen ones among them. */
  readonly model: object;
  /** The file of what is trained. */
  readonly weightsName: WeightsName;
  /** What goes into that file. */
  weights(): TensorSource;
  /** Reads it back; `path` is what errors name. */
  restore(stored: StoredTensors, path: string): Promise<void>;
  /** Writes the files beside it. */
  describe(folder: string): void;
  /** Writes a folder that needs nothing but the model it came from. */
  saveTo(folder: string): Promise<void>;
}

/** A language model, whole or in part. */
export function modelSubject(loaded: LoadedModel): Subject {
  const { model } = loaded;
  return {
    model,
    weightsName: "model.safetensors",
    weights: () => modelTensors(model),
    restore: (stored, path) => loadWeights(model, stored, path),
    describe: (folder) => describeModel(folder, loaded),
    saveTo: (folder) => saveModel(folder, loaded),
  };
}

/** A classifier, whole or in part. */
export function classifierSubject(loaded: LoadedClassifier): Subject {
  const { model } = loaded;
  return {
    model,
    weightsName: "model.safetensors",
    weights: () => classifierTensors(model),
    restore: (stored, path) => fillClassifier(model, stored, path),
    describe: (folder) => describeClassifier(folder, loaded),
    saveTo: (folder) => saveClassifier(folder, loaded),
  };
}

/** What an adapter's folder says beside the adapter. */
export interface AdapterBeside {
  /** The model it is for: a folder, or `ORG/NAME[@REVISION]` of the hub. */
  readonly base: string;
  /** What it is for. */
  readonly taskType: TaskType;
  /** Writes what else belongs there: the tokenizer, the chat template, the labels. */
  readonly describe: (folder: string) => void;
}

/** The base as PEFT names it: a model of the hub apart from its revision. */
function baseOf(reference: string) {
  const named = isFolder(reference) ? undefined : parseReference(reference);
  return reference.includes("@") && named
    ? { base: named.id, revision: named.revision }
    : { base: reference };
}

/** An adapter that a model has on. */
export function adapterSubject(
  adapter: ModelAdapter,
  { base, taskType, describe }: AdapterBeside,
): Subject {
  const origin = { ...baseOf(base), taskType };
  return {
    model: adapter.model,
    weightsName: ADAPTER_WEIGHTS,
    weights: () => adapterTensors(adapter),
    restore: (stored, path) => fillAdapter(adapter, stored, path),
    describe: (folder) => {
      describeAdapter(folder, adapter, origin);
      describe(folder);
    },
    saveTo: async (folder) => {
      await saveAdapter(folder, adapter, origin);
      describe(folder);
    },
  };
}
