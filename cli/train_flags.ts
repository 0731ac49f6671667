/**
 * The flags of `train`.
 *
 * @module
 */

import { GPT2_PRESETS } from "../models/gpt2_config.ts";
import {
  OPTIMIZER_FLAGS,
  RUN_FLAGS,
  SCHEDULE_FLAGS,
  share,
  size,
} from "./run_flags.ts";

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
  "init-from": {
    kind: "text",
    value: "DIR|ORG/NAME",
    help:
      "Start from the weights and tokenizer of a folder, or of a model of the Hugging Face hub",
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
  ...SCHEDULE_FLAGS,
  ...OPTIMIZER_FLAGS,
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
  "out": {
    kind: "text",
    value: "DIR",
    default: "out",
    help: "Folder of the run",
  },
  ...RUN_FLAGS,
} as const;
