/**
 * The commands with models of the Llama family: trained on, stopped, continued,
 * and written with, as a GPT-2 is.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { CharTokenizer } from "../../lib/text/char.ts";
import { FIXTURES, folderOf } from "../models/llama_fixtures.ts";
import { run, type Workplace, workplace } from "./program.ts";

let place: Workplace;

Deno.test.beforeAll(() => {
  place = workplace();
  const missing = 61 - new CharTokenizer(place.text).vocabSize;
  const filling = String.fromCodePoint(
    ...Array.from({ length: missing }, (_, i) => 0x3b1 + i),
  );
  const tokenizer = new CharTokenizer(place.text + filling);
  for (const name of FIXTURES) {
    const folder = place.path(name);
    Deno.mkdirSync(folder);
    for (const file of ["config.json", "model.safetensors"]) {
      Deno.copyFileSync(join(folderOf(name), file), join(folder, file));
    }
    Deno.writeTextFileSync(
      join(folder, "tokenizer.json"),
      JSON.stringify(tokenizer),
    );
  }
});

Deno.test.afterAll(() => place[Symbol.dispose]());

async function succeed(...args: string[]): Promise<string> {
  const { code, out, err } = await run(...args);
  assertEquals(code, 0, err);
  return out;
}

function bytes(name: string, file: string): string {
  return Deno.readFileSync(join(place.path(name), file)).toHex();
}

const SETTINGS = `--batch-size 2 --block-size 16 --gradient-accumulation-steps 2
  --learning-rate 3e-3 --warmup-iters 2 --lr-decay-iters 8 --eval-interval 4
  --eval-iters 1`.split(/\s+/);

for (const name of FIXTURES) {
  Deno.test(`${name}: a run stopped and continued is the run that was not`, async () => {
    const from = ["--init-from", place.path(name)];
    const data = ["--data", place.path("text.txt")];
    const [whole, halves] = [`${name}_whole`, `${name}_halves`];
    const to = (out: string) => ["--out", place.path(out)];
    const begin = ["train", ...from, ...data, ...SETTINGS];
    await succeed(...begin, ...to(whole), "--max-iters", "8");
    await succeed(...begin, ...to(halves), "--max-iters", "4");
    const half = bytes(halves, "model.safetensors");
    await succeed("train", "--resume", ...to(halves), "--max-iters", "8");
    assert(half !== bytes(halves, "model.safetensors"));
    for (
      const file of [
        "model.safetensors",
        "optimizer.safetensors",
        "config.json",
      ]
    ) assertEquals(bytes(halves, file), bytes(whole, file), file);

    const config = join(place.path(whole), "config.json");
    const { model_type } = JSON.parse(Deno.readTextFileSync(config));
    assertEquals(name.startsWith(model_type), true, model_type);
    const words = ["--prompt", "The ", "--max-new-tokens", "20", "--json"];
    const json = await succeed(
      "generate",
      "--model",
      place.path(whole),
      ...words,
    );
    assertEquals(JSON.parse(json).tokens, 20);
  });
}

Deno.test("eval measures a Llama", async () => {
  const args = ["--model", place.path("llama3"), "--stride", "200", "--json"];
  const out = await succeed("eval", ...args, place.path("text.txt"));
  const { perplexity } = JSON.parse(out);
  assert(perplexity > 20 && perplexity < 1000, `${perplexity}`);
});

Deno.test("a dry run plans a Llama as it would be trained", async () => {
  const args = ["--init-from", place.path("qwen3"), "--dry-run"];
  const data = ["--data", place.path("text.txt"), "--out", place.path("no")];
  const { code, out, err } = await run("train", ...args, ...data, ...SETTINGS);
  assertEquals(code, 0, err);
  assertStringIncludes(out + err, "it fits");
});

Deno.test("dropout, which Llamas have not, is refused", async () => {
  const args = ["--init-from", place.path("qwen2"), "--dropout", "0.1"];
  const data = ["--data", place.path("text.txt"), "--out", place.path("no")];
  const { code, err } = await run("train", ...args, ...data, ...SETTINGS);
  assertEquals(code, 1);
  assertStringIncludes(err, "a model of type qwen2 has none");
});
