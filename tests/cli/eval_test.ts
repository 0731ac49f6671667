/**
 * Measuring published models: accuracy on multiple choice, and long blocks.
 */

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertStringIncludes,
} from "@std/assert";
import { join } from "@std/path";
import { folderOf } from "../models/llama_fixtures.ts";
import { run, type Workplace, workplace } from "./program.ts";

// What PyTorch makes of the rows; see make_choices.py.
const fixtures = new URL("../fixtures/choices/", import.meta.url).pathname;
const rows = join(fixtures, "rows.jsonl");
const expected = JSON.parse(
  Deno.readTextFileSync(join(fixtures, "expected.json")),
);

let place: Workplace;
let model: string;

Deno.test.beforeAll(() => {
  place = workplace();
  model = place.path("model");
  Deno.mkdirSync(model);
  const from = { "config.json": folderOf("qwen3"), "tokenizer.json": fixtures };
  const files = { ...from, "model.safetensors": folderOf("qwen3") };
  for (const [name, folder] of Object.entries(files)) {
    Deno.copyFileSync(join(folder, name), join(model, name));
  }
});

Deno.test.afterAll(() => place[Symbol.dispose]());

async function evaluate(...args: string[]) {
  const { code, out, err } = await run("eval", "--model", model, ...args);
  assertEquals(code, 0, err);
  return { out, err };
}

Deno.test("acc and acc_norm are those of lm-evaluation-harness's rules", async () => {
  const { acc, acc_norm } = expected.qwen3;
  const { out, err } = await evaluate("--choices", rows, "--json");
  assertEquals(JSON.parse(out), { acc, acc_norm, count: 6 });
  assertStringIncludes(err, "note: of 1 rows the start of the context did not");
  const lines = (await evaluate("--choices", rows, "--limit", "5")).out;
  assertStringIncludes(lines, "acc       0.2000\nacc_norm  0.2000\n");
  assertStringIncludes(lines, "over 5 rows");
});

Deno.test("a text is read in windows of --block-size", async () => {
  const data = place.path("data.txt");
  Deno.writeTextFileSync(data, "the cat sat on the mat. ".repeat(30));
  const loss = async (...args: string[]) =>
    JSON.parse((await evaluate(data, "--json", ...args)).out).loss;
  const whole = await loss();
  assertEquals(await loss("--block-size", "256"), whole);
  const short = await loss("--block-size", "32");
  assert(Math.abs(short - whole) > 1e-3);
  const strided = await loss("--block-size", "32", "--stride", "16");
  assertAlmostEquals(strided, short, 1e-9);
});
