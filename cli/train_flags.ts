/**
 * The flags of `train`.
 *
 * @module
 */

import { GPT2_PRESETS } from "../models/gpt2_config.ts";
import { TUNE_FLAG } from "./tuning_store.ts";

/** The flags of `train`, in nanoGPT's names. */
export const TRAIN_FLAGS = {
  "data": {
    kind: "texts",
    value: "FILE|DIR|GLOB|URL",
    help: "Text to learn from; may come again (default: built-in stories)",
  },
  "tokenizer": {
    kind: "text",
    value: "char|byte|bpe|gpt2|FILE|DIR",
    default: "bpe",
    help: "How text becomes ids; bpe is trained on the data",
  },
  "vocab-size": {
    kind: "number",
    integer: true,
    least: 257,
    help:
      "Tokens of a bpe tokenizer trained here (default: one per 1000 characters of text, 512 to 4096)",
  },
  "preset": {
    kind: "text",
    value: "NAME",
    choices: Object.keys(GPT2_PRESETS),
    help: `Sizes by name: ${Object.keys(GPT2_PRESETS).join(", ")}`,
  },
  "n-layer": size(4, "Blocks"),
  "n-head": size(4, "Attention heads of a block"),
  "n-embd": size(128, "Channels, a multiple of the heads"),
  "block-size": size(64, "Positions read at once"),
  "dropout": share(0, "Share of activations dropped in training"),
  "bias": {
    kind: "switch",
    default: true,
    negatable: true,
    help: "Biases in linear layers and norms",
  },
  "sampler": {
    kind: "text",
    value: "random|sliding",
    choices: ["random", "sliding"],
    default: "random",
    help:
      "Blocks from random places, or windows sliding over the text, shuffled",
  },
  "stride": {
    kind: "number",
    integer: true,
    least: 1,
    help: "Tokens a sliding window moves (default: block-size)",
  },
  "batch-size": size(12, "Rows of a batch"),
  "gradient-accumulation-steps": size(1, "Batches averaged into one step"),
  "max-iters": {
    kind: "number",
    integer: true,
    least: 0,
    default: 500,
    help: "Steps in all",
  },
  "learning-rate": {
    kind: "number",
    least: 0,
    help:
      "Learning rate at its peak (default: 0.384 / n-embd, at most 0.003; 5e-5 with --init-from)",
  },
  "min-lr": {
    kind: "number",
    least: 0,
    help: "Learning rate at the end (default: a tenth of the peak)",
  },
  "warmup-iters": {
    kind: "number",
    integer: true,
    least: 0,
    help:
      "Steps of the linear rise (default: a tenth of max-iters, at most 100)",
  },
  "lr-decay-iters": {
    kind: "number",
    integer: true,
    least: 1,
    help: "Step at which min-lr is reached (default: max-iters)",
  },
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
  "eval-interval": size(250, "Steps between evaluations"),
  "eval-iters": size(20, "Batches of an evaluation, from either split"),
  "log-interval": size(10, "Steps between lines"),
  "sample-interval": {
    kind: "number",
    integer: true,
    least: 0,
    default: 0,
    help: "Steps between samples; 0 for one at the end",
  },
  "save-interval": {
    kind: "number",
    integer: true,
    least: 1,
    help: "Steps between checkpoints (default: eval-interval)",
  },
  "out": {
    kind: "text",
    value: "DIR",
    default: "out",
    help: "Folder of the run",
  },
  "resume": { kind: "switch", help: "Continue the run in the folder" },
  "overwrite": {
    kind: "switch",
    help: "Start anew where the folder holds a run",
  },
  "init-from": {
    kind: "text",
    value: "DIR|ORG/NAME",
    help:
      "Start from the weights and tokenizer of a folder, or of a model of the Hugging Face hub",
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

function size(preset: number, help: string) {
  return {
    kind: "number",
    integer: true,
    least: 1,
    default: preset,
    help,
  } as const;
}

function share(preset: number, help: string) {
  return { kind: "number", least: 0, most: 1, default: preset, help } as const;
}

function rate(preset: number, help: string) {
  return { kind: "number", least: 0, default: preset, help } as const;
}
