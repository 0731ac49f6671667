/**
 * What it takes to load a published folder: seconds, and the most memory that
 * the process had. The folders are made for this, of the shapes of GPT-2 and of
 * numbers that follow a rule, in a place for temporary files.
 *
 * @module
 */

import { statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bytesPerElement, type FloatDtype } from "../lib/io/dtype.ts";
import type { TensorSource } from "../lib/io/tensors.ts";
import { saveWeights } from "../lib/io/weights.ts";
import { ByteTokenizer } from "../lib/text/byte.ts";
import {
  GPT2_PRESETS,
  type GPT2Config,
  parameterCount,
  toHuggingFace,
} from "../models/gpt2_config.ts";
import type { Loading } from "./loading.ts";
import { type BenchOptions, wanted } from "./report.ts";

interface Folder {
  readonly name: string;
  readonly config: GPT2Config;
  readonly dtype: FloatDtype;
}

const vocabSize = 50257;

const FOLDERS: readonly Folder[] = [
  ["gpt2", "F32"],
  ["gpt2", "F16"],
  ["gpt2-medium", "F32"],
  ["gpt2-xl", "F16"],
].map(([preset, dtype]) => ({
  name: `${preset} in ${dtype}`,
  config: { vocabSize, ...GPT2_PRESETS[preset] },
  dtype: dtype as FloatDtype,
}));

const TINY: Folder = {
  name: "gpt-nano in F32",
  config: { vocabSize: 300, ...GPT2_PRESETS["gpt-nano"] },
  dtype: "F32",
};

/** Measures the loading of each folder that fits on the disk. */
export async function load(
  { report, filters, quick = false }: BenchOptions,
): Promise<void> {
  for (const { name, config, dtype } of quick ? [TINY] : FOLDERS) {
    if (!wanted(name, filters)) continue;
    const bytes = parameterCount(config) * bytesPerElement[dtype];
    const inMemory = 4 * parameterCount(config);
    const lacking = whatLacks(bytes, inMemory);
    if (lacking !== null) {
      console.error(`note: ${name} is left out: ${lacking}`);
      continue;
    }
    const folder = await Deno.makeTempDir({ prefix: "bench-load-" });
    try {
      Deno.writeTextFileSync(
        join(folder, "config.json"),
        JSON.stringify(toHuggingFace(config)),
      );
      Deno.writeTextFileSync(
        join(folder, "tokenizer.json"),
        JSON.stringify(new ByteTokenizer()),
      );
      await saveWeights(folder, weights(config), { dtype });
      const { seconds, before, peak } = await loading(folder);
      report({
        loading: name,
        "file MB": bytes / 1e6,
        "as f32 MB": inMemory / 1e6,
        "seconds": seconds,
        "MB before": before / 1e6,
        "peak MB": peak / 1e6,
        "peak / f32": peak / inMemory,
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }
}

/** Why a folder cannot be made and loaded here, or null. */
function whatLacks(bytes: number, inMemory: number): string | null {
  const { bavail, bsize } = statfsSync(tmpdir());
  const megabytes = (count: number) => `${Math.ceil(count / 1e6)} MB`;
  if (bavail * bsize < 1.1 * bytes) {
    return `${tmpdir()} has no room for ${megabytes(bytes)}`;
  }
  return Deno.systemMemoryInfo().available < 2 * inMemory
    ? `twice ${megabytes(inMemory)} of memory are not free`
    : null;
}

/** Loads a folder in a process of its own. */
async function loading(folder: string): Promise<Loading> {
  const path = fileURLToPath(new URL("./loading.ts", import.meta.url));
  const { code, stdout } = await new Deno.Command("deno", {
    // The system's account of a process needs every permission to be read.
    args: ["run", "--no-prompt", "--allow-all", path, folder],
    stdout: "piped",
    stderr: "inherit",
  }).output();
  if (code !== 0) throw new Error(`Cannot load ${folder}: status ${code}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** The tensors of a GPT-2, made one at a time. */
function weights({ vocabSize, blockSize, nLayer, nEmbd: c }: GPT2Config) {
  const shapes = new Map<string, readonly number[]>([
    ["wte.weight", [vocabSize, c]],
    ["wpe.weight", [blockSize, c]],
  ]);
  const pair = (name: string, weight: readonly number[]) => {
    shapes.set(`${name}.weight`, weight);
    shapes.set(`${name}.bias`, [weight.at(-1)!]);
  };
  for (let layer = 0; layer < nLayer; layer++) {
    pair(`h.${layer}.ln_1`, [c]);
    pair(`h.${layer}.attn.c_attn`, [c, 3 * c]);
    pair(`h.${layer}.attn.c_proj`, [c, c]);
    pair(`h.${layer}.ln_2`, [c]);
    pair(`h.${layer}.mlp.c_fc`, [c, 4 * c]);
    pair(`h.${layer}.mlp.c_proj`, [4 * c, c]);
  }
  pair("ln_f", [c]);
  return { shapes, tensors: numbers(shapes) };
}

function* numbers(shapes: TensorSource["shapes"]) {
  for (const [name, shape] of shapes) {
    const size = shape.reduce((product, length) => product * length, 1);
    const data = new Float32Array(size);
    for (let i = 0; i < size; i++) data[i] = (i % 1021 - 510) / 2 ** 14;
    yield [name, { shape, data }] as const;
  }
}
