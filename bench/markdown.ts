/**
 * Turns the JSON lines of benchmarks, on stdin, into the figures of a document:
 * what stands between its two markers is replaced.
 *
 *     deno run --allow-read --allow-write bench/markdown.ts docs/benchmarks.md \
 *       "the processor" < out/benchmarks.jsonl
 *
 * @module
 */

import { lines } from "./peers/answer.ts";
import peers from "./peers/deno.json" with { type: "json" };
import type { Row } from "./report.ts";

const BEGIN = "<!-- figures: made by runs/benchmarks.sh -->";
const END = "<!-- end of figures -->";

/** A line of the benchmarks. */
type Result = Row & { readonly bench: string };

/** Something to reach: a figure, and the least or most it should be. */
interface Goal {
  readonly what: string;
  readonly figure: (results: readonly Result[]) => number;
  readonly least?: number;
  readonly most?: number;
}

const SMALL = "L4 H4 C128 T64 B12 V65";
const SIX = "L6 H6 C384 T256 B4 V65";
const GPT2 = "L12 H12 C768 T64 B4 V50257";

const GOALS: readonly Goal[] = [
  {
    what: "product 1024x384x1536: times the best library on WebGPU",
    figure: (results) =>
      Math.min(
        ...["tfjs WebGPU", "jax-js WebGPU", "onnxruntime-web WebGPU"]
          .map((who) => ratio(results, "matmul 1024x384x1536", who))
          .filter((times) => !Number.isNaN(times)),
      ),
    least: 13,
  },
  {
    what: "product 1024x384x1536: GFLOP/s",
    figure: (results) =>
      Math.max(
        ...results.filter(({ kernel }) => kernel === "matmul 1024x384x1536 nn")
          .map((row) => Number(row["GFLOP/s"])),
      ),
    least: 25,
  },
  ...training(SMALL, { "jax-js WebGPU": 15, "jax-js wasm": 1, PyTorch: 0.45 }),
  ...training(SIX, { "jax-js WebGPU": 20, PyTorch: 0.4 }),
  decoding(GPT2, 5),
  decoding(SIX, 60),
  starting("cold", 10),
  starting("third", 2),
];

function training(model: string, times: Record<string, number>): Goal[] {
  return Object.entries(times).map(([who, least]) => ({
    what: `training ${model}: times ${who}`,
    figure: (results) => ratio(results, `train ${model}`, who),
    least,
  }));
}

function decoding(model: string, least: number): Goal {
  return {
    what: `writing with ${model}: tokens/s`,
    figure: (results) =>
      Math.max(
        ...results.filter(({ writing }) => writing === `${model}, greedy`)
          .map((row) => Number(row["median decode tokens/s"])),
      ),
    least,
  };
}

function starting(start: string, most: number): Goal {
  return {
    what: `first step of the ${start} start: seconds, whole process`,
    figure: (results) =>
      Math.max(
        ...results.filter((row) =>
          row.bench === "start" && row.start === start && row.starting !== GPT2
        ).map((row) => Number(row["process s"])),
      ),
    most,
  };
}

/** How many times as fast as someone we were in a contest. */
function ratio(
  results: readonly Result[],
  contest: string,
  who: string,
): number {
  const row = results.find((row) =>
    row.contest === contest && String(row.who).startsWith(who)
  );
  return Number(row?.["ours / theirs"] ?? NaN);
}

/** The figures as Markdown. */
export function figures(results: readonly Result[]): string {
  const reached = GOALS.map(({ what, figure, least, most }) => {
    const measured = figure(results);
    const met = measured >= (least ?? -Infinity) &&
      measured <= (most ?? Infinity);
    return {
      goal: what,
      wanted: most === undefined ? `at least ${least}` : `at most ${most}`,
      measured: Number.isFinite(measured) ? format(measured) : "not measured",
      reached: met && Number.isFinite(measured) ? "yes" : "no",
    };
  });
  const parts = [`### Goals\n\n${table(reached)}`];
  for (const [bench, rows] of Map.groupBy(results, (row) => row.bench)) {
    parts.push(`### ${bench}`);
    const shown = rows.filter((row) => !("adapter" in row))
      .map(({ bench: _, ...row }) => row);
    const alike = Map.groupBy(shown, (row) => Object.keys(row).join());
    for (const group of alike.values()) parts.push(table(group));
  }
  return parts.join("\n\n");
}

function table(rows: readonly Row[]): string {
  const names = Object.keys(rows[0]);
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rule = Object.values(rows[0])
    .map((value) => typeof value === "number" ? "--:" : "---");
  return [
    line(names),
    line(rule),
    ...rows.map((row) => line(Object.values(row).map(format))),
  ].join("\n");
}

function format(value: string | number): string {
  if (typeof value === "string") return value.replaceAll("|", "\\|");
  if (Number.isInteger(value)) return value.toLocaleString("en-US");
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** What was measured on, and when. */
function circumstances(cpu: string, results: readonly Result[]): string {
  const adapter = results.find((row) => "adapter" in row)?.adapter ?? "none";
  const date = new Date().toISOString().slice(0, 10);
  const libraries = Object.values(peers.imports)
    .map((specifier) => specifier.replace("npm:", "").replace(/@(?=\d)/, " "));
  return `${date}: ${cpu}, ${navigator.hardwareConcurrency} cores; adapter ` +
    `${adapter}; Deno ${Deno.version.deno}; ${libraries.join(", ")}.`;
}

if (import.meta.main) {
  const [path, cpu = "unknown processor"] = Deno.args;
  const results: Result[] = [];
  for await (const line of lines(Deno.stdin.readable)) {
    if (line.startsWith("{")) results.push(JSON.parse(line));
  }
  const document = await Deno.readTextFile(path);
  const [before, after] = [document.split(BEGIN)[0], document.split(END)[1]];
  if (results.length === 0 || after === undefined) {
    console.error(`error: Cannot fill ${path}: no results or no markers`);
    Deno.exit(1);
  }
  const text = [
    before + BEGIN,
    circumstances(cpu, results),
    figures(results),
    END + after,
  ].join("\n\n");
  await Deno.writeTextFile(path, text);
}
