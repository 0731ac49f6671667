/**
 * The flags of `train`, and the settings they make.
 *
 * @module
 */

import { GPT2_PRESETS } from "../models/gpt2_config.ts";
import { type Parsed, usageError } from "./args.ts";

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
    help: "Learning rate at its peak (default: 0.384 / n-embd, at most 0.003)",
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
    value: "DIR",
    help: "Start from the weights and tokenizer of a model folder",
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

/** Everything that decides the course of a run; fit for JSON. */
export interface Settings {
  readonly data: readonly string[];
  readonly tokenizer: string;
  readonly vocabSize: number | null;
  readonly initFrom: string | null;
  readonly nLayer: number;
  readonly nHead: number;
  readonly nEmbd: number;
  readonly blockSize: number;
  readonly dropout: number;
  readonly bias: boolean;
  readonly sampler: string;
  readonly stride: number;
  readonly batchSize: number;
  readonly gradientAccumulationSteps: number;
  readonly maxIters: number;
  readonly learningRate: number;
  readonly minLr: number;
  readonly warmupIters: number;
  readonly lrDecayIters: number;
  readonly weightDecay: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly gradClip: number;
  readonly seed: number;
  readonly evalInterval: number;
  readonly evalIters: number;
  readonly logInterval: number;
  readonly sampleInterval: number;
  readonly saveInterval: number;
}

/** What a resumed run may change; all else would make it another run. */
const CHANGEABLE: ReadonlySet<string> = new Set([
  "maxIters",
  "learningRate",
  "minLr",
  "warmupIters",
  "lrDecayIters",
  "evalInterval",
  "evalIters",
  "logInterval",
  "sampleInterval",
  "saveInterval",
]);

/** What `train` has to be told before it can start. */
type TrainArgs = Parsed<typeof TRAIN_FLAGS>;

/** The settings that flags make of the defaults. */
export function settingsOf({ values, given, rest }: TrainArgs): Settings {
  const preset = values.preset === undefined
    ? undefined
    : GPT2_PRESETS[values.preset];
  const sizeOf = (
    flag: "n-layer" | "n-head" | "n-embd" | "block-size",
    name: "nLayer" | "nHead" | "nEmbd" | "blockSize",
  ) => preset && !given.has(flag) ? preset[name] : values[flag];
  const maxIters = values["max-iters"];
  // Wide models want small steps: at 768 channels this is 5e-4.
  const nEmbd = sizeOf("n-embd", "nEmbd");
  const learningRate = values["learning-rate"] ?? Math.min(3e-3, 0.384 / nEmbd);
  return {
    data: [...values.data, ...rest],
    tokenizer: values.tokenizer,
    vocabSize: values["vocab-size"] ?? null,
    initFrom: values["init-from"] ?? null,
    nLayer: sizeOf("n-layer", "nLayer"),
    nHead: sizeOf("n-head", "nHead"),
    nEmbd,
    blockSize: sizeOf("block-size", "blockSize"),
    dropout: values.dropout,
    bias: values.bias,
    sampler: values.sampler,
    stride: values.stride ?? sizeOf("block-size", "blockSize"),
    batchSize: values["batch-size"],
    gradientAccumulationSteps: values["gradient-accumulation-steps"],
    maxIters,
    learningRate,
    minLr: values["min-lr"] ?? learningRate / 10,
    warmupIters: values["warmup-iters"] ??
      Math.min(100, Math.floor(maxIters / 10)),
    lrDecayIters: values["lr-decay-iters"] ?? Math.max(1, maxIters),
    weightDecay: values["weight-decay"],
    beta1: values.beta1,
    beta2: values.beta2,
    gradClip: values["grad-clip"],
    seed: values.seed,
    evalInterval: values["eval-interval"],
    evalIters: values["eval-iters"],
    logInterval: values["log-interval"],
    sampleInterval: values["sample-interval"],
    saveInterval: values["save-interval"] ?? values["eval-interval"],
  };
}

/** What is wrong with the flags together; see {@linkcode readArgs}. */
export function trainProblems(parsed: TrainArgs): string[] {
  const { resume, overwrite } = parsed.values;
  const problems: string[] = [];
  if (resume && overwrite) {
    problems.push("--resume and --overwrite exclude each other");
  }
  const decided = DECIDED_BY_MODEL.filter((flag) => parsed.given.has(flag));
  if (parsed.given.has("init-from") && decided.length > 0) {
    problems.push(
      `--init-from names a model that decides --${decided.join(", --")}`,
    );
  }
  // What changes when a run is resumed is judged together with what was saved.
  return resume ? problems : [...problems, ...conflicts(settingsOf(parsed))];
}

const DECIDED_BY_MODEL = [
  "tokenizer",
  "vocab-size",
  "preset",
  "n-layer",
  "n-head",
  "n-embd",
  "bias",
] as const;

/** A run as it was saved. */
export interface SavedRun {
  /** Its settings. */
  readonly settings: Settings;
  /** Steps it had taken. */
  readonly step: number;
}

/**
 * The settings of a run resumed with new flags: what was saved, but for flags
 * given that may change. Throws a usage error that lists the others with both
 * values.
 */
export function resumedSettings(
  { settings: saved, step }: SavedRun,
  parsed: TrainArgs,
): Settings {
  const asked = settingsOf(parsed);
  const named = new Set([...parsed.given].map(camelCase));
  if (parsed.given.has("preset")) {
    for (const name of ["nLayer", "nHead", "nEmbd", "blockSize"]) {
      named.add(name);
    }
  }
  if (parsed.rest.length > 0) named.add("data");
  const problems: string[] = [];
  const changes: Record<string, unknown> = {};
  for (const name of Object.keys(saved) as (keyof Settings)[]) {
    const same = JSON.stringify(asked[name]) === JSON.stringify(saved[name]);
    if (!named.has(name) || same) continue;
    if (CHANGEABLE.has(name)) changes[name] = asked[name];
    else {
      problems.push(
        `${kebabCase(name)} is ${JSON.stringify(asked[name])}, the run has ${
          JSON.stringify(saved[name])
        }`,
      );
    }
  }
  const settings = { ...saved, ...changes };
  if (settings.maxIters < step) {
    problems.push(
      `--max-iters is ${settings.maxIters}, the run has taken ${step} steps`,
    );
  }
  problems.push(...conflicts(settings));
  if (problems.length > 0) throw usageError("resume", problems);
  return settings;
}

/** Settings that contradict each other; a NaN contradicts nothing. */
function conflicts(settings: Settings): string[] {
  const { nEmbd, nHead, dropout, minLr, learningRate } = settings;
  const { warmupIters, lrDecayIters, maxIters } = settings;
  const problems: string[] = [];
  if (nEmbd % nHead > 0) {
    problems.push(
      `--n-embd ${nEmbd} is not a multiple of --n-head ${nHead}`,
    );
  }
  if (dropout >= 1) problems.push(`--dropout is ${dropout}, expected below 1`);
  if (minLr > learningRate) {
    problems.push(`--min-lr ${minLr} is above --learning-rate ${learningRate}`);
  }
  if (warmupIters >= lrDecayIters && maxIters > warmupIters) {
    problems.push(
      `--warmup-iters ${warmupIters} leaves no step before --lr-decay-iters ${lrDecayIters}`,
    );
  }
  if (settings.beta1 >= 1 || settings.beta2 >= 1) {
    problems.push("--beta1 and --beta2 must be below 1");
  }
  return problems;
}

function camelCase(flag: string): string {
  return flag.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());
}

function kebabCase(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
