/**
 * Folders written for others: what is in them, and that nothing of what the
 * original said is lost.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import type { HostTensor } from "../../lib/io/tensors.ts";
import { openWeights, saveWeights } from "../../lib/io/weights.ts";
import { CharTokenizer } from "../../lib/text/char.ts";
import { FIXTURES, folderOf } from "../models/llama_fixtures.ts";
import { sourceOf } from "../io/tensors.ts";
import { run, type Workplace, workplace } from "./program.ts";

const GPT2_FOLDER = new URL("../fixtures/gpt2", import.meta.url).pathname;

let place: Workplace;

/** What chat models ship beside their weights. */
const SHIPPED: Readonly<Record<string, string>> = {
  "generation_config.json": '{"eos_token_id": [3, 4], "temperature": 0.6}',
  "tokenizer_config.json":
    '{"bos_token": "a", "chat_template": "{{ x }}", "model_max_length": 1000000000000000019884624838656}',
  "special_tokens_map.json": '{"bos_token": "a"}',
  "chat_template.jinja": "{% for m in messages %}{{ m.content }}{% endfor %}",
};

Deno.test.beforeAll(() => {
  place = workplace();
  const folders = FIXTURES.map((name) => [name, folderOf(name)]);
  for (const [name, from] of [...folders, ["gpt2", GPT2_FOLDER]]) {
    const folder = place.path(name);
    Deno.mkdirSync(folder);
    for (const file of ["config.json", "model.safetensors"]) {
      Deno.copyFileSync(join(from, file), join(folder, file));
    }
    const { vocab_size } = JSON.parse(read(folder, "config.json"));
    const letters = String.fromCodePoint(
      ...Array.from({ length: vocab_size }, (_, i) => 32 + i),
    );
    const tokenizer = JSON.stringify(new CharTokenizer(letters));
    Deno.writeTextFileSync(join(folder, "tokenizer.json"), tokenizer);
    for (const [file, text] of Object.entries(SHIPPED)) {
      Deno.writeTextFileSync(join(folder, file), text);
    }
  }
});

Deno.test.afterAll(() => place[Symbol.dispose]());

function read(folder: string, file: string): string {
  return Deno.readTextFileSync(join(folder, file));
}

const PYTORCH = { f32: "float32", f16: "float16", bf16: "bfloat16" };

/** Half a unit in the last place, relative to a number. */
const ROUNDING = { f32: 0, f16: 2 ** -11, bf16: 2 ** -8 };

for (const name of [...FIXTURES, "gpt2"]) {
  for (const dtype of ["f32", "f16", "bf16"] as const) {
    Deno.test(`${name} in ${dtype} has every weight, rounded once, and what was beside them`, async () => {
      const [from, to] = [place.path(name), place.path(`${name}_${dtype}`)];
      const { code, out, err } = await run(
        ...["convert", "--model", from, "--out", to, "--dtype", dtype],
      );
      assertEquals(code, 0, err);
      const [, distance] = out.match(/its logits are (\S+) from/)!;
      assertEquals(Number(distance) === 0, dtype === "f32", out);
      assert(Number(distance) < 0.03, out);

      for (const [file, text] of Object.entries(SHIPPED)) {
        assertEquals(read(to, file), text, file);
      }
      const said = JSON.parse(read(from, "config.json"));
      const saying = JSON.parse(read(to, "config.json"));
      assertEquals(saying.torch_dtype, PYTORCH[dtype]);
      for (const [field, value] of Object.entries(said)) {
        const wanted = /^(torch_)?dtype$/.test(field) ? PYTORCH[dtype] : value;
        assertEquals(saying[field], wanted, field);
      }
      assertEquals(
        JSON.parse(read(to, "tokenizer.json")),
        JSON.parse(read(from, "tokenizer.json")),
      );

      using before = openWeights(from);
      using after = openWeights(to);
      assertEquals(
        [...after.tensors.keys()].sort(),
        [...before.tensors.keys()].sort(),
      );
      for (const [tensor, { dtype: stored }] of after.tensors) {
        assertEquals(stored, dtype.toUpperCase());
        const { data } = before.read(tensor);
        const rounded = after.read(tensor).data;
        const off = data.findIndex((value, i) =>
          Math.abs(value - rounded[i]) >
            ROUNDING[dtype] * Math.abs(value) + (dtype === "f16" ? 2 ** -25 : 0)
        );
        assertEquals(off, -1, tensor);
      }
    });
  }
}

Deno.test("shards have the size asked for, and convert back to the same bytes", async () => {
  const [from, shards, whole] = ["llama2", "shards", "whole"].map(place.path);
  const first = await run(
    ...["convert", "--model", from, "--out", shards],
    ...["--max-shard-size", "0.04MB"],
  );
  assertEquals(first.code, 0, first.err);
  const sizes = [...Deno.readDirSync(shards)]
    .filter(({ name }) => name.endsWith(".safetensors"))
    .map(({ name }) => Deno.statSync(join(shards, name)).size);
  assert(sizes.length > 1);
  assert(sizes.every((size) => size < 44_000), `${sizes}`);
  assertStringIncludes(first.out, `${sizes.length} files of weights`);
  const back = await run("convert", "--model", shards, "--out", whole);
  assertEquals(back.code, 0, back.err);
  using before = openWeights(from);
  using after = openWeights(whole);
  for (const name of before.tensors.keys()) {
    assertEquals(after.read(name), before.read(name), name);
  }
});

/** A folder with the weights of a fixture, changed. */
async function changed(
  name: string,
  change: (tensors: Map<string, HostTensor>) => void,
): Promise<string> {
  const folder = place.path(name);
  Deno.mkdirSync(folder);
  for (const file of ["config.json", "tokenizer.json"]) {
    Deno.copyFileSync(join(place.path("qwen3"), file), join(folder, file));
  }
  const tensors = new Map<string, HostTensor>();
  {
    using stored = openWeights(place.path("qwen3"));
    for (const name of stored.tensors.keys()) {
      tensors.set(name, stored.read(name));
    }
  }
  change(tensors);
  await saveWeights(folder, sourceOf(tensors));
  return folder;
}

Deno.test("a number that float16 does not reach is named, and nothing stays behind", async () => {
  const from = await changed("large", (tensors) => {
    tensors.get("model.norm.weight")!.data[5] = -65_520;
  });
  const [deep, empty] = ["deep/er", "empty"].map(place.path);
  Deno.mkdirSync(empty);
  const before = place.files();
  for (const out of [deep, empty]) {
    const { code, err } = await run(
      ...["convert", "--model", from, "--out", out, "--dtype", "f16"],
    );
    assertEquals(code, 1);
    assertStringIncludes(
      err,
      "Cannot convert to F16: model.norm.weight holds -65520, which would become infinite",
    );
    assertEquals(place.files(), before);
  }
  const { code, err } = await run(
    ...["convert", "--model", from, "--out", empty, "--dtype", "bf16"],
  );
  assertEquals(code, 0, err);
});

Deno.test("where too little is left of the logits, nothing stays behind", async () => {
  const from = await changed("faint", (tensors) => {
    const { data } = tensors.get("lm_head.weight")!;
    for (let i = 0; i < data.length; i++) data[i] *= 1e-9;
  });
  const before = place.files();
  const { code, err } = await run(
    ...["convert", "--model", from, "--out", place.path("no")],
    ...["--dtype", "f16"],
  );
  assertEquals(code, 1);
  assertStringIncludes(
    err,
    "the logits are 1 from the original's, at most 0.01 is allowed",
  );
  assertEquals(place.files(), before);
});
