/**
 * Folders of adapters: with their bases, of classifiers, and malformed ones.
 */

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { join } from "@std/path";
import type { Device } from "../../lib/gpu/device.ts";
import { SafetensorsFile, saveSafetensors } from "../../lib/io/safetensors.ts";
import { backward } from "../../lib/tensor/backward.ts";
import { noGrad } from "../../lib/tensor/tape.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";
import { CharTokenizer } from "../../lib/text/char.ts";
import { parseAdapterConfig } from "../../models/adapter_config.ts";
import { loadAdapter, saveAdapter } from "../../models/adapter_folder.ts";
import { Classifier } from "../../models/classifier.ts";
import { loadModel, saveModel } from "../../models/folder.ts";
import { addLoRA } from "../../models/lora.ts";
import { bothDevices } from "../both_devices.ts";
import { sourceOf } from "../io/tensors.ts";
import { relativeDistance } from "../ops/case.ts";
import {
  ADAPTERS,
  baseOf,
  expectedOf,
  folderOf,
  tensorsOf,
} from "./peft_fixtures.ts";

const devices = bothDevices();
const scratch = Deno.makeTempDirSync();

Deno.test.afterAll(() => Deno.removeSync(scratch, { recursive: true }));

const letters = String.fromCodePoint(
  ...Array.from({ length: 61 }, (_, i) => 48 + i),
);
const tokenizer = new CharTokenizer(letters);

/** A base with a tokenizer, and beside it a copy of an adapter that names it. */
async function installed(device: Device, name: string, base = "../base") {
  const place = join(scratch, crypto.randomUUID());
  const folder = join(place, "adapter");
  Deno.mkdirSync(folder, { recursive: true });
  await saveModel(join(place, "base"), {
    model: await baseOf(device, name),
    tokenizer,
  });
  for (const file of ["adapter_config.json", "adapter_model.safetensors"]) {
    Deno.copyFileSync(join(folderOf(name), file), join(folder, file));
  }
  say(folder, { base_model_name_or_path: base });
  return { place, folder };
}

/** Changes what an adapter's config says. */
function say(folder: string, fields: Record<string, unknown>): void {
  const path = join(folder, "adapter_config.json");
  const said = JSON.parse(Deno.readTextFileSync(path));
  Deno.writeTextFileSync(path, JSON.stringify({ ...said, ...fields }));
}

function textOf(name: string): string {
  return Deno.readTextFileSync(join(folderOf(name), "adapter_config.json"));
}

Deno.test("an adapter's folder is loaded with the base it names, from there or from here", async () => {
  const device = devices.best!;
  const { place, folder } = await installed(device, "gpt2_lora");
  const logitsOf = async (from: string, adapters: string[] = []) => {
    const { model } = await loadModel(device, from, { adapters });
    using _scope = device.scope();
    const { ids } = expectedOf("gpt2_lora");
    const input = Tensor.from(device, Uint32Array.from(ids.flat()), [2, 13]);
    return await noGrad(() => model.forward(input)).read() as Float32Array;
  };
  using file = tensorsOf("gpt2_lora");
  const { data } = file.read("logits");
  const logits = await logitsOf(folder);
  assert(logits.every((logit, i) => Math.abs(logit - data[i]) <= 1e-4));
  say(folder, { base_model_name_or_path: join(place, "base") });
  assertEquals(await logitsOf(folder), logits);
  assertEquals(await logitsOf(join(place, "base"), [folder]), logits);
  const bare = await logitsOf(join(place, "base"));
  assert(bare.some((logit, i) => Math.abs(logit - data[i]) > 1e-2));

  say(folder, { base_model_name_or_path: "org/base" });
  await assertRejects(
    () => loadModel(device, folder),
    Error,
    `its base "org/base" is no folder of a model, neither from here nor`,
  );
  say(folder, { base_model_name_or_path: null });
  await assertRejects(() => loadModel(device, folder), Error, "names no base");
});

Deno.test("of several adapters the first is on, and its tokenizer and chat template count", async () => {
  const device = devices.best!;
  const { place, folder } = await installed(device, "gpt2_lora");
  const other = join(place, "other");
  const base = join(place, "base");
  Deno.writeTextFileSync(join(base, "chat_template.jinja"), "of the base");
  const alone = await loadModel(device, folder);
  assertEquals(alone.companions?.get("chat_template.jinja"), "of the base");
  {
    const init = { device, random: null };
    using adapter = addLoRA(alone.model, init, { targetModules: ["c_fc"] });
    await saveAdapter(other, adapter, { base: "../base" });
  }
  const fewer = new CharTokenizer("abc");
  Deno.writeTextFileSync(join(other, "tokenizer.json"), JSON.stringify(fewer));
  Deno.writeTextFileSync(join(other, "chat_template.jinja"), "of another");
  const both = await loadModel(device, base, { adapters: [other, folder] });
  assertEquals(both.adapters?.map(({ attached }) => attached), [true, false]);
  assertEquals(both.tokenizer.vocabSize, fewer.vocabSize);
  assertEquals(both.companions?.get("chat_template.jinja"), "of another");
  await assertRejects(
    () => saveModel(join(place, "whole"), both),
    Error,
    "merge it first",
  );
});

Deno.test("an adapter of a classifier by peft gives its logits and gradients here", async () => {
  const device = devices.best!;
  const body = await baseOf(device, "gpt2_classifier");
  const model = new Classifier({ device, random: null }, body, {
    ...{ labels: ["a", "b", "c"], read: "last", padTokenId: 0 },
  });
  using adapter = await loadAdapter(model, folderOf("gpt2_classifier"));
  assertEquals([...adapter.saved.keys()], ["score.weight"]);
  using _scope = device.scope();
  const { ids, targets, loss } = expectedOf("gpt2_classifier");
  const batch = {
    inputs: Uint32Array.from(ids.flat()),
    lengths: Uint32Array.of(13, 13),
    shape: [2, 13],
    labels: Uint32Array.from(targets.flat()),
  } as const;
  const logits = await noGrad(() => model.forward(batch)).read();
  using file = tensorsOf("gpt2_classifier");
  const { data } = file.read("logits");
  assert(logits.every((logit, i) => Math.abs(logit - data[i]) <= 1e-4));
  const ours = model.loss(batch);
  assertAlmostEquals(await ours.item(), loss, 1e-5);
  backward(ours);
  for (const [name, { grad }] of adapter.parameters()) {
    const expected = file.read(`gradient.${name}`).data;
    const distance = relativeDistance(await grad!.read(), expected);
    assert(distance <= 1e-4, `the gradient of ${name} is ${distance} off`);
  }

  const language = await baseOf(device, "gpt2_classifier");
  await assertRejects(
    () => loadAdapter(language, folderOf("gpt2_classifier")),
    RangeError,
    "it is for a classifier (task_type SEQ_CLS)",
  );
});

Deno.test("an embedding that peft trained apart from its head is refused", async () => {
  const model = await baseOf(devices.best!, "gpt2_untied");
  await assertRejects(
    () => loadAdapter(model, folderOf("gpt2_untied")),
    RangeError,
    "modules_to_save has wte, which is embedding and head in one here",
  );
});

Deno.test("weights that are missing, strange or of other shapes are named", async () => {
  const device = devices.best!;
  const { folder } = await installed(device, "llama_tied");
  const path = join(folder, "adapter_model.safetensors");
  const original = Deno.readFileSync(path);
  const change = async (
    edit: (tensors: Map<string, number[]>) => void,
    message: string,
  ) => {
    const shapes = new Map<string, number[]>();
    {
      using file = SafetensorsFile.parse(original);
      for (const [name, { shape }] of file.tensors) {
        shapes.set(name, [...shape]);
      }
    }
    edit(shapes);
    await saveSafetensors(
      path,
      sourceOf(
        new Map([...shapes].map(([name, shape]) => {
          const size = shape.reduce((product, n) => product * n, 1);
          return [name, { shape, data: new Float32Array(size) }] as const;
        })),
      ),
    );
    const model = await baseOf(device, "llama_tied");
    const load = () => loadAdapter(model, folder);
    await assertRejects(load, RangeError, message);
  };
  const a = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight";
  await change((tensors) => tensors.delete(a), `${a} is missing`);
  await change(
    (tensors) => tensors.set(a, [3, 32]),
    `${a} is [3,32], expected [2,32]`,
  );
  await change(
    (tensors) => tensors.set("base_model.model.other", [1]),
    "the adapter has no base_model.model.other",
  );
  await change(
    (tensors) => tensors.delete("base_model.model.lm_head.weight"),
    "base_model.model.lm_head.weight have to be there and alike",
  );
  Deno.removeSync(path);
  const model = await baseOf(device, "llama_tied");
  await assertRejects(
    () => loadAdapter(model, folder),
    Error,
    "there is no adapter_model.safetensors in it",
  );
});

Deno.test("what peft writes is understood", () => {
  for (const name of [...ADAPTERS, "gpt2_classifier"]) {
    parseAdapterConfig(textOf(name), name);
  }
});

Deno.test("everything that is malformed or not supported is named at once", () => {
  const refused = (fields: Record<string, unknown>) => {
    const said = { ...JSON.parse(textOf("gpt2_lora")), ...fields };
    const parse = () => parseAdapterConfig(JSON.stringify(said), "FILE");
    return assertThrows(parse, RangeError).message;
  };
  assertEquals(
    refused({
      ...{ peft_type: "LOHA", r: 0, lora_alpha: "16", lora_dropout: 1 },
      ...{ use_dora: 1, bias: "some", target_modules: null },
      ...{ modules_to_save: "wte", rank_pattern: { a: "b" }, task_type: "QA" },
    }),
    'Cannot load FILE: peft_type is "LOHA", expected "LORA"; target_modules is null, expected a text or a list of texts; r is 0, expected a whole number from 1; lora_alpha is "16", expected a number; lora_dropout is 1, expected from 0 to below 1; use_dora is 1, expected true or false; modules_to_save is "wte", expected a list of texts; bias is "some", expected "none", "all" or "lora_only"; rank_pattern is {"a":"b"}, expected an object of numbers; task_type is "QA", expected null, "CAUSAL_LM" or "SEQ_CLS"',
  );
  const unsupported = {
    trainable_token_indices: [1],
    layer_replication: [[0, 1]],
    lora_bias: true,
    target_parameters: ["a"],
    use_qalora: true,
    megatron_config: { a: 1 },
    alora_invocation_tokens: [5],
    of_the_future: 7,
  };
  for (const [name, value] of Object.entries(unsupported)) {
    assertStringIncludes(
      refused({ [name]: value }),
      `${name} is ${JSON.stringify(value)}, which is not supported`,
    );
  }
  for (
    const beginning of ["pissa", "pissa_niter_4", "olora", "loftq", "corda"]
  ) {
    assertStringIncludes(
      refused({ init_lora_weights: beginning }),
      `init_lora_weights is "${beginning}", which changes the base's weights`,
    );
  }
  assertStringIncludes(
    refused({ target_modules: ".*", layers_to_transform: 1 }),
    "exclude each other",
  );
  const parse = (text: string) => () => parseAdapterConfig(text, "FILE");
  assertThrows(parse("{"), SyntaxError, "Cannot read FILE: ");
  assertThrows(parse("[]"), SyntaxError, "expected an object");
});
