/**
 * What a folder says beside its weights: kept when its model is saved again.
 */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { CharTokenizer } from "../../lib/text/char.ts";
import { companionFiles, readCompanions } from "../../models/companions.ts";
import { endTokens, loadModel, saveModel } from "../../models/folder.ts";
import { readConfig } from "../../models/folder.ts";
import { bothDevices } from "../both_devices.ts";
import { folderOf } from "./llama_fixtures.ts";

const devices = bothDevices();
const scratch = Deno.makeTempDirSync();

Deno.test.afterAll(() => Deno.removeSync(scratch, { recursive: true }));

const tokenizer = new CharTokenizer("to be, or not to be?");

/** A folder of its own with the model of a fixture and these files. */
function folderWith(
  name: string,
  files: Readonly<Record<string, string>>,
  fixture = folderOf("llama3"),
): string {
  const folder = join(scratch, name);
  Deno.mkdirSync(folder);
  for (const file of ["config.json", "model.safetensors"]) {
    Deno.copyFileSync(join(fixture, file), join(folder, file));
  }
  const all = { "tokenizer.json": JSON.stringify(tokenizer), ...files };
  for (const [file, text] of Object.entries(all)) {
    Deno.writeTextFileSync(join(folder, file), text);
  }
  return folder;
}

function change(folder: string, fields: Record<string, unknown>): void {
  const path = join(folder, "config.json");
  const config = JSON.parse(Deno.readTextFileSync(path));
  Deno.writeTextFileSync(path, JSON.stringify({ ...config, ...fields }));
}

Deno.test("saving a loaded folder keeps its chat template and every field", async () => {
  const files = {
    "tokenizer_config.json":
      '{ "bos_token": "t", "eos_token": "o", "chat_template": "{{ x }}" }',
    "chat_template.jinja": "{{ messages }}",
    "generation_config.json": '{"eos_token_id": [7, 2]}',
    "special_tokens_map.json": '{"bos_token": "t"}',
  };
  const from = folderWith("kept", files);
  const extra = { bos_token_id: 4, eos_token_id: 5, pad_token_id: 6, ours: 1 };
  change(from, extra);
  const to = join(scratch, "kept_saved");
  await saveModel(to, await loadModel(devices.best!, from));
  for (const [name, text] of Object.entries(files)) {
    assertEquals(Deno.readTextFileSync(join(to, name)), text, name);
  }
  const [said, saying] = [from, to].map((folder) =>
    JSON.parse(Deno.readTextFileSync(join(folder, "config.json")))
  );
  assertEquals({ ...saying, ...said }, saying);
  assertEquals(saying.rope_parameters, said.rope_parameters);
});

Deno.test("where a model is no longer what its config.json says, that is written", () => {
  const fixture = new URL("../fixtures/gpt2", import.meta.url).pathname;
  const companions = readCompanions(fixture);
  const before = JSON.parse(companions.get("config.json")!);
  const config = readConfig(fixture, { dropout: 0.25 });
  const described = { config, dtype: "F16" as const, eosTokenId: undefined };
  const after = JSON.parse(
    companionFiles(companions, described).get("config.json")!,
  );
  const { resid_pdrop, embd_pdrop, attn_pdrop, torch_dtype, ...rest } = after;
  assertEquals(
    { resid_pdrop, embd_pdrop, attn_pdrop, torch_dtype },
    {
      ...{ resid_pdrop: 0.25, embd_pdrop: 0.25, attn_pdrop: 0.25 },
      torch_dtype: "float16",
    },
  );
  for (const [name, value] of Object.entries(rest)) {
    if (name in before && name !== "dtype") {
      assertEquals(value, before[name], name);
    }
  }
});

/** End tokens of config.json and generation_config.json, and all together. */
const ends: readonly [config: unknown, generation: unknown, all: number[]][] = [
  [5, undefined, [5]],
  [undefined, 6, [6]],
  [5, [7, 5, 8], [5, 7, 8]],
  [[5, 6], 6, [5, 6]],
  [null, null, []],
  [5, [61, -1, 2.5], [5]],
];

for (const [index, [inConfig, inGeneration, all]] of ends.entries()) {
  for (const name of ["llama3", "gpt2"]) {
    Deno.test(`${name}: ${JSON.stringify(inConfig)} and ${JSON.stringify(inGeneration)} end a text at ${all}`, () => {
      const fixture = name === "gpt2"
        ? new URL("../fixtures/gpt2", import.meta.url).pathname
        : folderOf(name);
      const json = JSON.stringify({ eos_token_id: inGeneration });
      const files = { "generation_config.json": json };
      const folder = folderWith(`end_${name}_${index}`, files, fixture);
      change(folder, { eos_token_id: inConfig, vocab_size: 61 });
      const config = readConfig(folder);
      const found = endTokens(config, tokenizer, readCompanions(folder));
      assertEquals(found, all);
    });
  }
}

/** What spoils a description, and what is said of it. */
const spoiled: readonly [text: string, says: string][] = [
  ['{"eos_token_id": "</s>"}', 'eos_token_id is "</s>", expected a number'],
  ['{"eos_token_id": [1, null]}', "eos_token_id is [1,null]"],
  ['{"eos_token_id": 1', "Cannot read generation_config.json: "],
  ["[1]", "Cannot read generation_config.json: expected an object"],
  ["null", "Cannot read generation_config.json: expected an object"],
];

for (const [index, [text, says]] of spoiled.entries()) {
  Deno.test(`${text} as generation_config.json is refused in one line`, async () => {
    const folder = folderWith(`spoiled_${index}`, {
      "generation_config.json": text,
    });
    const { message } = await assertRejects(
      () => loadModel(devices.best!, folder),
      Error,
    );
    assertStringIncludes(message, says);
    assertEquals(message.includes("\n"), false, message);
  });
}
