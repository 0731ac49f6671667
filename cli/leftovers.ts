/**
 * What an earlier run leaves in a folder that a new one takes over.
 *
 * @module
 */

import { join } from "node:path";
import { fileError, isMissing } from "../lib/io/file_error.ts";
import type { WeightsName } from "../lib/io/training_state.ts";

/** The folder, in that of a run, of the best model so far. */
export const BEST = "best";

/** Files that a run of another kind would not write over. */
const RESULTS = [
  "test_results.json",
  "answers.jsonl",
  "confusion_matrix.svg",
  "confusion_matrix.png",
];
const ADAPTER = ["adapter_model.safetensors", "adapter_config.json"];

/** Removes what would pass for results, weights or the best model of the new run. */
export function removeLeftovers(out: string, weightsName: WeightsName): void {
  const weights = ADAPTER.includes(weightsName)
    ? ["model.safetensors"]
    : ADAPTER;
  for (const name of [...RESULTS, ...weights, BEST]) remove(join(out, name));
}

function remove(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!isMissing(error)) throw fileError(`remove "${path}"`, error);
  }
}
