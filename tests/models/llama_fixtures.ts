/**
 * The fixtures of the Llama family, and their models.
 *
 * ../fixtures/llama/make_fixtures.py explains and makes them.
 *
 * @module
 */

import { join } from "@std/path";
import type { Device } from "../../lib/gpu/device.ts";
import { openWeights } from "../../lib/io/weights.ts";
import type { ModelOptions } from "../../models/pass.ts";
import type { Llama } from "../../models/llama.ts";
import { readConfig } from "../../models/folder.ts";
import { newModel } from "../../models/model_types.ts";
import { loadWeights } from "../../models/weights.ts";

/** The folders of the fixtures. */
export const FIXTURES = ["llama2", "llama3", "mistral", "qwen2", "qwen3"];

/** What PyTorch says of a model. */
export interface Expected {
  /** Ids to read, `[B, T]`. */
  readonly ids: readonly (readonly number[])[];
  /** What to predict from them; -100 is not scored. */
  readonly targets: readonly (readonly number[])[];
  /** How well that went. */
  readonly loss: number;
  /** Ids to go on from. */
  readonly prompt: readonly number[];
  /** The likeliest tokens after them. */
  readonly written: readonly number[];
}

/** The folder of a fixture. */
export function folderOf(name: string): string {
  return new URL(`../fixtures/llama/${name}`, import.meta.url).pathname;
}

/** What PyTorch says of a fixture. */
export function expectedOf(name: string): Expected {
  const path = join(folderOf(name), "expected.json");
  return JSON.parse(Deno.readTextFileSync(path));
}

/** The model of a fixture, with its weights. */
export async function fixtureModel(
  device: Device,
  name: string,
  options: ModelOptions = {},
): Promise<Llama> {
  const folder = folderOf(name);
  const init = { device, random: null };
  const model = newModel(init, readConfig(folder), options) as Llama;
  using stored = openWeights(folder);
  await loadWeights(model, stored, folder);
  return model;
}
