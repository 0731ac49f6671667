/**
 * The flags of `finetune instruct`.
 *
 * @module
 */

import { PROMPT_STYLES } from "../lib/text/prompt_style.ts";
import type { Values } from "./args.ts";
import { FINETUNE_FLAGS } from "./finetune_flags.ts";

/** The model's own way to write a conversation. */
export const OWN_STYLE = "own";

const { model, data, "trainable-layers": trained, epochs, ...others } =
  FINETUNE_FLAGS;

/** The flags of the command. */
export const INSTRUCT_FLAGS = {
  model,
  data: {
    ...data,
    help:
      "Instructions, as .json or .jsonl, of a shape that is recognised; may come again, or follow without --data",
  },
  "validation-data": {
    kind: "text",
    value: "FILE",
    help: "Instructions to choose the best model by (default: some of --data)",
  },
  "test-data": {
    kind: "text",
    value: "FILE",
    help: "Instructions to answer at the end (default: some of --data)",
  },
  "train-split": {
    kind: "number",
    least: 0,
    most: 1,
    default: 0.85,
    help: "Share of --data to learn from, where it is divided",
  },
  "validation-split": {
    kind: "number",
    least: 0,
    most: 1,
    default: 0.05,
    help: "Share of --data to choose by; the rest is answered at the end",
  },
  "prompt-style": {
    kind: "text",
    value: [OWN_STYLE, ...PROMPT_STYLES].join("|"),
    choices: [OWN_STYLE, ...PROMPT_STYLES],
    help:
      "How instructions are written (default: the model's own chat template if it has one, else alpaca)",
  },
  "mask-prompt": {
    kind: "switch",
    negatable: true,
    default: true,
    help: "Learn the answers only, not the instructions",
  },
  "packing": {
    kind: "switch",
    help: "Several conversations in a row of a batch, none seeing another",
  },
  "max-length": {
    kind: "number",
    integer: true,
    least: 2,
    help: "Tokens of a row at most (default: what the model's block holds)",
  },
  "group-by-length": {
    kind: "switch",
    negatable: true,
    default: true,
    help: "Batches of rows of like length, which need less padding",
  },
  "show-masks": {
    kind: "number",
    integer: true,
    least: 0,
    default: 2,
    help: "Examples to show at the beginning, what is learned in colour",
  },
  "answers": {
    kind: "number",
    integer: true,
    least: 0,
    default: 20,
    help: "Held-out instructions to answer at the end, and to score",
  },
  "max-new-tokens": {
    kind: "number",
    integer: true,
    least: 1,
    default: 256,
    help: "Tokens of such an answer at most",
  },
  "trainable-layers": trained,
  epochs,
  ...others,
} as const;

/** The values of those flags. */
export type InstructValues = Values<typeof INSTRUCT_FLAGS>;
