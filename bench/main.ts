/**
 * The benchmarks, by name.
 *
 * ```sh
 * deno task bench kernels matmul
 * deno task bench all --json
 * ```
 *
 * @module
 */

import { readArgs, usageError } from "../cli/args.ts";
import { TUNE_FLAG } from "../cli/tuning_store.ts";
import { UsageError } from "../cli/usage_error.ts";
import { prepareMesa } from "../lib/gpu/mesa.ts";
import { type BenchOptions, reporter } from "./report.ts";

type Bench = (options: BenchOptions) => Promise<void>;

const BENCHES: ReadonlyMap<string, () => Promise<Bench>> = new Map([
  ["kernels", async () => (await import("./kernels.ts")).kernels],
  ["train", async () => (await import("./train.ts")).train],
  ["finetune", async () => (await import("./finetune.ts")).finetune],
  ["generate", async () => (await import("./generate.ts")).generate],
  ["start", async () => (await import("./start.ts")).start],
  ["load", async () => (await import("./load.ts")).load],
  ["tokenizer", async () => (await import("./text.ts")).tokenizer],
  ["unrolling", async () => (await import("./unrolling.ts")).unrolling],
  ["peers", async () => (await import("./peers.ts")).peers],
  ["profile", async () => (await import("./profile.ts")).profile],
  ["gpu", async () => (await import("./gpu.ts")).gpu],
]);

/** What is not part of all. */
const APART: ReadonlySet<string> = new Set(["load", "profile", "gpu"]);

/** What each measures, for the list that no name prints. */
const ABOUT: Readonly<Record<string, string>> = {
  kernels: "products, attention, and what is bound by memory",
  train: "steps of training, the host's part in them, and memory",
  finetune: "steps that train a part of a model, beside all of it",
  generate: "reading a prompt, and writing after it",
  start: "the first step of training, with and without a shader cache",
  load: "loading a published folder of full size: seconds, and peak memory",
  tokenizer: "encoding and training on a megabyte, beside tiktoken",
  unrolling: "what writing out loops is worth",
  peers: "the same work in jax-js, tfjs, onnxruntime-web and PyTorch",
  profile: "what every kernel takes in a step, with a trace for Perfetto",
  gpu: "a GPU's products, attention, training and writing, at full size",
  all: "all of these but load, profile and gpu",
};

const COMMAND = {
  name: "bench",
  about: "Measures what things cost here. What follows the name picks those\n" +
    "results that have it in theirs. The names are:\n\n" + list(),
  usage: "NAME [FILTER…]",
  flags: {
    json: { kind: "switch", help: "Print JSON lines" },
    quick: {
      kind: "switch",
      help: "Something tiny, to see only that it runs",
    },
    tune: TUNE_FLAG,
  },
} as const;

/** Runs the benchmark that `args` names and returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const parsed = readArgs(COMMAND, args);
    if (parsed === null) return 0;
    const [name, ...filters] = parsed.rest;
    const { json, quick, tune } = parsed.values;
    if (name === undefined) {
      console.log(list());
      return 0;
    }
    if (name !== "all" && !BENCHES.has(name)) {
      throw usageError("bench", [
        `"${name}" is not known, the names are ${
          Object.keys(ABOUT).join(", ")
        }`,
      ]);
    }
    let code = 0;
    prepareMesa(); // Processes that benchmarks start inherit what it sets.
    for (const [each, load] of BENCHES) {
      if (name === "all" ? APART.has(each) : name !== each) continue;
      const bench = await load();
      try {
        await bench({ report: reporter(each, json), filters, quick, tune });
      } catch (error) {
        // The others can be measured all the same.
        console.error(`error: ${each}: ${messageOf(error)}`);
        code = 1;
      }
    }
    return code;
  } catch (error) {
    console.error(`error: ${messageOf(error)}`);
    return error instanceof UsageError ? 2 : 1;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function list(): string {
  return Object.entries(ABOUT)
    .map(([name, about]) => `  ${name.padEnd(10)} ${about}`).join("\n");
}

if (import.meta.main) Deno.exit(await main(Deno.args));
