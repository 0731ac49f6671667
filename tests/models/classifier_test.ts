/**
 * Classifiers against PyTorch and transformers.
 *
 * ../fixtures/classifier/make_fixtures.py explains and makes the files.
 */

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { join } from "@std/path";
import { padExamples } from "../../lib/data/class_examples.ts";
import type { Device } from "../../lib/gpu/device.ts";
import { SafetensorsFile } from "../../lib/io/safetensors.ts";
import { openWeights } from "../../lib/io/weights.ts";
import { parameters } from "../../lib/nn/parameters.ts";
import { AdamW } from "../../lib/optim/adamw.ts";
import { Random } from "../../lib/random.ts";
import { backward } from "../../lib/tensor/backward.ts";
import { noGrad } from "../../lib/tensor/tape.ts";
import { CharTokenizer } from "../../lib/text/char.ts";
import { Classifier, newClassifier } from "../../models/classifier.ts";
import type { ClassifierConfig } from "../../models/classifier_config.ts";
import {
  loadClassifier,
  readClassifierConfig,
  saveClassifier,
} from "../../models/classifier_folder.ts";
import { fillClassifier } from "../../models/classifier_weights.ts";
import { newModel } from "../../models/model_types.ts";
import type { ModelOptions } from "../../models/pass.ts";
import { bothDevices } from "../both_devices.ts";
import { tinyModel } from "../generate/tiny_model.ts";
import { relativeDistance } from "../ops/case.ts";

const devices = bothDevices();
const FIXTURES = ["gpt2", "llama", "mistral", "qwen2", "qwen3"];

const hasHalves = (await navigator.gpu.requestAdapter())?.features.has(
  "shader-f16",
) ?? false;

function folderOf(name: string): string {
  return new URL(`../fixtures/classifier/${name}`, import.meta.url).pathname;
}

/** The rows that PyTorch has read, and what it says of them. */
function expectedOf(name: string) {
  const text = Deno.readTextFileSync(join(folderOf(name), "expected.json"));
  const { ids, lengths, labels, loss } = JSON.parse(text);
  return {
    loss: loss as number,
    batch: {
      inputs: Uint32Array.from(ids.flat()),
      lengths: Uint32Array.from(lengths),
      labels: Uint32Array.from(labels),
      shape: [ids.length, ids[0].length] as const,
    },
  };
}

async function fixture(
  device: Device,
  name: string,
  { read, ...options }: ModelOptions & Pick<ClassifierConfig, "read"> = {},
): Promise<Classifier> {
  const folder = folderOf(name);
  const config = readClassifierConfig(folder);
  const model = newClassifier(
    { device, random: null },
    { ...config, read },
    options,
  );
  using stored = openWeights(folder);
  await fillClassifier(model, stored, folder);
  return model;
}

function expectedTensors(name: string): SafetensorsFile {
  return SafetensorsFile.open(join(folderOf(name), "expected.safetensors"));
}

function greatestDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assertEquals(a.length, b.length);
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i])));
}

for (const name of FIXTURES) {
  for (const kind of ["best", "plain"] as const) {
    Deno.test(`${name}: logits, loss and every gradient are PyTorch's (${kind} kernels)`, async () => {
      const device = devices[kind]!;
      const model = await fixture(device, name);
      const { batch, loss: expected } = expectedOf(name);
      using file = expectedTensors(name);
      using _scope = device.scope();

      const logits = await noGrad(() => model.forward(batch)).read();
      const off = greatestDistance(logits, file.read("logits").data);
      assert(off <= 1e-4, `the logits are off by ${off}`);

      const loss = model.loss(batch);
      assertAlmostEquals(await loss.item(), expected, 1e-5);
      backward(loss);
      const all = parameters(model);
      const known = [...file.tensors.keys()]
        .filter((key) => key.startsWith("gradient."))
        .map((key) => key.slice("gradient.".length));
      assertEquals([...all.keys()].sort(), known.sort());
      for (const [path, { grad }] of all) {
        assert(grad, `${path} has no gradient`);
        const { data } = file.read(`gradient.${path}`);
        const distance = relativeDistance(await grad.read(), data);
        assert(distance <= 1e-3, `the gradient of ${path} is ${distance} off`);
      }
    });
  }

  Deno.test(`${name}: a row scores the same without its padding, and with more`, async () => {
    const device = devices.best!;
    const model = await fixture(device, name);
    const { batch: { inputs, lengths, shape: [, time] } } = expectedOf(name);
    using file = expectedTensors(name);
    for (const [row, length] of lengths.entries()) {
      const ids = inputs.slice(row * time, row * time + length);
      for (const padTo of [undefined, 20]) {
        using _scope = device.scope();
        const batch = padExamples([{ ids, label: 0 }], {
          padTokenId: 3,
          padTo,
        });
        const logits = await noGrad(() => model.forward(batch)).read();
        const off = greatestDistance(logits, file.read(`alone.${row}`).data);
        assert(off <= 1e-4, `row ${row} is off by ${off}`);
      }
    }
  });

  Deno.test(`${name}: the first token and the mean of all can be read instead`, async () => {
    const device = devices.best!;
    using file = expectedTensors(name);
    for (const read of ["first", "mean"] as const) {
      using _scope = device.scope();
      const model = await fixture(device, name, { read });
      const logits = await noGrad(() => model.forward(expectedOf(name).batch))
        .read();
      const off = greatestDistance(logits, file.read(read).data);
      assert(off <= 1e-4, `${read} is off by ${off}`);
    }
  });
}

Deno.test("all ways to read learn, and a step gives back all memory it took", async () => {
  const device = devices.best!;
  for (const read of ["last", "first", "mean"] as const) {
    const model = await fixture(device, "qwen3", { read });
    using optimizer = new AdamW(parameters(model), { weightDecay: 0 });
    const losses: number[] = [];
    const used: number[] = [];
    for (let step = 0; step < 12; step++) {
      {
        using _scope = device.scope();
        const loss = model.loss(expectedOf("qwen3").batch);
        backward(loss);
        losses.push(await loss.item());
      }
      optimizer.step(1e-2);
      used.push(device.bytesInUse);
    }
    assert(losses.at(-1)! < 0.3 * losses[0], `${read}: ${losses}`);
    assertEquals(new Set(used.slice(1)).size, 1);
  }
});

Deno.test({
  name: "scores in half precision are near those in single",
  ignore: !hasHalves,
  fn: async () => {
    const device = devices.best!;
    for (const read of ["last", "mean"] as const) {
      using _scope = device.scope();
      const { batch } = expectedOf("gpt2");
      const whole = await fixture(device, "gpt2", { read });
      const half = await fixture(device, "gpt2", { read, dtype: "f16" });
      const a = await noGrad(() => whole.forward(batch)).read();
      const b = await noGrad(() => half.forward(batch)).read();
      const off = greatestDistance(a, b);
      assert(off > 0 && off < 0.02, `${read} is off by ${off}`);
    }
  },
});

Deno.test("a classifier saved and loaded is the same, its labels and way to read too", async () => {
  const device = devices.best!;
  const folder = Deno.makeTempDirSync();
  try {
    const tokenizer = new CharTokenizer("abcdefgh");
    for (const name of ["gpt2", "qwen2"]) {
      const model = await fixture(device, name, { read: "mean" });
      await saveClassifier(folder, { model, tokenizer });
      const loaded = await loadClassifier(device, folder);
      assertEquals(loaded.model.config, model.config);
      const [before, after] = [parameters(model), parameters(loaded.model)];
      assertEquals([...after.keys()], [...before.keys()]);
      for (const [path, parameter] of before) {
        assertEquals(await after.get(path)!.read(), await parameter.read());
      }
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("a config of transformers is kept, but for what is otherwise now", async () => {
  const device = devices.best!;
  const folder = Deno.makeTempDirSync();
  const source = folderOf("qwen3");
  const path = join(folder, "config.json");
  const read = () => JSON.parse(Deno.readTextFileSync(path));
  try {
    const tokenizer = new CharTokenizer("abcdefgh");
    for (const file of ["config.json", "model.safetensors"]) {
      Deno.copyFileSync(join(source, file), join(folder, file));
    }
    const json = JSON.stringify(tokenizer);
    Deno.writeTextFileSync(join(folder, "tokenizer.json"), json);
    const before = read();
    const loaded = await loadClassifier(device, folder);
    await saveClassifier(folder, loaded);
    assertEquals(read(), {
      ...before,
      problem_type: "single_label_classification",
      rope_scaling: null, // as versions of transformers before 5 read them
      rope_theta: 10_000,
      torch_dtype: "float32",
    });

    const labels = ["no", "yes"];
    const { body } = loaded.model;
    const model = new Classifier({ device, random: new Random(1) }, body, {
      labels,
      read: "first",
    });
    await saveClassifier(folder, { ...loaded, model });
    const { id2label, label2id, read_token, pad_token_id } = read();
    assertEquals({ id2label, label2id, read_token, pad_token_id }, {
      id2label: { "0": "no", "1": "yes" },
      label2id: { no: 0, yes: 1 },
      read_token: "first",
      pad_token_id: null,
    });
    const { hidden_size, head_dim, rope_parameters } = read();
    assertEquals({ hidden_size, head_dim, rope_parameters }, {
      hidden_size: before.hidden_size,
      head_dim: before.head_dim,
      rope_parameters: before.rope_parameters,
    });
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("a GPT-2 without biases is saved with zeros, and loads without", async () => {
  const device = devices.best!;
  const folder = Deno.makeTempDirSync();
  try {
    const init = { device, random: new Random(2) };
    const body = tinyModel(device, { bias: false });
    const model = new Classifier(init, body, { labels: ["0", "1"] });
    await saveClassifier(folder, { model, tokenizer: new CharTokenizer("ab") });
    using stored = openWeights(folder);
    assert(stored.tensors.has("transformer.h.0.attn.c_attn.bias"));
    const loaded = await loadClassifier(device, folder);
    assertEquals(loaded.model.config, model.config);
    assertEquals(
      await loaded.model.score.weight.read(),
      await model.score.weight.read(),
    );
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("a head that scored tokens is given back, and the rest saved and loaded", async () => {
  const device = devices.best!;
  const folder = Deno.makeTempDirSync();
  try {
    const { body: config } = readClassifierConfig(folderOf("llama"));
    const init = { device, random: new Random(1) };
    const body = newModel(init, config);
    const before = device.bytesInUse;
    const model = new Classifier(init, body, { labels: ["a", "b"] });
    assert(device.bytesInUse < before);
    const paths = [...parameters(model).keys()];
    assertEquals(paths.filter((path) => /head|score/.test(path)), [
      "score.weight",
    ]);
    await saveClassifier(folder, { model, tokenizer: new CharTokenizer("ab") });
    const weight = await model.score.weight.read();
    for (const parameter of parameters(model).values()) parameter.fill(0);
    using stored = openWeights(folder);
    assertEquals([...stored.tensors.keys()], paths);
    await fillClassifier(model, stored, folder);
    assertEquals(await model.score.weight.read(), weight);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("an adapter that peft made to classify loads with its base, and its score", async () => {
  const device = devices.best!;
  const place = Deno.makeTempDirSync();
  const made = new URL("../fixtures/peft/gpt2_classifier/", import.meta.url);
  const base = new URL("../fixtures/gpt2/", import.meta.url);
  const adapter = join(place, "adapter");
  const write = (path: string, json: unknown) =>
    Deno.writeTextFileSync(join(place, path), JSON.stringify(json));
  const readJson = (folder: URL, name: string) =>
    JSON.parse(Deno.readTextFileSync(new URL(name, folder)));
  try {
    Deno.mkdirSync(adapter);
    for (const name of ["config.json", "model.safetensors"]) {
      Deno.copyFileSync(new URL(name, base), join(place, name));
    }
    const weights = new URL("adapter_model.safetensors", made);
    Deno.copyFileSync(weights, join(adapter, "adapter_model.safetensors"));
    const description = readJson(made, "adapter_config.json");
    write("adapter/adapter_config.json", {
      ...description,
      base_model_name_or_path: "..",
    });
    write("tokenizer.json", new CharTokenizer("abcdefgh"));

    const { ids } = readJson(made, "expected.json");
    using file = SafetensorsFile.open(
      new URL("expected.safetensors", made).pathname,
    );
    const batch = {
      inputs: Uint32Array.from(ids.flat()),
      lengths: Uint32Array.of(13, 13),
      shape: [2, 13] as const,
    };
    const labelsOfLoaded = async () => {
      using _scope = device.scope();
      const { model } = await loadClassifier(device, adapter);
      const logits = await noGrad(() => model.forward(batch)).read();
      const off = greatestDistance(logits, file.read("logits").data);
      assert(off <= 1e-4, `the logits are off by ${off}`);
      return model.config.labels;
    };
    const unnamed = ["LABEL_0", "LABEL_1", "LABEL_2"];
    assertEquals(await labelsOfLoaded(), unnamed);

    const labels = ["a", "b", "c"];
    const body = readJson(base, "config.json");
    write("adapter/config.json", {
      ...body,
      architectures: ["GPT2ForSequenceClassification"],
      id2label: { ...labels },
    });
    assertEquals(await labelsOfLoaded(), labels);
  } finally {
    Deno.removeSync(place, { recursive: true });
  }
});

Deno.test("what is no classifier is refused in a line that says why", async () => {
  const device = devices.best!;
  const folder = Deno.makeTempDirSync();
  const config = JSON.parse(
    Deno.readTextFileSync(join(folderOf("gpt2"), "config.json")),
  );
  const tokenizer = JSON.stringify(new CharTokenizer("abcdefgh"));
  Deno.writeTextFileSync(join(folder, "tokenizer.json"), tokenizer);
  const weights = join(folderOf("gpt2"), "model.safetensors");
  Deno.copyFileSync(weights, join(folder, "model.safetensors"));
  const refused = async (fields: Record<string, unknown>, says: string) => {
    const json = JSON.stringify({ ...config, ...fields });
    Deno.writeTextFileSync(join(folder, "config.json"), json);
    await assertRejects(() => loadClassifier(device, folder), RangeError, says);
  };
  try {
    await assertRejects(
      () => loadClassifier(device, folder),
      Error,
      "there is no config.json in it",
    );
    await refused(
      { architectures: ["GPT2LMHeadModel"] },
      "config.json says it is a GPT2LMHeadModel, expected one …ForSequenceClassification",
    );
    await refused(
      { problem_type: "regression" },
      'problem_type is "regression", supported is "single_label_classification"',
    );
    await refused({ id2label: { "0": "only" } }, "there are 1 labels");
    await refused(
      { id2label: { "0": "a", "7": "b" } },
      "expected a name for each number from 0",
    );
    await refused(
      { id2label: { "0": "a", "1": "a" } },
      'label "a" is there tw',
    );
    await refused(
      { pad_token_id: 61 },
      "padTokenId is 61, expected an id below",
    );
    await refused({ read_token: "cls" }, 'read is "cls", expected last, first');
    await refused(
      { id2label: { "0": "a", "1": "b" } },
      "score.weight is [3,24], expected [2,24]",
    );
    await refused({ n_layer: 1 }, "the model has no h.1.");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("rows that are empty or too long are refused with the numbers", async () => {
  const device = devices.best!;
  const model = await fixture(device, "gpt2");
  const empty = {
    inputs: new Uint32Array(4),
    lengths: Uint32Array.of(2, 0),
    shape: [2, 2] as const,
  };
  assertThrows(
    () => model.forward(empty),
    RangeError,
    "Cannot classify 4 ids as [2, 2] with lengths [2,0]: expected a length from 1 to 2",
  );
  const ids = new Uint32Array(33);
  assertThrows(
    () => model.forward(padExamples([{ ids, label: 0 }])),
    RangeError,
    "within a block of 32",
  );
});
