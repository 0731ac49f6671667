/**
 * Adapters on the command line: put on, measured side by side, and merged.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { Device } from "../../lib/gpu/device.ts";
import { noGrad } from "../../lib/tensor/tape.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";
import { CharTokenizer } from "../../lib/text/char.ts";
import { loadModel, saveModel } from "../../models/folder.ts";
import { findAdapted } from "../../cli/find_model.ts";
import { FakeHub } from "../io/fake_hub.ts";
import {
  baseOf,
  expectedOf,
  folderOf,
  tensorsOf,
} from "../models/peft_fixtures.ts";
import { run, start, type Workplace, workplace } from "./program.ts";

let place: Workplace;

const ADAPTERS = ["llama_all", "llama_tied"];
const letters = String.fromCodePoint(
  ...Array.from({ length: 61 }, (_, i) => 64 + i),
);
const text = "the_cat_sat_on_the_mat_";

Deno.test.beforeAll(async () => {
  place = workplace();
  using device = await Device.open();
  const model = await baseOf(device, ADAPTERS[0]);
  const tokenizer = new CharTokenizer(letters);
  await saveModel(place.path("base"), { model, tokenizer });
  for (const name of ADAPTERS) {
    const folder = place.path(name);
    Deno.mkdirSync(folder);
    const weights = "adapter_model.safetensors";
    Deno.copyFileSync(join(folderOf(name), weights), join(folder, weights));
    const path = join(folderOf(name), "adapter_config.json");
    const said = JSON.parse(Deno.readTextFileSync(path));
    Deno.writeTextFileSync(
      join(folder, "adapter_config.json"),
      JSON.stringify({ ...said, base_model_name_or_path: "../base" }),
    );
  }
  Deno.writeTextFileSync(place.path("data.txt"), text.repeat(9));
});

Deno.test.afterAll(() => place[Symbol.dispose]());

async function ok(...args: string[]) {
  const { code, out, err } = await run(...args);
  assertEquals(code, 0, err);
  return out;
}

async function written(...model: string[]) {
  return await ok(
    ...["generate", "--prompt", text, "--max-new-tokens", "12"],
    ...["--temperature", "0", ...model],
  );
}

Deno.test("generate writes otherwise with an adapter, however that is named", async () => {
  const [base, first, second] = ["base", ...ADAPTERS].map(place.path);
  const bare = await written("--model", base);
  const adapted = await written("--model", base, "--adapter", first);
  assert(bare !== adapted, bare);
  assertEquals(await written("--adapter", first), adapted);
  assertEquals(await written("--model", first), adapted);
  assert(await written("--adapter", second) !== adapted);
});

Deno.test("chat changes adapters between answers, and takes them off", async () => {
  const [base, ...adapters] = ["base", ...ADAPTERS].map(place.path);
  const template = join(base, "chat_template.jinja");
  Deno.writeTextFileSync(
    template,
    "{% for m in messages %}{{ m.content }}{% endfor %}",
  );
  const lines = [
    ...["/adapter nobody", text, "/reset", `/adapter ${ADAPTERS[1]}`, text],
    ...["/reset", "/adapter none", text],
  ];
  await using process = start(
    [
      ...["chat", "--model", base, "--max-new-tokens", "12"],
      ...["--temperature", "0"],
      ...adapters.flatMap((folder) => ["--adapter", folder]),
    ],
    { stdin: lines.join("\n"), read: [place.path(".")] },
  );
  const { code, out, err } = await process.outcome();
  assertEquals(code, 0, err);
  assertStringIncludes(
    err,
    'There is no adapter "nobody": there is llama_all, llama_tied, none',
  );
  const expected = [
    ...[await written("--adapter", adapters[0])],
    await written("--adapter", adapters[1]),
    await written("--model", base),
  ].map((whole) => whole.slice(text.length));
  assertEquals(out, expected.join(""));
  Deno.removeSync(template);
});

Deno.test("eval measures each of several adapters, as it does alone", async () => {
  const [base, first, second] = ["base", ...ADAPTERS].map(place.path);
  const measure = (...model: string[]) =>
    ok("eval", place.path("data.txt"), "--json", ...model);
  const alone: { adapter: string; loss: number }[] = [];
  for (const adapter of [first, second]) {
    alone.push({ adapter, ...JSON.parse(await measure("--model", adapter)) });
  }
  const both = await measure(
    ...["--model", base, "--adapter", first, "--adapter", second],
  );
  assertEquals(
    both.trimEnd().split("\n").map((line) => JSON.parse(line)),
    alone,
  );
  const bare = JSON.parse(await measure("--model", base));
  assert(alone.every(({ loss }) => Math.abs(loss - bare.loss) > 1e-3));
});

Deno.test("convert merges an adapter into a model of the same logits", async () => {
  const [base, adapter] = ["base", ADAPTERS[0]].map(place.path);
  const to = place.path("merged");
  const out = await ok(
    ...["convert", "--model", base, "--adapter", adapter, "--out", to],
  );
  const [, distance] = out.match(/merged, its logits are (\S+) from/)!;
  assert(Number(distance) <= 1e-5, out);
  assertStringIncludes(out, "loaded again, its logits are 0 from");
  using device = await Device.open();
  const { model, adapters } = await loadModel(device, to);
  assertEquals(adapters, []);
  using _scope = device.scope();
  const { ids } = expectedOf(ADAPTERS[0]);
  const input = Tensor.from(device, Uint32Array.from(ids.flat()), [2, 13]);
  const logits = await noGrad(() => model.forward(input)).read();
  using file = tensorsOf(ADAPTERS[0]);
  const { data } = file.read("logits");
  assert(logits.every((logit, i) => Math.abs(logit - data[i]) <= 1e-4));
});

Deno.test("an adapter that does not fit writes nothing, and says in a line why", async () => {
  const before = place.files();
  const gpt2 = folderOf("gpt2_lora");
  const { code, err } = await run(
    ...["convert", "--model", place.path("base"), "--adapter", gpt2],
    ...["--out", place.path("never")],
  );
  assertEquals(code, 1);
  const [line, ...more] = err.trimEnd().split("\n").slice(-1);
  assertEquals(more, []);
  assertStringIncludes(
    line,
    `Cannot adapt "c_attn": the linear layers are self_attn.q_proj`,
  );
  assertEquals(place.files(), before);
});

Deno.test("train does not take an adapter for a model", async () => {
  const { code, err } = await run(
    ...["train", "--data", place.path("text.txt"), "--out", place.path("no")],
    ...["--init-from", place.path(ADAPTERS[0])],
  );
  assertEquals(code, 1);
  assertStringIncludes(err, 'it is an adapter; "deno task convert" merges it');
});

Deno.test("an adapter of the hub comes with the base it names", async () => {
  const files = new Map(
    ["adapter_config.json", "adapter_model.safetensors"].map((name) => {
      const path = join(place.path(ADAPTERS[0]), name);
      return [name, Deno.readFileSync(path)] as const;
    }),
  );
  const config = JSON.parse(
    new TextDecoder().decode(files.get("adapter_config.json")),
  );
  config.base_model_name_or_path = place.path("base");
  const text = new TextEncoder().encode(JSON.stringify(config));
  files.set("adapter_config.json", text);
  await using server = new FakeHub(files);
  const environment: Record<string, string> = {
    HF_HOME: place.path("hub"),
    HF_ENDPOINT: server.hub.url,
  };
  const options = {
    variable: (name: string) => environment[name],
    live: false,
    write: () => {},
  };
  const find = (model: string | undefined, adapters: string[]) =>
    findAdapted({ model, otherwise: "out", adapters }, options);
  const found = await find(undefined, ["org/tiny"]);
  assertEquals(found.folder, place.path("base"));
  assertStringIncludes(found.adapters[0], "models--org--tiny");
  assertEquals(await find("org/tiny", []), found);
  assertEquals(await find(place.path("base"), ["org/tiny"]), found);
  environment.HF_HUB_OFFLINE = "1";
  assertEquals(await find("org/tiny", []), found);
});
