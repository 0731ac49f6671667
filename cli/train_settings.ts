/**
 * What the flags of `train` decide, and what a resumed run may change.
 *
 * @module
 */

import type { Recomputed } from "../models/pass.ts";
import { GPT2_PRESETS } from "../models/gpt2_config.ts";
import { type Parsed, usageError } from "./args.ts";
import type { TRAIN_FLAGS } from "./train_flags.ts";

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
  readonly dtype: "f32" | "f16";
  readonly recompute: Recomputed;
  readonly seed: number;
  readonly evalInterval: number;
  readonly evalIters: number;
  readonly logInterval: number;
  readonly sampleInterval: number;
  readonly saveInterval: number;
}

/** What runs do that were saved before these settings were known. */
export const ADDED_SETTINGS: Pick<Settings, "dtype" | "recompute"> = {
  dtype: "f32",
  recompute: "none",
};

/** What a resumed run may change; all else would make it another run. */
const CHANGEABLE: ReadonlySet<string> = new Set([
  "maxIters",
  "learningRate",
  "minLr",
  "warmupIters",
  "lrDecayIters",
  "recompute",
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
  // Wide models want small steps, and weights that have learned smaller ones.
  const nEmbd = sizeOf("n-embd", "nEmbd");
  const usual = values["init-from"] === undefined
    ? Math.min(3e-3, 0.384 / nEmbd)
    : 5e-5;
  const learningRate = values["learning-rate"] ?? usual;
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
    dtype: values.dtype as Settings["dtype"],
    recompute: values.recompute as Recomputed,
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
  // A model that is trained on has sizes of its own.
  if (settings.initFrom === null && nEmbd % nHead > 0) {
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
