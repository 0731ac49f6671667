/**
 * The fixtures made by peft, and their models.
 *
 * ../fixtures/peft/make_fixtures.py explains and makes them.
 *
 * @module
 */

import { join } from "@std/path";
import type { Device } from "../../lib/gpu/device.ts";
import { SafetensorsFile } from "../../lib/io/safetensors.ts";
import { openWeights } from "../../lib/io/weights.ts";
import { readConfig } from "../../models/folder.ts";
import { type Model, newModel } from "../../models/model_types.ts";
import type { ModelOptions } from "../../models/pass.ts";
import { loadWeights } from "../../models/weights.ts";

/** The folders of adapters of language models that can be had here. */
export const ADAPTERS = [
  "gpt2_lora",
  "gpt2_dora",
  "gpt2_bias",
  "gpt2_lora_only",
  "gpt2_tied",
  "llama_tied",
  "llama_all",
  "llama_saved",
  "qwen2_dora",
  "qwen3_lora",
] as const;

/** What PyTorch says of a model with an adapter. */
export interface Expected {
  /** Ids to read, `[B, T]`. */
  readonly ids: readonly (readonly number[])[];
  /** What to predict from them; -100 is not scored. */
  readonly targets: readonly (readonly number[])[];
  /** How well that went. */
  readonly loss: number;
}

/** The folder of an adapter. */
export function folderOf(name: string): string {
  return new URL(`../fixtures/peft/${name}`, import.meta.url).pathname;
}

/** What PyTorch says of an adapter. */
export function expectedOf(name: string): Expected {
  const path = join(folderOf(name), "expected.json");
  return JSON.parse(Deno.readTextFileSync(path));
}

/** The logits and gradients that PyTorch has of an adapter. */
export function tensorsOf(name: string): SafetensorsFile {
  return SafetensorsFile.open(join(folderOf(name), "expected.safetensors"));
}

/** The model that an adapter is for, with its weights. */
export async function baseOf(
  device: Device,
  name: string,
  options: ModelOptions = {},
): Promise<Model> {
  const path = join(folderOf(name), "adapter_config.json");
  const said = JSON.parse(Deno.readTextFileSync(path));
  const folder = join(folderOf(name), said.base_model_name_or_path);
  const init = { device, random: null };
  const model = newModel(init, readConfig(folder), options);
  using stored = openWeights(folder);
  await loadWeights(model, stored, folder);
  return model;
}
