/**
 * Folders of the Llama family: read, written, and what is refused.
 */

import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { join } from "@std/path";
import { openWeights, saveWeights } from "../../lib/io/weights.ts";
import { parameters } from "../../lib/nn/parameters.ts";
import { Parameter } from "../../lib/tensor/parameter.ts";
import { readAll } from "../../lib/tensor/tensor.ts";
import { CharTokenizer } from "../../lib/text/char.ts";
import { loadModel, readConfig, saveModel } from "../../models/folder.ts";
import {
  llamaFromHuggingFace,
  llamaParameterCount,
} from "../../models/llama_config.ts";
import {
  describeConfig,
  MODEL_TYPES,
  modelConfig,
} from "../../models/model_types.ts";
import { fill, modelTensors } from "../../models/weights.ts";
import { bothDevices } from "../both_devices.ts";
import { fixtureModel, FIXTURES, folderOf } from "./llama_fixtures.ts";

const devices = bothDevices();
const scratch = Deno.makeTempDirSync();

Deno.test.afterAll(() => Deno.removeSync(scratch, { recursive: true }));

const tokenizer = new CharTokenizer("to be, or not to be?");

async function weightsOf(model: object) {
  const own = parameters(model);
  const data = await readAll([...own.values()]);
  return new Map([...own.keys()].map((name, i) => [name, data[i]]));
}

for (const name of FIXTURES) {
  Deno.test(`${name}: a folder saved here comes back bit for bit`, async () => {
    const device = devices.best!;
    const model = await fixtureModel(device, name);
    const folder = join(scratch, name);
    await saveModel(folder, { model, tokenizer });
    const loaded = await loadModel(device, folder);
    assertEquals(loaded.model.constructor, model.constructor);
    assertEquals(loaded.model.config, model.config);
    assertEquals(await weightsOf(loaded.model), await weightsOf(model));
    using here = openWeights(folder);
    using theirs = openWeights(folderOf(name));
    assertEquals(
      [...here.tensors.keys()].sort(),
      [...theirs.tensors.keys()].sort(),
    );
  });

  Deno.test(`${name}: shards, and tensors that come in slices, load the same`, async () => {
    const device = devices.best!;
    const model = await fixtureModel(device, name);
    const folder = join(scratch, `${name}_shards`);
    await saveModel(folder, { model, tokenizer }, { maxShardBytes: 40_000 });
    using stored = openWeights(folder);
    const other = await fixtureModel(device, name);
    for (const parameter of parameters(other).values()) parameter.fill(7);
    const names = new Map([...stored.tensors.keys()].map((key) => [key, key]));
    const sliced = Object.create(stored);
    let slices = 0;
    sliced.slices = function* (of: string) {
      const [, cols = 1] = stored.tensors.get(of)!.shape;
      for (const slice of stored.slices(of, 64 * 4 * cols)) { // 64 rows
        slices++;
        yield slice;
      }
    };
    await fill(parameters(other), names, sliced, folder);
    assertEquals(await weightsOf(other), await weightsOf(model));
    const { size } = stored.tensors; // Qwen3 has no more than 64 rows
    assertEquals(slices > size, name !== "qwen3", "what was cut");
  });
}

Deno.test("a tensor of more than 64 MiB arrives whole, its f16 copy anew", async () => {
  const device = devices.best!;
  const shape = [16_500, 1024];
  const data = Float32Array.from({ length: 16_500 * 1024 }, (_, i) => i % 2048);
  const folder = join(scratch, "large");
  await saveWeights(folder, {
    shapes: new Map([["large", shape]]),
    tensors: [["large", { shape, data }]],
  });
  using large = new Parameter(device, null, shape);
  const hasHalves = device.features.has("shader-f16");
  if (hasHalves) large.as("f16");
  using stored = openWeights(folder);
  const names = new Map([["large", "large"]]);
  await fill(new Map([["large", large]]), names, stored, folder);
  assert((await large.read()).every((value, i) => value === data[i]));
  if (hasHalves) {
    const copy = await large.as("f16").read();
    assert(copy.every((value, i) => value === data[i]));
  }
});

Deno.test("a head beside a tied one, and old frequencies, are passed over", async () => {
  const device = devices.best!;
  const model = await fixtureModel(device, "llama3");
  const folder = join(scratch, "old");
  await saveModel(folder, { model, tokenizer });
  const source = modelTensors(model);
  const extra = {
    "lm_head.weight": [61, 32],
    "model.layers.1.self_attn.rotary_emb.inv_freq": [8],
  };
  await saveWeights(folder, {
    shapes: new Map([...source.shapes, ...Object.entries(extra)]),
    tensors: (async function* () {
      yield* source.tensors;
      for (const [name, shape] of Object.entries(extra)) {
        const size = shape.reduce((a, b) => a * b, 1);
        yield [name, { shape, data: new Float32Array(size) }] as const;
      }
    })(),
  });
  const loaded = await loadModel(device, folder);
  assertEquals(await weightsOf(loaded.model), await weightsOf(model));
});

Deno.test("Llamas have no dropout to be told of", () => {
  assertThrows(
    () => readConfig(folderOf("qwen2"), { dropout: 0.1 }),
    RangeError,
    "a model of type qwen2 has none",
  );
  assertEquals(
    readConfig(folderOf("qwen2"), { dropout: 0 }),
    readConfig(folderOf("qwen2")),
  );
});

/** What the published folders of well-known models say, and have. */
const published: readonly [name: string, count: number, json: Json][] = [
  ["Llama 2 7B", 6_738_415_616, {
    ...sizes(32000, 4096, 11008, 32, 32),
    model_type: "llama",
    max_position_embeddings: 4096,
    rope_scaling: null,
    tie_word_embeddings: false,
  }],
  ["TinyLlama 1.1B", 1_100_048_384, {
    ...sizes(32000, 2048, 5632, 22, 32, 4),
    model_type: "llama",
  }],
  ["Llama 3.1 8B", 8_030_261_248, {
    ...sizes(128256, 4096, 14336, 32, 32, 8),
    model_type: "llama",
    max_position_embeddings: 131072,
    rope_theta: 500000,
    rope_scaling: {
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
      rope_type: "llama3",
    },
    eos_token_id: [128001, 128008, 128009],
  }],
  ["Llama 3.2 1B", 1_235_814_400, {
    ...sizes(128256, 2048, 8192, 16, 32, 8),
    model_type: "llama",
    head_dim: 64,
    tie_word_embeddings: true,
  }],
  ["SmolLM2 135M", 134_515_008, {
    ...sizes(49152, 576, 1536, 30, 9, 3),
    model_type: "llama",
    tie_word_embeddings: true,
    rope_theta: 100000,
  }],
  ["Mistral 7B v0.3", 7_248_023_552, {
    ...sizes(32768, 4096, 14336, 32, 32, 8),
    model_type: "mistral",
    sliding_window: null,
  }],
  ["Qwen2.5 0.5B", 494_032_768, {
    ...sizes(151936, 896, 4864, 24, 14, 2),
    model_type: "qwen2",
    sliding_window: 32768,
    use_sliding_window: false,
    tie_word_embeddings: true,
  }],
  ["Qwen3 0.6B", 596_049_920, {
    ...sizes(151936, 1024, 3072, 28, 16, 8),
    model_type: "qwen3",
    head_dim: 128,
    sliding_window: null,
    tie_word_embeddings: true,
  }],
];

type Json = Readonly<Record<string, unknown>>;

function sizes(
  vocab_size: number,
  hidden_size: number,
  intermediate_size: number,
  num_hidden_layers: number,
  num_attention_heads: number,
  num_key_value_heads?: number,
): Json {
  return {
    vocab_size,
    hidden_size,
    intermediate_size,
    num_hidden_layers,
    num_attention_heads,
    num_key_value_heads,
    hidden_act: "silu",
    max_position_embeddings: 2048,
    rms_norm_eps: 1e-5,
  };
}

for (const [name, count, json] of published) {
  Deno.test(`${name} has ${count} parameters, and its config comes back`, () => {
    const config = llamaFromHuggingFace(json);
    assertEquals(llamaParameterCount(config), count);
    assertEquals(modelConfig(describeConfig(config)), config);
  });
}

Deno.test("positions slowed for long texts are read in either form", () => {
  const [, , json] = published[2];
  const { rope_scaling, rope_theta, ...rest } = json;
  const config = llamaFromHuggingFace(json);
  assertEquals(config.ropeTheta, 500000);
  assertEquals(config.ropeScaling?.type, "llama3");
  assertEquals(config.eosTokenIds, [128001, 128008, 128009]);
  const rope_parameters = { ...rope_scaling as Json, rope_theta };
  assertEquals(llamaFromHuggingFace({ ...rest, rope_parameters }), config);
  const linear = llamaFromHuggingFace({
    ...json,
    rope_scaling: { type: "linear", factor: 4 },
  });
  assertEquals(linear.ropeScaling, { type: "linear", factor: 4 });
});

/** What spoils the config of a Llama, and what is said of it. */
const spoiled: readonly [change: Json, ...parts: string[]][] = [
  [{ model_type: "gemma2" }, '"gemma2"', ...MODEL_TYPES],
  [{ model_type: undefined }, "undefined", '"llama"'],
  [{ hidden_act: "gelu" }, 'hidden_act is "gelu", supported is "silu"'],
  [{ attention_bias: true }, "attention_bias is true, supported is false"],
  [{ mlp_bias: true }, "mlp_bias is true"],
  [{ partial_rotary_factor: 0.5 }, "partial_rotary_factor is 0.5"],
  [
    { rope_scaling: { rope_type: "yarn", factor: 4 } },
    'rope_type is "yarn", supported is "default", "linear" or "llama3"',
  ],
  [
    { rope_scaling: { type: "dynamic", factor: 2 } },
    'rope_type is "dynamic"',
  ],
  [{ rope_scaling: { type: "linear" } }, "ropeScaling.factor is undefined"],
  [
    { rope_scaling: { rope_type: "llama3", factor: 8 } },
    "ropeScaling.lowFreqFactor is undefined",
  ],
  [
    { model_type: "mistral", sliding_window: 1024 },
    "type mistral: sliding_window is 1024, supported is null or 2048",
  ],
  [
    { model_type: "qwen2", use_sliding_window: true, sliding_window: 1024 },
    "use_sliding_window is true",
  ],
  [
    {
      model_type: "qwen3",
      layer_types: ["full_attention", "sliding_attention"],
    },
    "layer_types is",
    '"full_attention" in every layer',
  ],
  [{ num_key_value_heads: 3 }, "nHead 32 is not a multiple"],
  [{ head_dim: 33 }, "headSize is 33, expected an even number"],
  [{ num_hidden_layers: 0, vocab_size: null }, "nLayer is 0", "vocabSize is"],
  [{ rms_norm_eps: 0 }, "rmsNormEpsilon is 0, expected more than 0"],
];

for (const [change, ...parts] of spoiled) {
  Deno.test(`${JSON.stringify(change)} is refused in one line`, () => {
    const [, , json] = published[1];
    const { message } = assertThrows(
      () => modelConfig({ ...json, ...change }),
      RangeError,
    );
    for (const part of parts) assertStringIncludes(message, part);
    assertEquals(message.includes("\n"), false, message);
    assertEquals(message.startsWith("Cannot "), true, message);
  });
}
