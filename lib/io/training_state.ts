/**
 * `training_state.json`: the page that says which files make a checkpoint.
 *
 * It carries a checksum of itself, so that no byte of a checkpoint can change
 * unnoticed.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { type Digest, replaceFile } from "./atomic.ts";
import { fileError } from "./file_error.ts";

/** What JSON can hold. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** A run at one step, without its tensors. */
export interface TrainingState {
  /** Updates done so far. */
  readonly step: number;
  /** The tensor files of this step, by name. */
  readonly files: Readonly<Record<string, Digest>>;
  /** Whatever else the caller needs to continue. */
  readonly state: Readonly<Record<string, JsonValue>>;
}

/** The file of the weights: a model's, or an adapter's alone. */
export type WeightsName = "model.safetensors" | "adapter_model.safetensors";

/** The names that the file of the weights may have. */
const weightsNames: readonly WeightsName[] = [
  "model.safetensors",
  "adapter_model.safetensors",
];
/** The file of the optimizer's moments. */
export const optimizerName = "optimizer.safetensors";

/** The file of the weights that a training state names. */
export function weightsNameOf({ files }: TrainingState): WeightsName {
  return weightsNames.find((name) => Object.hasOwn(files, name))!;
}

/** The version of the format that is written and read. */
const formatVersion = 1;

const fileName = "training_state.json";

/**
 * Checks that a step and what belongs to it can be saved.
 *
 * Throws a `TypeError` if `state` holds what JSON cannot keep, such as NaN, and
 * a `RangeError` if `step` is no whole number.
 */
export function requireSavable(step: number, state: JsonValue): void {
  if (!Number.isSafeInteger(step) || step < 0) {
    throw new RangeError(`Cannot save step ${step}: expected a whole number`);
  }
  requireJson(state, "state");
}

/** Replaces a folder's training state, one that can be saved, in one step. */
export function writeTrainingState(folder: string, state: TrainingState): void {
  replaceFile(join(folder, fileName), format(state));
}

/**
 * Reads a folder's training state.
 *
 * Throws one line naming the file if it is missing, altered, or of a version
 * that is not ours.
 */
export function readTrainingState(folder: string): TrainingState {
  const path = join(folder, fileName);
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    throw fileError(`read "${path}"`, error);
  }
  const parsed = parse(text);
  const version = parsed?.format_version;
  if (Number.isInteger(version) && version !== formatVersion) {
    throw new Error(
      `Cannot read "${path}": it has format ${version}, and this version of Shaderloom reads ${formatVersion}`,
    );
  }
  if (!parsed || !isUnaltered(parsed, text)) {
    throw new Error(
      `Cannot read "${path}": it was altered or cut short (its checksum does not match)`,
    );
  }
  requireDigests(parsed.files, path);
  return { step: parsed.step, files: parsed.files, state: parsed.state };
}

/** Whether a folder holds a run that can be resumed. */
export function hasTrainingState(folder: string): boolean {
  try {
    return Deno.statSync(join(folder, fileName)).isFile;
  } catch {
    return false;
  }
}

function format({ step, files, state }: TrainingState): string {
  const page = { format_version: formatVersion, step, files, state };
  const checksum = createHash("sha256").update(JSON.stringify(page)).digest(
    "hex",
  );
  return JSON.stringify({ ...page, checksum }, null, 2) + "\n";
}

/** Whether writing the page again gives the same text, to the byte. */
function isUnaltered(page: TrainingState, text: string): boolean {
  try {
    return format(page) === text;
  } catch {
    return false; // Nested too deep to be one of ours.
  }
}

function parse(
  text: string,
): TrainingState & { readonly format_version?: unknown } | undefined {
  try {
    return JSON.parse(text) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Checks what a reader relies on, for a page may be wrong from the start. */
function requireDigests(files: TrainingState["files"], path: string) {
  const weights = weightsNames.filter((name) =>
    Object.hasOwn(files ?? {}, name)
  );
  const expected = weights.length === 1 ? weights : weightsNames.slice(0, 1);
  for (const name of [...expected, optimizerName]) {
    const { sha256, bytes }: Partial<Digest> = files?.[name] ?? {};
    if (/^[0-9a-f]{64}$/.test(`${sha256}`) && Number.isSafeInteger(bytes)) {
      continue;
    }
    throw new Error(`Cannot read "${path}": it does not name ${name}`);
  }
  if (weights.length > 1) {
    throw new Error(`Cannot read "${path}": it names ${weights.join(" and ")}`);
  }
}

function requireJson(value: JsonValue, path: string) {
  if (value === null || typeof value === "boolean") return;
  if (typeof value === "string" || Number.isFinite(value)) return;
  if (typeof value !== "object") {
    throw new TypeError(`Cannot save ${path}: JSON has no way to say ${value}`);
  }
  if (ArrayBuffer.isView(value)) {
    throw new TypeError(
      `Cannot save ${path}: expected a list, got binary data`,
    );
  }
  for (const [key, inner] of Object.entries(value)) {
    requireJson(inner, `${path}.${key}`);
  }
}
