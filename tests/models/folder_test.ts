import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { join } from "@std/path";
import { Device } from "../../lib/gpu/device.ts";
import {
  type HostTensor,
  SafetensorsFile,
  saveSafetensors,
} from "../../lib/io/safetensors.ts";
import { parameters } from "../../lib/nn/parameters.ts";
import { Random } from "../../lib/random.ts";
import { noGrad } from "../../lib/tensor/tape.ts";
import { type HostArray, readAll, Tensor } from "../../lib/tensor/tensor.ts";
import { CharTokenizer } from "../../lib/text/char.ts";
import { loadModel, saveModel } from "../../models/folder.ts";
import { GPT2 } from "../../models/gpt2.ts";
import type { Model } from "../../models/model_types.ts";
import { sourceOf } from "../io/tensors.ts";

const devices: { best?: Device } = {};
const scratch = Deno.makeTempDirSync();

Deno.test.beforeAll(async () => {
  devices.best = await Device.open();
});

Deno.test.afterAll(() => {
  devices.best?.[Symbol.dispose]();
  Deno.removeSync(scratch, { recursive: true });
});

const tokenizer = new CharTokenizer("to be, or not to be?");

function newModel(bias = true): GPT2 {
  const random = new Random(3);
  const model = new GPT2({ device: devices.best!, random }, {
    vocabSize: tokenizer.vocabSize + 2,
    blockSize: 9,
    nLayer: 2,
    nHead: 3,
    nEmbd: 12,
    dropout: 0.2,
    bias,
    layerNormEpsilon: 1e-6,
  });
  for (const parameter of parameters(model).values()) {
    parameter.write(random.normal(parameter.size, 0.4));
  }
  return model;
}

/** A folder of its own with a model in it. */
async function saved(name: string, model = newModel()): Promise<string> {
  const folder = join(scratch, name);
  await saveModel(folder, { model, tokenizer });
  return folder;
}

function logitsOf(model: Model): Promise<HostArray> {
  const device = devices.best!;
  using _scope = device.scope();
  const ids = Tensor.from(device, tokenizer.encode("to be, or"), [1, 9]);
  return noGrad(() => model.forward(ids)).read();
}

async function weightsOf(model: Model): Promise<Map<string, HostArray>> {
  const own = parameters(model);
  const data = await readAll([...own.values()]);
  return new Map([...own.keys()].map((name, i) => [name, data[i]]));
}

/** Rewrites the weights of a folder. */
async function edit(
  folder: string,
  change: (tensors: Map<string, HostTensor>) => void,
): Promise<void> {
  const path = join(folder, "model.safetensors");
  const tensors = new Map<string, HostTensor>();
  {
    using file = SafetensorsFile.open(path);
    for (const name of file.tensors.keys()) tensors.set(name, file.read(name));
  }
  change(tensors);
  await saveSafetensors(path, sourceOf(tensors));
}

function editConfig(folder: string, change: Record<string, unknown>): void {
  const path = join(folder, "config.json");
  const config = JSON.parse(Deno.readTextFileSync(path));
  Deno.writeTextFileSync(path, JSON.stringify({ ...config, ...change }));
}

for (const bias of [true, false]) {
  Deno.test(`a model ${bias ? "with" : "without"} biases comes back bit for bit`, async () => {
    const model = newModel(bias);
    const folder = await saved(`bias_${bias}`, model);
    const loaded = await loadModel(devices.best!, folder);
    assertEquals(loaded.model.config, model.config);
    assertEquals(await weightsOf(loaded.model), await weightsOf(model));
    assertEquals(await logitsOf(loaded.model), await logitsOf(model));
    assertEquals(
      [...loaded.tokenizer.encode("not?")],
      [...tokenizer.encode("not?")],
    );
  });
}

Deno.test("a folder holds every name that transformers expects", async () => {
  for (const bias of [true, false]) {
    const folder = await saved("names", newModel(bias));
    using file = SafetensorsFile.open(join(folder, "model.safetensors"));
    const names = [...file.tensors.keys()];
    assertEquals(names.length, 2 + 2 * 12 + 2);
    for (
      const [name, shape] of [
        ["transformer.wte.weight", [tokenizer.vocabSize + 2, 12]],
        ["transformer.h.1.attn.c_attn.weight", [12, 36]],
        ["transformer.h.1.attn.c_attn.bias", [36]],
        ["transformer.h.0.mlp.c_proj.weight", [48, 12]],
        ["transformer.ln_f.bias", [12]],
      ] as const
    ) assertEquals([...file.tensors.get(name)!.shape], [...shape], name);
    const { data } = file.read("transformer.h.0.ln_1.bias");
    assertEquals(data.some((value) => value !== 0), bias);
  }
});

Deno.test("saving again writes the same bytes", async () => {
  const model = newModel();
  const first = await saved("once", model);
  const second = await saved("twice", model);
  for (const { name } of Deno.readDirSync(first)) {
    assertEquals(
      Deno.readFileSync(join(second, name)),
      Deno.readFileSync(join(first, name)),
      name,
    );
  }
});

Deno.test("names without prefix, a tied head and old masks load the same", async () => {
  const model = newModel();
  const folder = await saved("old_names", model);
  await edit(folder, (tensors) => {
    for (const [name, tensor] of [...tensors]) {
      tensors.delete(name);
      tensors.set(name.replace(/^transformer\./, ""), tensor);
    }
    tensors.set("lm_head.weight", tensors.get("wte.weight")!);
    const one = { shape: [], data: Float32Array.of(-1e4) };
    const mask = { shape: [1, 1, 9, 9], data: new Float32Array(81).fill(1) };
    for (const layer of [0, 1]) {
      tensors.set(`h.${layer}.attn.bias`, mask);
      tensors.set(`h.${layer}.attn.masked_bias`, one);
    }
  });
  const loaded = await loadModel(devices.best!, folder);
  assertEquals(await weightsOf(loaded.model), await weightsOf(model));
});

Deno.test("a config.json of transformers, without our additions, loads", async () => {
  const folder = await saved("plain_config");
  const path = join(folder, "config.json");
  const { bias: _, torch_dtype: __, n_inner: ___, ...rest } = JSON.parse(
    Deno.readTextFileSync(path),
  );
  Deno.writeTextFileSync(path, JSON.stringify({ ...rest, use_cache: true }));
  const { model } = await loadModel(devices.best!, folder);
  assertEquals((model as GPT2).config.bias, true);
});

/** What spoils a folder, and what loading it says. */
const spoiled: readonly [
  name: string,
  spoil: (folder: string) => unknown,
  ...parts: string[],
][] = [
  [
    "no config.json",
    (folder) => Deno.removeSync(join(folder, "config.json")),
    "Cannot load a model from ",
    "there is no config.json in it",
  ],
  [
    "a folder that is not there",
    (folder) => Deno.removeSync(folder, { recursive: true }),
    "Cannot load a model from ",
    "there is no config.json in it",
  ],
  [
    "half a config.json",
    (folder) =>
      Deno.writeTextFileSync(join(folder, "config.json"), '{"n_embd": 12,'),
    "Cannot read ",
    "config.json: ",
  ],
  [
    "a word amiss in config.json",
    (folder) =>
      Deno.writeTextFileSync(
        join(folder, "config.json"),
        '{\n  "n_embd": x\n}',
      ),
    "Cannot read ",
    "config.json: Unexpected token 'x'",
  ],
  [
    "a config.json that is a list",
    (folder) => Deno.writeTextFileSync(join(folder, "config.json"), "[1]"),
    "Cannot read config.json: expected an object",
  ],
  [
    "another kind of model",
    (folder) => editConfig(folder, { model_type: "bert" }),
    'Cannot load a model of type "bert": the types known are "gpt2", "llama", "mistral", "qwen2", "qwen3"',
  ],
  [
    "another activation",
    (folder) => editConfig(folder, { activation_function: "relu" }),
    'activation_function is "relu", supported is "gelu_new"',
  ],
  [
    "a head of its own",
    (folder) => editConfig(folder, { tie_word_embeddings: false }),
    "tie_word_embeddings is false, supported is true",
  ],
  [
    "another inner size",
    (folder) => editConfig(folder, { n_inner: 13 }),
    "n_inner is 13, supported is null",
  ],
  [
    "sizes that make no sense",
    (folder) => editConfig(folder, { n_layer: 0, n_head: 5, vocab_size: null }),
    "nLayer is 0",
    "nEmbd 12 is not a multiple of nHead 5",
    "vocabSize is null",
  ],
  [
    "no weights",
    (folder) => Deno.removeSync(join(folder, "model.safetensors")),
    "Cannot load weights from ",
    "there is no model.safetensors in it",
  ],
  [
    "half the weights",
    (folder) => {
      const path = join(folder, "model.safetensors");
      Deno.truncateSync(path, Deno.statSync(path).size >> 1);
    },
    "model.safetensors",
  ],
  [
    "a tensor missing",
    (folder) => edit(folder, (t) => t.delete("transformer.ln_f.weight")),
    "model.safetensors: ln_f.weight is missing",
  ],
  [
    "many tensors missing",
    (folder) =>
      edit(folder, (tensors) => {
        for (const name of [...tensors.keys()]) {
          if (name.includes("h.1.")) tensors.delete(name);
        }
      }),
    "h.1.ln_1.weight is missing; ",
    "; and 9 more",
  ],
  [
    "a tensor unexpected",
    (folder) =>
      edit(folder, (tensors) => {
        const one = { shape: [1], data: Float32Array.of(1) };
        tensors.set("transformer.h.0.attn.rotary", one);
      }),
    "model.safetensors: the model has no h.0.attn.rotary",
  ],
  [
    "more layers than the config says",
    (folder) => editConfig(folder, { n_layer: 1 }),
    "the model has no h.1.ln_1.weight",
  ],
  [
    "a tensor of another shape",
    (folder) =>
      edit(folder, (tensors) => {
        const { data } = tensors.get("transformer.h.0.attn.c_attn.weight")!;
        tensors.set("transformer.h.0.attn.c_attn.weight", {
          shape: [36, 12],
          data,
        });
      }),
    "model.safetensors: h.0.attn.c_attn.weight is [36,12], expected [12,36]",
  ],
  [
    "another vocabulary than the config says",
    (folder) => editConfig(folder, { vocab_size: 12 }),
    "wte.weight is [",
    "], expected [12,12]",
  ],
  [
    "no tokenizer",
    (folder) => Deno.removeSync(join(folder, "tokenizer.json")),
    "tokenizer",
  ],
  [
    "a tokenizer too large for the model",
    (folder) =>
      Deno.writeTextFileSync(
        join(folder, "tokenizer.json"),
        JSON.stringify(new CharTokenizer("abcdefghijklmnopqrstuvwxyz")),
      ),
    "its tokenizer has 26 tokens, its model ",
  ],
];

for (const [name, spoil, ...parts] of spoiled) {
  Deno.test(`${name}: one line says so`, async () => {
    const folder = await saved(name.replaceAll(" ", "_"));
    await spoil(folder);
    const error = await assertRejects(
      () => loadModel(devices.best!, folder),
      Error,
    );
    for (const part of parts) assertStringIncludes(error.message, part);
    assert(error.message.startsWith("Cannot "), error.message);
    assertEquals(error.message.split("\n").length, 1, error.message);
  });
}
