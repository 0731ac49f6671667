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
]);

const COMMAND = {
  name: "bench",
  about: `Measures what things cost here: ${[...BENCHES.keys()].join(", ")}.
What follows the name picks those results that have it in theirs.`,
  usage: "NAME [FILTER]...",
  flags: {
    json: { kind: "switch", help: "Print JSON lines" },
  },
} as const;

/** Runs the benchmark that `args` names and returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const parsed = readArgs(COMMAND, args);
    if (parsed === null) return 0;
    const [name = "", ...filters] = parsed.rest;
    const load = BENCHES.get(name);
    if (load === undefined) {
      const names = [...BENCHES.keys()].join(", ");
      throw usageError("bench", [
        `there is no benchmark "${name}", expected ${names}`,
      ]);
    }
    const bench = await load();
    await bench({ report: reporter(parsed.values.json), filters });
    return 0;
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : error}`);
    return error instanceof UsageError ? 2 : 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
