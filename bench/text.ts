/**
 * What `deno bench` says of the tokenizer, as results like all others.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { type BenchOptions, wanted } from "./report.ts";

/** What `deno bench --json` prints, as far as it is used here. */
interface Findings {
  readonly benches: readonly {
    readonly name: string;
    readonly group: string | null;
    readonly baseline: boolean;
    /** Nanoseconds of a run. */
    readonly results: readonly {
      readonly ok?: { readonly min: number; readonly avg: number };
    }[];
  }[];
}

/** Measures encoding, decoding and training. Nothing in it needs the GPU. */
export async function tokenizer(
  { report, filters, quick = false }: BenchOptions,
): Promise<void> {
  const path = fileURLToPath(new URL("./tokenizer.ts", import.meta.url));
  const filter = quick ? ["--filter", "load GPT-2"] : [];
  const { code, stdout } = await new Deno.Command("deno", {
    args: ["bench", "--allow-read", "--json", ...filter, path],
    stderr: "inherit",
  }).output();
  if (code !== 0) {
    throw new Error(`Cannot measure: deno bench ended with ${code}`);
  }
  const { benches } = JSON.parse(new TextDecoder().decode(stdout)) as Findings;
  const meanOf = (bench: Findings["benches"][number]) =>
    bench.results[0].ok?.avg;
  for (const bench of benches) {
    const { group, name, results: [{ ok }] } = bench;
    const title = group === null ? name : `${group}, ${name}`;
    if (ok === undefined || !wanted(title, filters)) continue;
    const baseline = benches.find((other) =>
      other.group === group && other.baseline
    );
    const ours = baseline && meanOf(baseline);
    report({
      text: title,
      "mean ms": ok.avg / 1e6,
      "best ms": ok.min / 1e6,
      ...(ours !== undefined && group !== null &&
        { "ours / theirs": ok.avg / ours }),
    });
  }
}
