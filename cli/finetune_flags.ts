/**
 * The flags that every kind of fine-tuning understands.
 *
 * @module
 */

import {
  OPTIMIZER_FLAGS,
  RUN_FLAGS,
  SCHEDULE_FLAGS,
  size,
} from "./run_flags.ts";

/** What is trained of a model, in PEFT's names where it is an adapter. */
const TRAINED_FLAGS = {
  "model": {
    kind: "text",
    value: "DIR|ORG/NAME[@REVISION]",
    help:
      "The model to fine-tune: a folder, or its name on the Hugging Face hub",
  },
  "data": {
    kind: "texts",
    value: "FILE",
    help: "What to learn from; may come again",
  },
  "trainable-layers": {
    kind: "text",
    value: "all|head|last-block|last-N|lora|NAME,…",
    default: "all",
    help:
      "What trains: everything, the head, the last blocks too, an adapter, or parameters by parts of their names",
  },
  "lora-r": size(8, "LoRA: rank of the change of a layer"),
  "lora-alpha": {
    kind: "number",
    least: 0,
    default: 16,
    help: "LoRA: the change is multiplied by alpha / r",
  },
  "lora-dropout": {
    kind: "number",
    least: 0,
    most: 1,
    default: 0,
    help: "LoRA: share dropped of what the change reads",
  },
  "lora-target-modules": {
    kind: "text",
    value: "all-linear|NAME,…|PATTERN",
    default: "all-linear",
    help:
      "LoRA: layers that change, by the ends of their names or a pattern of whole names",
  },
  "lora-bias": {
    kind: "text",
    value: "none|all|lora_only",
    choices: ["none", "all", "lora_only"],
    default: "none",
    help: "LoRA: biases that are trained as well",
  },
  "modules-to-save": {
    kind: "text",
    value: "NAME,…",
    help: "LoRA: modules that are trained whole and kept with the adapter",
  },
  "use-rslora": {
    kind: "switch",
    help: "LoRA: multiply by alpha / sqrt(r) instead",
  },
  "use-dora": {
    kind: "switch",
    help: "LoRA: learn the length of each output's weights apart (DoRA)",
  },
} as const;

/** How long, how fast, and where to. */
const COURSE_FLAGS = {
  "epochs": {
    kind: "number",
    least: 0,
    default: 2,
    help: "Times to go through the data",
  },
  "max-iters": {
    kind: "number",
    integer: true,
    least: 0,
    help: "Steps in all, in place of epochs",
  },
  "batch-size": size(8, "Rows of a batch"),
  "gradient-accumulation-steps": size(1, "Batches averaged into one step"),
  "learning-rate": {
    kind: "number",
    least: 0,
    help:
      "Learning rate at its peak (default: 5e-5, 2e-4 where an adapter is trained)",
  },
  ...SCHEDULE_FLAGS,
  "dropout": {
    kind: "number",
    least: 0,
    most: 1,
    help:
      "Share of activations dropped in training (default: what the model's config says)",
  },
  ...OPTIMIZER_FLAGS,
  "eval-interval": {
    kind: "number",
    integer: true,
    least: 1,
    help: "Steps between evaluations (default: an epoch)",
  },
  "early-stopping-patience": {
    kind: "number",
    integer: true,
    least: 0,
    default: 0,
    help:
      "Evaluations without a better loss after which to stop; 0 for all epochs",
  },
  "log-interval": size(10, "Steps between lines"),
  "out": {
    kind: "text",
    value: "DIR",
    default: "finetuned",
    help: "Folder of the run; the best model so far is in its folder best",
  },
  ...RUN_FLAGS,
} as const;

/** Every flag of these. */
export const FINETUNE_FLAGS = { ...TRAINED_FLAGS, ...COURSE_FLAGS } as const;
