/**
 * `deno task convert`: writes a model as a folder for Hugging Face's libraries.
 *
 * @module
 */

import { join } from "node:path";
import { Device } from "../lib/gpu/device.ts";
import type { FloatDtype } from "../lib/io/dtype.ts";
import { fileError, isMissing } from "../lib/io/file_error.ts";
import type { TensorSource } from "../lib/io/tensors.ts";
import { saveWeights } from "../lib/io/weights.ts";
import { parameters } from "../lib/nn/parameters.ts";
import {
  describeModel,
  type LoadedModel,
  loadModel,
} from "../models/folder.ts";
import { modelParameterCount } from "../models/model_types.ts";
import { modelTensors } from "../models/weights.ts";
import { type Parsed, readArgs } from "./args.ts";
import { predict, relativeDistance } from "./compare_models.ts";
import { describeAdapter } from "./describe_adapter.ts";
import { ADAPTER_FLAG, findAdapted } from "./find_model.ts";
import { mergeAdapter } from "./merge_adapter.ts";

const FLAGS = {
  "model": {
    kind: "text",
    value: "DIR|ORG/NAME[@REVISION]",
    default: "out",
    help: "Folder of the model, or its name on the Hugging Face hub",
  },
  "adapter": {
    ...ADAPTER_FLAG,
    kind: "text",
    help: `${ADAPTER_FLAG.help}, and merge into its weights`,
  },
  "out": {
    kind: "text",
    value: "DIR",
    help: "Where to write it: a new folder, or an empty one",
  },
  "dtype": {
    kind: "text",
    value: "f32|f16|bf16",
    choices: ["f32", "f16", "bf16"],
    default: "f32",
    help: "How the weights are stored",
  },
  "max-shard-size": {
    kind: "text",
    value: "SIZE",
    default: "5GB",
    help: "Most bytes of weights in a file, as 500MB or 2GiB",
  },
} as const;

const COMMAND = {
  name: "convert",
  about:
    "Writes a model as a folder that AutoModelForCausalLM and AutoTokenizer of\n" +
    "transformers load, and loads that itself to compare what both predict.\n" +
    "An adapter is merged into the weights if the logits stay what they are.",
  flags: FLAGS,
  check,
} as const;

/** How weights may be stored. */
interface Precision {
  /** As safetensors files name it. */
  readonly dtype: FloatDtype;
  /** From here on a number would become infinite. */
  readonly limit: number;
  /**
   * How far the logits may be from the original's, relative to their length:
   * some 20 times what one rounding changes, and in f32 nothing is rounded.
   */
  readonly tolerance: number;
}

const PRECISIONS: Readonly<Record<string, Precision>> = {
  f32: { dtype: "F32", limit: Infinity, tolerance: 1e-6 },
  f16: { dtype: "F16", limit: 65520, tolerance: 0.01 },
  bf16: { dtype: "BF16", limit: 2 ** 128 - 2 ** 119, tolerance: 0.08 },
};

/** Runs the command and returns the exit code. */
export async function convert(args: string[]): Promise<number> {
  const parsed = readArgs(COMMAND, args);
  if (parsed === null) return 0;
  const { values, given } = parsed;
  const out = values.out!;
  const precision = PRECISIONS[values.dtype];
  requireFree(out, values.model);
  const { folder, adapters } = await findAdapted({
    model: given.has("model") ? values.model : undefined,
    otherwise: values.model,
    adapters: values.adapter === undefined ? [] : [values.adapter],
  });

  using device = await Device.open();
  console.error(describeAdapter(device));
  const source = await loadModel(device, folder, { adapters });
  const adapted = await predict(device, source);
  const expected = source.adapters?.length
    ? await mergeAdapter(device, source, adapted)
    : adapted;
  device.trim(); // What predicting took, before the weights are read.
  const [made] = foldersUpTo(out);
  try {
    describeModel(out, source, { dtype: precision.dtype });
    await saveWeights(out, bounded(modelTensors(source.model), precision), {
      dtype: precision.dtype,
      maxShardBytes: bytesOf(values["max-shard-size"]),
    });
    release(source); // Only one of the two is in memory at a time.
    device.trim();
    const written = await loadModel(device, out);
    const { ids, logits } = await predict(device, written);
    if (`${ids}` !== `${expected.ids}`) {
      throw new Error(
        `Cannot convert ${folder}: the tokenizer written reads a text otherwise than the original`,
      );
    }
    const distance = relativeDistance(logits, expected.logits);
    const { tolerance } = precision;
    if (!(distance <= tolerance)) {
      throw new Error(
        `Cannot convert ${folder}: the logits are ${distance} from the original's, at most ${tolerance} is allowed`,
      );
    }
    report({ out, values, distance, tolerance, ...written });
    return 0;
  } catch (error) {
    if (made === undefined) { for (const path of inside(out)) remove(path); }
    else remove(made);
    throw error;
  }
}

/** Says what is done. */
function report(
  { out, values, distance, tolerance, model }: LoadedModel & {
    readonly out: string;
    readonly values: { readonly dtype: string };
    readonly distance: number;
    readonly tolerance: number;
  },
): void {
  const sizes = inside(out)
    .filter((path) => path.endsWith(".safetensors"))
    .map((path) => Deno.statSync(path).size);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  console.log(
    `${out}: ${
      modelParameterCount(model.config).toLocaleString("en-US")
    } parameters in ${values.dtype}, ${sizes.length} ${
      sizes.length === 1 ? "file" : "files"
    } of weights, ${(bytes / 1e6).toFixed(1)} MB`,
  );
  console.log(
    `loaded again, its logits are ${
      distance === 0 ? 0 : distance.toExponential(1)
    } from the original's (allowed: ${tolerance})`,
  );
}

/** Refuses a folder that holds something, of which nothing is to be lost. */
function requireFree(out: string, model: string): void {
  const real = (path: string) => {
    try {
      return Deno.realPathSync(path);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw fileError(`write to "${path}"`, error);
    }
  };
  const there = real(out);
  if (there === undefined) return;
  if (there === real(model)) {
    throw new Error(
      `Cannot convert ${model} into itself: --out has to be another folder`,
    );
  }
  if (!Deno.statSync(there).isDirectory) {
    throw new Error(`Cannot convert to ${out}: it is a file, not a folder`);
  }
  if (inside(out).length > 0) {
    throw new Error(
      `Cannot convert to ${out}: the folder is not empty, and nothing in it is to be lost`,
    );
  }
}

/** The folders on the way to `path` that are not there yet, outermost first. */
function foldersUpTo(path: string): string[] {
  try {
    Deno.statSync(path);
    return [];
  } catch {
    return [...foldersUpTo(join(path, "..")), path];
  }
}

function inside(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => join(folder, name));
}

function remove(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!isMissing(error)) throw fileError(`remove "${path}"`, error);
  }
}

/** The tensors as they come, unless one has a number that cannot be stored. */
function bounded(source: TensorSource, { dtype, limit }: Precision) {
  async function* checked(): AsyncGenerator<Entry> {
    for await (const [name, tensor] of source.tensors) {
      for (const value of limit < Infinity ? tensor.data : []) {
        if (Math.abs(value) < limit || !Number.isFinite(value)) continue;
        throw new RangeError(
          `Cannot convert to ${dtype}: ${name} holds ${value}, which would become infinite`,
        );
      }
      yield [name, tensor];
    }
  }
  return { shapes: source.shapes, tensors: checked() };
}

type Entry = TensorSource["tensors"] extends
  Iterable<infer T> | AsyncIterable<infer T> ? T : never;

function release({ model }: LoadedModel): void {
  for (const parameter of parameters(model).values()) {
    parameter[Symbol.dispose]();
  }
}

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/** The bytes that a size such as 5GB stands for, or NaN. */
function bytesOf(size: string): number {
  const [, number, unit = ""] =
    size.trim().match(/^(\d+(?:\.\d+)?)\s*([kmg]i?b)?$/i) ?? [];
  return Number(number ?? NaN) * UNITS[unit.toLowerCase()];
}

/** What is wrong with the flags beyond each by itself. */
function check({ values, rest }: Parsed<typeof FLAGS>): string[] {
  const problems = rest.map((word) => `unexpected "${word}"`);
  if (values.out === undefined) problems.push("--out is missing");
  const size = values["max-shard-size"];
  if (!(bytesOf(size) > 0)) {
    problems.push(`--max-shard-size is "${size}", expected as 500MB or 2GiB`);
  }
  return problems;
}
