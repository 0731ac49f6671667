/**
 * The flags of `finetune classify`.
 *
 * @module
 */

import { READ_TOKENS } from "../models/classifier_config.ts";
import type { Values } from "./args.ts";
import { FINETUNE_FLAGS } from "./finetune_flags.ts";

const { model, data, "trainable-layers": trained, epochs, ...others } =
  FINETUNE_FLAGS;

/** The flags of the command. */
export const CLASSIFY_FLAGS = {
  model,
  data: {
    ...data,
    help:
      "Labeled texts, a .csv, .tsv or .jsonl; may come again, or follow without --data",
  },
  "text-column": {
    kind: "text",
    value: "NAME|N",
    help: "The column of the texts: its name, or its number from 1",
  },
  "label-column": {
    kind: "text",
    value: "NAME|N",
    help: "The column of the labels, likewise",
  },
  "header": {
    kind: "switch",
    negatable: true,
    help:
      "Whether the first row names the columns (default: if it has usual names, or those given)",
  },
  "validation-data": {
    kind: "text",
    value: "FILE",
    help: "Labeled texts to choose the best model by (default: some of --data)",
  },
  "test-data": {
    kind: "text",
    value: "FILE",
    help: "Labeled texts to judge it by at the end (default: some of --data)",
  },
  "train-split": {
    kind: "number",
    least: 0,
    most: 1,
    default: 0.7,
    help: "Share of --data to learn from, where it is divided",
  },
  "validation-split": {
    kind: "number",
    least: 0,
    most: 1,
    default: 0.1,
    help: "Share of --data to choose by; the rest is to judge by",
  },
  "balance": {
    kind: "switch",
    help: "Take as many texts of each class as there are of the rarest",
  },
  "trainable-layers": {
    ...trained,
    help:
      "What trains: everything, the new head, the last blocks too, an adapter, or parameters by parts of their names",
  },
  "trainable-token": {
    kind: "text",
    value: READ_TOKENS.join("|"),
    choices: READ_TOKENS,
    default: "last",
    help:
      "The token whose output stands for the text; mean takes all (transformers always reads the last)",
  },
  "max-length": {
    kind: "number",
    integer: true,
    least: 1,
    help: "Tokens of a text at most (default: what the model's block holds)",
  },
  "pad-to-max-length": {
    kind: "switch",
    help:
      "Fill up rows to max-length, or else to the longest text, not just to the longest of their batch",
  },
  "group-by-length": {
    kind: "switch",
    negatable: true,
    default: true,
    help: "Batches of texts of like length, which need less padding",
  },
  "epochs": { ...epochs, default: 5 },
  ...others,
} as const;

/** The values of those flags; `header` only where it was given. */
export type ClassifyValues =
  & Omit<Values<typeof CLASSIFY_FLAGS>, "header">
  & { readonly header?: boolean };
