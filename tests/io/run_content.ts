/**
 * A run whose content at each step is known, to see whether it survived.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  type Checkpoint,
  type CheckpointContent,
  loadCheckpoint,
} from "../../lib/io/checkpoint.ts";
import {
  assertSameTensors,
  randomTensors,
  readAll,
  sourceOf,
} from "./tensors.ts";

function tensorsAt(step: number, width: number) {
  const model = { "wte.weight": [width, 8], "ln_f.bias": [8] };
  const moments = { "m.wte.weight": [width, 8], "v.wte.weight": [width, 8] };
  return {
    model: randomTensors(model, 2 * step),
    optimizer: randomTensors(moments, 2 * step + 1),
  };
}

/** What the run saves at a step: a model of `width` rows and its moments. */
export function contentAt(step: number, width: number): CheckpointContent {
  const { model, optimizer } = tensorsAt(step, width);
  return {
    step,
    model: sourceOf(model),
    optimizer: sourceOf(optimizer),
    state: { width, random: [step, 1, 2, 3], note: `step ${step}` },
  };
}

/** Checks that a checkpoint is all of its step, and returns the step. */
export function assertWhole(checkpoint: Checkpoint, width: number): number {
  const { step, state } = checkpoint;
  const { model, optimizer } = tensorsAt(step, width);
  assertSameTensors(readAll(checkpoint.model), model);
  assertSameTensors(readAll(checkpoint.optimizer), optimizer);
  assertEquals(state, contentAt(step, width).state);
  return step;
}

/** Loads a folder's checkpoint, checks all of it, and returns its step. */
export async function wholeStep(
  folder: string,
  width: number,
): Promise<number> {
  using checkpoint = await loadCheckpoint(folder);
  return assertWhole(checkpoint, width);
}
