/**
 * The benchmarks, by name.
 *
 * ```sh
 * deno task bench kernels matmul
 * deno task bench train --json
 * ```
 *
 * @module
 */

import { readArgs, usageError } from "../cli/args.ts";
import { UsageError } from "../cli/usage_error.ts";
import { type BenchOptions, reporter } from "./report.ts";

type Bench = (options: BenchOptions) => Promise<void>;

const BENCHES: ReadonlyMap<string, () => Promise<Bench>> = new Map([
  ["kernels", async () => (await import("./kernels.ts")).kernels],
  ["train", async () => (await import("./train.ts")).train],
  ["generate", async () => (await import("./generate.ts")).generate],
  ["unrolling", async () => (await import("./unrolling.ts")).unrolling],
]);

const NAMES = [...BENCHES.keys(), "tokenizer"];

const COMMAND = {
  name: "bench",
  about: "Measures what things cost here. What follows the name picks those\n" +
    `results that have it in theirs. The names are ${NAMES.join(", ")}.`,
  usage: "NAME [FILTER…]",
  flags: {
    json: { kind: "switch", help: "Print JSON lines" },
  },
} as const;

/** Runs the benchmark that `args` names and returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const parsed = readArgs(COMMAND, args);
    if (parsed === null) return 0;
    const [name, ...filters] = parsed.rest;
    const { json } = parsed.values;
    if (name === "tokenizer") return await runTokenizer(filters, json);
    const load = BENCHES.get(name ?? "");
    if (load === undefined) {
      throw usageError("bench", [
        `${
          name === undefined ? "it needs a name" : `"${name}" is not known`
        }, the names are ${NAMES.join(", ")}`,
      ]);
    }
    const bench = await load();
    await bench({ report: reporter(json), filters });
    return 0;
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : error}`);
    return error instanceof UsageError ? 2 : 1;
  }
}

/** Nothing here needs the GPU, so `deno bench` can time it. */
async function runTokenizer(
  filters: readonly string[],
  json: boolean,
): Promise<number> {
  const path = new URL("./tokenizer.ts", import.meta.url).pathname;
  const args = ["bench", "--allow-read", ...(json ? ["--json"] : [])];
  if (filters.length > 0) args.push("--filter", filters.join(" "));
  const { code } = await new Deno.Command("deno", { args: [...args, path] })
    .spawn().status;
  return code;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
