/**
 * `adapter_config.json`: what PEFT says of an adapter beside its weights.
 *
 * @module
 */

import {
  FieldReader,
  type Fields,
  parseFields,
  shown,
} from "./field_reader.ts";
import type { LoRAConfig } from "./lora_config.ts";

/** What an adapter was made for, in PEFT's words. */
export type TaskType = "CAUSAL_LM" | "SEQ_CLS";

/** An adapter without its weights. */
export interface AdapterDescription {
  /** What it changes, and how. */
  readonly config: LoRAConfig;
  /** The model it was made for: a folder, or a name on the hub. */
  readonly base: string | null;
  /** Which revision of that, if it says. */
  readonly revision: string | null;
  /** What it is for, if it says. */
  readonly taskType: TaskType | null;
  /** Whether an embedding trained whole is the head as well. */
  readonly ensureWeightTying: boolean;
}

/** What says nothing of how the adapter computes, once its weights are there. */
const REMARKS: ReadonlySet<string> = new Set([
  "auto_mapping",
  "corda_config",
  "eva_config",
  "fan_in_fan_out", // The layers know.
  "inference_mode",
  "loftq_config",
  "lora_ga_config",
  "megatron_core",
  "peft_version",
  "qalora_group_size",
  "runtime_config",
]);

/** Beginnings that leave the base's weights alone. */
const BEGINNINGS: readonly unknown[] = [
  ...[true, false, null, undefined],
  ...["gaussian", "eva", "orthogonal"],
];

/**
 * Reads the text of an `adapter_config.json`. Throws one line naming `path` and
 * everything in it that is malformed, unknown or not supported.
 */
export function parseAdapterConfig(
  text: string,
  path: string,
): AdapterDescription {
  const json = parseFields(text, path);
  const reader = new FieldReader(json);
  const described = read(reader);
  const problems = [...reader.problems, ...unsupported(json, reader.known)];
  if (problems.length === 0) return described;
  throw new RangeError(`Cannot load ${path}: ${problems.join("; ")}`);
}

/** The text of an `adapter_config.json` that PEFT reads. */
export function formatAdapterConfig(
  { config, base, revision, taskType, ensureWeightTying }: AdapterDescription,
  { fanInFanOut }: { readonly fanInFanOut: boolean },
): string {
  const { targetModules: targets, excludeModules: excluded } = config;
  const json = {
    alpha_pattern: config.alphaPattern ?? {},
    auto_mapping: null,
    base_model_name_or_path: base,
    bias: config.bias,
    ensure_weight_tying: ensureWeightTying,
    exclude_modules: excluded?.length ? inPython(excluded) : null,
    fan_in_fan_out: fanInFanOut,
    inference_mode: true,
    init_lora_weights: true,
    layers_pattern: config.layersPattern?.length ? config.layersPattern : null,
    layers_to_transform: config.layersToTransform,
    lora_alpha: config.alpha,
    lora_dropout: config.dropout,
    modules_to_save: config.modulesToSave?.length ? config.modulesToSave : null,
    peft_type: "LORA",
    r: config.rank,
    rank_pattern: config.rankPattern ?? {},
    revision,
    target_modules: inPython(targets ?? []),
    task_type: taskType,
    use_dora: config.dora,
    use_rslora: config.rankStabilized,
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}

function read(of: FieldReader): AdapterDescription {
  const lists = ["a list of texts", isTexts] as const;
  const either = ["a text or a list of texts", isTextOrTexts] as const;
  const numbers = ["an object of numbers", isNumbers] as const;
  const flag = ["true or false", isFlag] as const;
  of.required("peft_type", `"LORA"`, (value) => value === "LORA");
  of.optional("init_lora_weights", "a beginning", (_): _ is unknown => true);
  const blocks = of.optional(
    "layers_to_transform",
    "a whole number or a list of them",
    isWholes,
  );
  const layersPattern = of.optional("layers_pattern", ...either);
  const targetModules = of.required("target_modules", ...either);
  const config: LoRAConfig = {
    rank: of.required("r", "a whole number from 1", isRank),
    alpha: of.required("lora_alpha", "a number", isNumber),
    dropout: of.optional("lora_dropout", "from 0 to below 1", isRate) ?? 0,
    rankStabilized: of.optional("use_rslora", ...flag) ?? false,
    dora: of.optional("use_dora", ...flag) ?? false,
    targetModules,
    excludeModules: of.optional("exclude_modules", ...either) ?? [],
    modulesToSave: of.optional("modules_to_save", ...lists) ?? [],
    layersToTransform: blocks === undefined ? null : [blocks].flat(),
    layersPattern: [layersPattern ?? []].flat(),
    bias: of.optional("bias", `"none", "all" or "lora_only"`, isBias) ?? "none",
    rankPattern: of.optional("rank_pattern", ...numbers) ?? {},
    alphaPattern: of.optional("alpha_pattern", ...numbers) ?? {},
  };
  if (blocks !== undefined && typeof targetModules === "string") {
    of.problems.push(
      "layers_to_transform and a pattern as target_modules exclude each other",
    );
  }
  return {
    config,
    base: of.optional("base_model_name_or_path", "a text", isText) ?? null,
    revision: of.optional("revision", "a text", isText) ?? null,
    taskType: of.optional(
      "task_type",
      `null, "CAUSAL_LM" or "SEQ_CLS"`,
      isTask,
    ) ?? null,
    ensureWeightTying: of.optional("ensure_weight_tying", ...flag) ?? false,
  };
}

/** What a config asks for that is not done here. */
function unsupported(json: Fields, known: ReadonlySet<string>): string[] {
  const { init_lora_weights: beginning } = json;
  const problems = BEGINNINGS.includes(beginning) ? [] : [
    `init_lora_weights is ${
      shown(beginning)
    }, which changes the base's weights and is not supported`,
  ];
  for (const [name, value] of Object.entries(json)) {
    if (known.has(name) || REMARKS.has(name) || saysNothing(value)) continue;
    problems.push(`${name} is ${shown(value)}, which is not supported`);
  }
  return problems;
}

function saysNothing(value: unknown): boolean {
  return value === null || value === false || value === "" ||
    (typeof value === "object" && Object.keys(value).length === 0);
}

/** Patterns as Python writes named groups. */
function inPython<T extends string | readonly string[]>(names: T): T | string {
  return typeof names === "string"
    ? names.replace(/\(\?<(?![=!])/g, "(?P<")
    : names;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isText);
}

function isTextOrTexts(value: unknown): value is string | string[] {
  return isText(value) || isTexts(value);
}

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}

function isRank(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0;
}

function isRate(value: unknown): value is number {
  return isNumber(value) && value >= 0 && value < 1;
}

function isWholes(value: unknown): value is number | number[] {
  return [value].flat().every((one) => Number.isInteger(one));
}

function isNumbers(value: unknown): value is Record<string, number> {
  return typeof value === "object" && value !== null &&
    Object.values(value).every(isNumber);
}

function isFlag(value: unknown): value is boolean {
  return typeof value === "boolean";
}

function isBias(value: unknown): value is "none" | "all" | "lora_only" {
  return ["none", "all", "lora_only"].includes(value as string);
}

function isTask(value: unknown): value is TaskType {
  return value === "CAUSAL_LM" || value === "SEQ_CLS";
}
