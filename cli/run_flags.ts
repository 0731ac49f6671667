/**
 * Flags that every command that trains understands.
 *
 * @module
 */

import { TUNE_FLAG } from "./tuning_store.ts";

/** How the learning rate goes, in nanoGPT's names; each command has a peak of its own. */
export const SCHEDULE_FLAGS = {
  "min-lr": {
    kind: "number",
    least: 0,
    help: "Learning rate at the end (default: a tenth of the peak)",
  },
  "warmup-iters": {
    kind: "number",
    integer: true,
    least: 0,
    help: "Steps of the linear rise (default: a tenth of all, at most 100)",
  },
  "lr-decay-iters": {
    kind: "number",
    integer: true,
    least: 1,
    help: "Step at which min-lr is reached (default: the last)",
  },
} as const;

/** How weights are moved, likewise. */
export const OPTIMIZER_FLAGS = {
  "weight-decay": rate(0.1, "Decay of weights, not of biases and norms"),
  "beta1": share(0.9, "AdamW's first beta"),
  "beta2": share(0.99, "AdamW's second beta"),
  "grad-clip": rate(1, "Most the gradients may measure; 0 for no limit"),
  "dtype": {
    kind: "text",
    value: "f32|f16",
    choices: ["f32", "f16"],
    default: "f32",
    help:
      "What weights and activations are multiplied in; f16 needs an adapter that has it, and scales the loss",
  },
  "recompute": {
    kind: "text",
    value: "none|mlp|block",
    choices: ["none", "mlp", "block"],
    default: "none",
    help:
      "Activations computed again on the way back rather than kept: less memory, more time, the same result",
  },
  "seed": {
    kind: "number",
    integer: true,
    least: 0,
    default: 1337,
    help: "Where all chance comes from",
  },
} as const;

/** How a run is kept, gone on with and looked at. */
export const RUN_FLAGS = {
  "save-interval": {
    kind: "number",
    integer: true,
    least: 1,
    help: "Steps between checkpoints (default: eval-interval)",
  },
  "resume": { kind: "switch", help: "Continue the run in the folder" },
  "overwrite": {
    kind: "switch",
    help: "Start anew where the folder holds a run",
  },
  "dry-run": {
    kind: "switch",
    help: "Say what memory the run would take, and end",
  },
  "tune": TUNE_FLAG,
  "profile": {
    kind: "number",
    integer: true,
    least: 1,
    alone: 10,
    help:
      "Time every kernel of so many steps (10), and write trace.json to the folder",
  },
  "json": { kind: "switch", help: "Print metrics as JSON lines on stdout" },
} as const;

/** A whole number from 1. */
export function size(preset: number, help: string) {
  return {
    kind: "number",
    integer: true,
    least: 1,
    default: preset,
    help,
  } as const;
}

/** A number from 0 to 1. */
export function share(preset: number, help: string) {
  return { kind: "number", least: 0, most: 1, default: preset, help } as const;
}

/** A number from 0. */
export function rate(preset: number, help: string) {
  return { kind: "number", least: 0, default: preset, help } as const;
}
