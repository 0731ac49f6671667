import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { fromFileUrl } from "@std/path";
import { Contestant } from "../../bench/contestant.ts";
import { generate } from "../../bench/generate.ts";
import { kernels } from "../../bench/kernels.ts";
import { figures } from "../../bench/markdown.ts";
import { type BenchOptions, median, type Row } from "../../bench/report.ts";
import { train } from "../../bench/train.ts";

const program = fromFileUrl(new URL("../../bench/main.ts", import.meta.url));
const NAMES = "kernels train generate start load tokenizer peers".split(" ");

function bench(...args: string[]) {
  return benchWith([], args);
}

async function benchWith(permissions: string[], args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command("deno", {
    args: [
      "run",
      "--no-prompt",
      "--allow-read",
      "--allow-env",
      ...permissions,
      program,
      ...args,
    ],
    stdin: "null",
  }).output();
  const [out, err] = [stdout, stderr].map((b) => new TextDecoder().decode(b));
  return { code, out, err };
}

/** What a benchmark reports when all it shall show is that it runs. */
async function quickly(
  run: (options: BenchOptions) => Promise<void>,
  ...filters: string[]
): Promise<Row[]> {
  const rows: Row[] = [];
  await run({ report: (row) => rows.push(row), filters, quick: true });
  return rows;
}

/** A row that has this column; its figures are numbers that exist. */
function rowWith(rows: readonly Row[], column: string): Row {
  const row = rows.find((row) => column in row);
  assert(row !== undefined, `no result has "${column}"`);
  for (const [name, value] of Object.entries(row)) {
    assert(typeof value === "string" || Number.isFinite(value), name);
  }
  return row;
}

Deno.test("without a name the benchmarks are listed", async () => {
  const { code, out, err } = await bench();
  assertEquals({ code, err }, { code: 0, err: "" });
  for (const name of [...NAMES, "all"]) assertStringIncludes(out, `  ${name} `);
});

Deno.test("a benchmark that is not there is a wrong usage", async () => {
  const { code, err } = await bench("kernel");
  assertEquals(code, 2);
  for (const name of ['"kernel"', ...NAMES]) assertStringIncludes(err, name);
});

Deno.test("--json prints lines that name the benchmark, and units", async () => {
  const { code, out } = await bench("generate", "--quick", "--json");
  assertEquals(code, 0);
  const rows: Row[] = out.trim().split("\n").map((line) => JSON.parse(line));
  assert(rows.every(({ bench }) => bench === "generate"));
  assert(Number(rowWith(rows, "first token ms")["first token ms"]) > 0);
});

Deno.test("train measures speed, the host's part, and memory", async () => {
  const rows = await quickly(train);
  const { "best tokens/s": best, "median tokens/s": median } = rowWith(
    rows,
    "training",
  );
  assert(Number(best) >= Number(median) && Number(median) > 0);
  assert(Number(rowWith(rows, "host")["dispatches/step"]) > 10);
  assert(Number(rowWith(rows, "memory")["peak MiB"]) > 0);
});

Deno.test("generate measures each way of drawing", async () => {
  const rows = await quickly(generate);
  const written = rows.map(({ writing }) => writing).filter(Boolean);
  assertEquals(written.length, 2);
});

Deno.test("load makes a folder, and measures its loading in a process of its own", async () => {
  const { code, out, err } = await benchWith(
    ["--allow-write", "--allow-run=deno", "--allow-sys"],
    ["load", "--quick", "--json"],
  );
  assertEquals(code, 0, err);
  const row = rowWith([JSON.parse(out)], "loading");
  assert(Number(row.seconds) > 0);
  assert(Number(row["peak MB"]) >= Number(row["MB before"]));
});

Deno.test("kernels measures what is asked for, and nothing else", async () => {
  const rows = await quickly(kernels, "gelu");
  const { kernel, ms, "GB/s": speed } = rowWith(rows, "kernel");
  assertStringIncludes(String(kernel), "gelu");
  assert(Number(ms) > 0 && Number(speed) > 0);
  assert(rows.every((row) => !String(row.kernel).includes("matmul")));
});

Deno.test("what a contestant dies of is said", async () => {
  await using contestant = new Contestant([
    "deno",
    "eval",
    'throw new Error("no adapter today")',
  ]);
  await assertRejects(
    () => contestant.ready(60),
    Error,
    "no adapter today (status 1)",
  );
});

Deno.test("a contestant that says nothing is waited for in vain", async () => {
  await using contestant = new Contestant([
    "deno",
    "eval",
    "setTimeout(() => {}, 60000)",
  ]);
  await assertRejects(() => contestant.ready(0.2), Error, "nothing for 0.2 s");
});

Deno.test("a contestant answers between lines of its libraries", async () => {
  const path = new URL("./contestant_child.ts", import.meta.url);
  await using contestant = new Contestant(["deno", "run", fromFileUrl(path)]);
  assertEquals((await contestant.ready(60)).check, [1, 2]);
  assertEquals(await contestant.turns(3, 60), 30);
  assertEquals(await contestant.turns(5, 60), 50);
});

Deno.test("a document says which goals are met, and which not measured", () => {
  const text = figures([
    {
      bench: "generate",
      writing: "L6 H6 C384 T256 B4 V65, greedy",
      "median decode tokens/s": 61.5,
    },
    { bench: "start", starting: "x", start: "cold", "process s": 12 },
  ]);
  const line = (words: string) =>
    text.split("\n").find((line) => line.includes(words));
  assertEquals(
    line("writing with L6"),
    "| writing with L6 H6 C384 T256 B4 V65: tokens/s | at least 60 | 61.5 | yes |",
  );
  assertStringIncludes(line("cold start")!, "| at most 10 | 12 | no |");
  assertStringIncludes(line("times PyTorch")!, "| not measured | no |");
});

Deno.test("the median of an even number is the lower of the two", () => {
  assertEquals(median([4, 1, 3, 2]), 2);
  assertEquals(median([9, 1, 5]), 5);
});
