/**
 * What the flags of fine-tuning decide together, and what a resumed run may
 * change.
 *
 * @module
 */

import type { LoRAConfig } from "../models/lora_config.ts";
import type { ModelConfig } from "../models/model_types.ts";
import type { ModelOptions } from "../models/pass.ts";
import { usageError, type Values } from "./args.ts";
import type { FINETUNE_FLAGS } from "./finetune_flags.ts";

/** The values of the flags that every kind of fine-tuning has. */
export type FinetuneValues = Values<typeof FINETUNE_FLAGS>;

/** A command line of one kind of fine-tuning, read. */
export interface Asked<V extends FinetuneValues> {
  /** The flags, with defaults filled in. */
  readonly values: V;
  /** The names of those that were given. */
  readonly given: ReadonlySet<string>;
}

/** The files that follow a command, as if --data had named them. */
export function withFiles<V extends FinetuneValues>(
  { values, given, rest }: Asked<V> & { readonly rest: readonly string[] },
): Asked<V> {
  if (rest.length === 0) return { values, given };
  return {
    values: { ...values, data: [...values.data, ...rest] },
    given: new Set([...given, "data"]),
  };
}

/** How the flags ask a model to compute. */
export function modelOptionsOf(
  { dtype, recompute }: FinetuneValues,
): ModelOptions {
  return {
    dtype: dtype as ModelOptions["dtype"],
    recompute: recompute as ModelOptions["recompute"],
  };
}

/** Whether anything is dropped in training. */
export function dropsIn(config: ModelConfig, values: FinetuneValues): boolean {
  const { dropout = 0 } = "dropout" in config ? config : {};
  return dropout > 0 || adapts(values) && values["lora-dropout"] > 0;
}

/** Whether an adapter is what trains. */
export function adapts(values: FinetuneValues): boolean {
  return values["trainable-layers"] === "lora";
}

/** What is wrong with such flags together; a NaN is wrong by itself. */
export function finetuneProblems(
  { values, given }: Asked<FinetuneValues>,
): string[] {
  const problems: string[] = [];
  if (values.resume && values.overwrite) {
    problems.push("--resume and --overwrite exclude each other");
  }
  if (given.has("epochs") && given.has("max-iters")) {
    problems.push("--epochs and --max-iters exclude each other");
  }
  // What is resumed is judged together with what was saved.
  if (values.resume) return problems;
  for (const flag of ["model", "data"] as const) {
    if (!given.has(flag)) problems.push(`--${flag} is missing`);
  }
  const idle = [...given].filter((flag) =>
    /^(lora-|use-(rslora|dora)$|modules-to-save$)/.test(flag)
  );
  if (!adapts(values) && idle.length > 0) {
    problems.push(
      `--${idle.join(", --")} ${
        idle.length === 1 ? "needs" : "need"
      } --trainable-layers lora`,
    );
  }
  return [...problems, ...conflicts(values)];
}

/** Values that make no sense together, or by themselves. */
function conflicts(values: FinetuneValues): string[] {
  const problems: string[] = [];
  for (const flag of ["dropout", "lora-dropout"] as const) {
    const rate = values[flag];
    if (rate !== undefined && rate >= 1) {
      problems.push(`--${flag} is ${rate}, expected below 1`);
    }
  }
  if (values.beta1 >= 1 || values.beta2 >= 1) {
    problems.push("--beta1 and --beta2 must be below 1");
  }
  const { "min-lr": low } = values;
  const high = learningRateOf(values);
  if (low !== undefined && low > high) {
    problems.push(`--min-lr ${low} is above --learning-rate ${high}`);
  }
  return problems;
}

/** The learning rate at its peak, where nothing else is asked for. */
export function learningRateOf(values: FinetuneValues): number {
  return values["learning-rate"] ?? (adapts(values) ? 2e-4 : 5e-5);
}

/** Values as a report shows them. */
export function flatValues(
  values: object,
): Record<string, string | number | boolean> {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(" ") : value,
      ]),
  );
}

/** How the flags ask for an adapter. */
export function loraConfigOf(
  values: FinetuneValues,
): LoRAConfig {
  const names = (list: string) => list.split(",").map((name) => name.trim());
  const targets = values["lora-target-modules"];
  const saved = values["modules-to-save"];
  // A pattern has signs that no list of names has.
  const isList = targets !== "all-linear" && /^[\w.,\s]+$/.test(targets);
  return {
    rank: values["lora-r"],
    alpha: values["lora-alpha"],
    dropout: values["lora-dropout"],
    targetModules: isList ? names(targets) : targets,
    bias: values["lora-bias"] as LoRAConfig["bias"],
    modulesToSave: saved === undefined ? [] : names(saved),
    rankStabilized: values["use-rslora"],
    dora: values["use-dora"],
  };
}

/** What a resumed run may change; all else would make it another run. */
const CHANGEABLE: ReadonlySet<string> = new Set([
  "epochs",
  "max-iters",
  "learning-rate",
  "min-lr",
  "warmup-iters",
  "lr-decay-iters",
  "recompute",
  "eval-interval",
  "early-stopping-patience",
  "log-interval",
  "save-interval",
  "answers",
  "max-new-tokens",
]);

/** What concerns this session, not the run. */
const PASSING: ReadonlySet<string> = new Set([
  "out",
  "resume",
  "overwrite",
  "dry-run",
  "tune",
  "profile",
  "json",
  "show-masks",
]);

/**
 * The values of a run that is resumed: what was saved, but for flags given that
 * may change. Throws a usage error that lists the others with both values.
 */
export function resumedValues<V extends FinetuneValues>(
  saved: V,
  { values, given }: Asked<V>,
): V {
  const problems: string[] = [];
  const merged: Record<string, unknown> = { ...saved };
  for (const name of Object.keys(values) as (keyof V & string)[]) {
    const [before, now] = [saved[name], values[name]];
    if (PASSING.has(name)) merged[name] = now;
    if (!given.has(name) || PASSING.has(name)) continue;
    if (CHANGEABLE.has(name)) merged[name] = now;
    else if (JSON.stringify(before) !== JSON.stringify(now)) {
      problems.push(
        `--${name} is ${JSON.stringify(now)}, the run has ${
          JSON.stringify(before) ?? "none"
        }`,
      );
    }
  }
  // The steps that were saved would have the last word.
  if (given.has("epochs")) delete merged["max-iters"];
  const whole = merged as unknown as V;
  problems.push(...conflicts(whole));
  if (problems.length > 0) throw usageError("resume", problems);
  return whole;
}
