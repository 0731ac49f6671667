/**
 * Adapters on models: what they cost, how they are switched, trained and resumed.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Device } from "../../lib/gpu/device.ts";
import { loadCheckpoint, saveCheckpoint } from "../../lib/io/checkpoint.ts";
import { parameters } from "../../lib/nn/parameters.ts";
import { AdamW } from "../../lib/optim/adamw.ts";
import { Random } from "../../lib/random.ts";
import { backward } from "../../lib/tensor/backward.ts";
import { noGrad } from "../../lib/tensor/tape.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";
import { adapterTensors, fillAdapter } from "../../models/adapter_folder.ts";
import { GPT2 } from "../../models/gpt2.ts";
import { Llama } from "../../models/llama.ts";
import { addLoRA, type ModelAdapter } from "../../models/lora.ts";
import type { LoRAConfig } from "../../models/lora_config.ts";
import type { Model } from "../../models/model_types.ts";
import type { ModelOptions } from "../../models/pass.ts";
import { fill, modelTensors, tensorSource } from "../../models/weights.ts";
import { bothDevices } from "../both_devices.ts";
import { relativeDistance } from "../ops/case.ts";

const devices = bothDevices();

/** Whether the adapter computes with 16-bit floats. */
const hasHalves = (await navigator.gpu.requestAdapter())?.features.has(
  "shader-f16",
) ?? false;

const sizes = { vocabSize: 67, blockSize: 16, nLayer: 2, nHead: 4, nEmbd: 32 };

function gpt2(device: Device, options: ModelOptions = {}, dropout = 0): GPT2 {
  return new GPT2({ device, random: new Random(1) }, {
    ...{ ...sizes, dropout },
  }, options);
}

function llama(device: Device, options: ModelOptions = {}): Llama {
  return new Llama({ device, random: new Random(1) }, {
    ...{ ...sizes, nKeyValueHead: 2, intermediateSize: 44, tied: false },
  }, options);
}

function adapt(model: Model, config: LoRAConfig, seed = 5): ModelAdapter {
  const [{ device }] = parameters(model).values();
  return addLoRA(model, { device, random: new Random(seed) }, config);
}

function batchAt(device: Device, seed: number) {
  const random = new Random(seed);
  const draw = () => Uint32Array.from({ length: 32 }, () => random.integer(67));
  const [ids, targets] = [draw(), Int32Array.from(draw())];
  return {
    ids: Tensor.from(device, ids, [2, 16]),
    targets: Tensor.from(device, targets, [2, 16]),
  };
}

async function logitsOf(model: Model): Promise<Float32Array> {
  return new Float32Array((await bitsOf(model)).buffer as ArrayBuffer);
}

/** The bits of the logits, so that zeros of either sign differ. */
async function bitsOf(model: Model): Promise<Uint32Array> {
  const [{ device }] = parameters(model).values();
  using _scope = device.scope();
  const logits = noGrad(() => model.forward(batchAt(device, 3).ids));
  return new Uint32Array((await logits.read()).buffer);
}

/** Steps on batches `from` to `to`. */
function learn(
  model: Model,
  optimizer: AdamW,
  [from, to]: readonly [number, number],
): void {
  const [{ device }] = parameters(model).values();
  for (let step = from; step < to; step++) {
    using _scope = device.scope();
    const { ids, targets } = batchAt(device, 100 + step);
    backward(model.loss(ids, targets, { random: new Random(step) }));
    optimizer.step(1e-2);
  }
}

async function bitsIn(tensors: ReadonlyMap<string, Tensor>) {
  const read = tensors.entries().map(async ([name, tensor]) =>
    [name, new Uint32Array((await tensor.read()).buffer)] as const
  );
  return new Map(await Promise.all(read));
}

const beginnings: Record<string, LoRAConfig> = {
  "LoRA": {},
  "rsLoRA": { rankStabilized: true },
  "DoRA": { dora: true, dropout: 0.1 },
  "LoRA with biases and the embedding": {
    ...{ bias: "all", modulesToSave: ["wte", "ln_f"] },
  },
};

for (const [name, config] of Object.entries(beginnings)) {
  for (const kind of ["best", "plain"] as const) {
    Deno.test(`${name} begins as its base, bit for bit (${kind} kernels)`, async () => {
      const model = gpt2(devices[kind]!);
      const bare = await bitsOf(model);
      using adapter = adapt(model, config);
      assertEquals(await bitsOf(model), bare);
      adapter.merge();
      assertEquals(await bitsOf(model), bare);
    });
  }
}

for (const make of [gpt2, llama]) {
  Deno.test(`of a ${make.name} with an adapter nothing else has a gradient or moments`, () => {
    const device = devices.best!;
    const used = () => device.bytesInUse;
    const before = used();
    const full = make(device);
    const bytes = {
      model: used() - before,
      moved: 0,
      full: 0,
      adapter: 0,
    };
    {
      using optimizer = new AdamW(parameters(full));
      learn(full, optimizer, [0, 2]);
      bytes.full = used() - before - bytes.model;
    }
    const model = make(device);
    const start = used();
    using adapter = adapt(model, { rank: 2 });
    for (const { bytes: own } of adapter.parameters().values()) {
      bytes.moved += own;
    }
    using optimizer = new AdamW(parameters(model));
    learn(model, optimizer, [0, 2]);
    bytes.adapter = used() - start;
    assertEquals(
      new Set(optimizer.moments.keys()),
      new Set(
        parameters(model).keys().filter((path) => path.includes(".adapter.")),
      ),
    );
    assertEquals(optimizer.moments.size, adapter.parameters().size);
    const moved = new Set(adapter.parameters().values());
    for (const [path, parameter] of parameters(model)) {
      assertEquals(parameter.frozen, !moved.has(parameter), path);
      assertEquals(parameter.slot !== null, moved.has(parameter), path);
    }
    // Weights, gradients and two moments, each part of a 512 bytes' place.
    assert(bytes.adapter < bytes.full / 3, JSON.stringify(bytes));
  });
}

Deno.test("adapters are switched, and without any the base is back, bit for bit", async () => {
  const device = devices.best!;
  const model = llama(device);
  const bare = await bitsOf(model);
  using first = adapt(model, { modulesToSave: ["lm_head"] });
  using firstOptimizer = new AdamW(parameters(model));
  learn(model, firstOptimizer, [0, 3]);
  const asFirst = await bitsOf(model);
  using second = adapt(model, { targetModules: ["q_proj"], dora: true }, 6);
  assertEquals(first.attached, false);
  assertEquals(await bitsOf(model), bare);
  using secondOptimizer = new AdamW(parameters(model));
  learn(model, secondOptimizer, [3, 6]);
  const asSecond = await bitsOf(model);
  first.attach();
  assertEquals(await bitsOf(model), asFirst);
  first.merge();
  second.attach();
  assertEquals(first.merged, false);
  assertEquals(await bitsOf(model), asSecond);
  second.detach();
  assertEquals(await bitsOf(model), bare);
  assert(`${asFirst}` !== `${bare}` && `${asSecond}` !== `${bare}`);
  assert(parameters(model).values().every(({ frozen }) => !frozen));
});

for (const recompute of ["mlp", "block"] as const) {
  Deno.test(`with dropout, gradients are the same bits if each ${recompute} is computed again`, async () => {
    const device = devices.best!;
    const gradients = async (options: ModelOptions) => {
      const model = gpt2(device, options, 0.1);
      using adapter = adapt(model, { dropout: 0.2, dora: true });
      using _scope = device.scope();
      const { ids, targets } = batchAt(device, 8);
      backward(model.loss(ids, targets, { random: new Random(4) }));
      const named = adapter.parameters().entries()
        .map(([name, { grad }]) => [name, grad!] as const);
      return await bitsIn(new Map(named));
    };
    assertEquals(await gradients({ recompute }), await gradients({}));
  });
}

Deno.test({
  name: "in half precision an adapter learns, and merging it changes little",
  ignore: !hasHalves,
  fn: async () => {
    const device = devices.best!;
    const options = { dtype: "f16" } as const;
    for (
      const [model, name] of [
        [gpt2(device, options), "ln_f"],
        [llama(device, options), "norm"],
      ] as const
    ) {
      const bare = await logitsOf(model);
      using adapter = adapt(model, { dora: true, modulesToSave: [name] });
      using optimizer = new AdamW(parameters(model));
      learn(model, optimizer, [0, 8]);
      const worn = await logitsOf(model);
      assert(relativeDistance(worn, bare) > 0.1);
      adapter.merge();
      const distance = relativeDistance(await logitsOf(model), worn);
      assert(distance < 3e-3, `merging moves the logits by ${distance}`);
    }
  },
});

Deno.test("a run of an adapter goes on from its checkpoint, bit for bit", async () => {
  const device = devices.best!;
  const config: LoRAConfig = {
    ...{ rank: 3, dora: true, dropout: 0.1, modulesToSave: ["lm_head"] },
  };
  const folder = Deno.makeTempDirSync();
  const begin = () => {
    const model = llama(device);
    const adapter = adapt(model, config);
    const optimizer = new AdamW(adapter.parameters());
    const moments = new Map(
      [...optimizer.moments].flatMap(([name, { m, v }]) => [
        [`exp_avg.${name}`, m] as const,
        [`exp_avg_sq.${name}`, v] as const,
      ]),
    );
    return { model, adapter, optimizer, moments };
  };
  const whole = begin();
  learn(whole.model, whole.optimizer, [0, 3]);
  await saveCheckpoint(folder, {
    step: 3,
    weightsName: "adapter_model.safetensors",
    model: adapterTensors(whole.adapter),
    optimizer: tensorSource(whole.moments),
    state: {},
  });
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
    "adapter_model.safetensors",
    "optimizer.safetensors",
    "training_state.json",
  ]);
  learn(whole.model, whole.optimizer, [3, 5]);

  const resumed = begin();
  learn(resumed.model, resumed.optimizer, [50, 51]); // elsewhere entirely
  {
    using checkpoint = await loadCheckpoint(folder);
    assertEquals(checkpoint.weightsName, "adapter_model.safetensors");
    await fillAdapter(resumed.adapter, checkpoint.model, folder);
    const names = [...resumed.moments.keys()];
    await fill(
      resumed.moments,
      new Map(names.map((name) => [name, name])),
      checkpoint.optimizer,
      folder,
    );
    resumed.optimizer.resume(checkpoint.step);
  }
  learn(resumed.model, resumed.optimizer, [3, 5]);
  assertEquals(
    await bitsIn(resumed.adapter.parameters()),
    await bitsIn(whole.adapter.parameters()),
  );
  assertEquals(await bitsOf(resumed.model), await bitsOf(whole.model));
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("what a config asks for that the model has not is refused, saying what there is", () => {
  const device = devices.best!;
  const [small, large] = [gpt2(device), llama(device)];
  const asked = (model: Model, config: LoRAConfig) => () =>
    adapt(model, config);
  const layers =
    "the linear layers are attn.c_attn, attn.c_proj, mlp.c_fc, mlp.c_proj";
  const cases = [
    [asked(small, { targetModules: ["q_proj"] }), `"q_proj": ${layers}`],
    [
      asked(small, { targetModules: "c_attn" }),
      `what fits "c_attn": ${layers}`,
    ],
    [asked(small, { targetModules: "(" }), `Cannot match layers with "("`],
    [
      asked(small, { targetModules: ["c_fc"], layersToTransform: [2] }),
      "Cannot adapt c_fc: every such layer is excluded",
    ],
    [
      asked(large, { targetModules: ["lm_head"] }),
      "Cannot adapt lm_head, which scores every token",
    ],
    [asked(large, { bias: "all" }), "the model has none"],
    [asked(large, { bias: "lora_only" }), "the layers changed have none"],
    [
      asked(large, { modulesToSave: ["heads"] }),
      `Cannot train "heads" whole: the modules are model.embed_tokens, self_attn.q_proj`,
    ],
  ] as const;
  for (const [ask, message] of cases) {
    assertThrows(ask, RangeError, message);
  }
  assert(parameters(small).values().every(({ frozen }) => !frozen));
});

Deno.test("layers are chosen by ends, by pattern and by block", () => {
  const model = llama(devices.best!);
  const chosen = (config: LoRAConfig) => {
    using adapter = adapt(model, config);
    return [...adapter.layers].map(([name, { lora_A }]) =>
      `${name.replace("model.layers.", "")} ${lora_A.weight.shape[0]}`
    );
  };
  assertEquals(chosen({}).length, 14);
  assertEquals(chosen({ targetModules: "ALL-linear" }).length, 14);
  assertEquals(
    chosen({
      ...{ targetModules: ["q_proj", "v_proj"], layersToTransform: [1] },
      rankPattern: { "layers\\.\\d\\.self_attn\\.v_proj": 2 },
    }),
    ["1.self_attn.q_proj 8", "1.self_attn.v_proj 2"],
  );
  assertEquals(
    chosen({
      targetModules: "model\\.layers\\.(?P<block>\\d)\\..*(up|down)_proj",
      excludeModules: ["0.mlp.up_proj"],
    }),
    ["0.mlp.down_proj 8", "1.mlp.up_proj 8", "1.mlp.down_proj 8"],
  );
});

Deno.test("weights are not saved with an adapter on, nor unmerged without their base", async () => {
  const device = devices.best!;
  const model = gpt2(device);
  const names = [...modelTensors(model).shapes.keys()];
  const before = device.bytesInUse;
  const adapter = adapt(model, { rank: 2 });
  assertThrows(() => modelTensors(model), Error, "merge it first");
  using optimizer = new AdamW(parameters(model));
  learn(model, optimizer, [0, 2]);
  const worn = await bitsOf(model);
  adapter.merge({ keepBase: false });
  assertEquals([...modelTensors(model).shapes.keys()], names);
  assertThrows(() => adapter.unmerge(), Error, "were not kept");
  const other = () => adapt(model, {});
  assertThrows(other, Error, "has another merged");
  const merged = new Float32Array((await bitsOf(model)).buffer);
  const wide = new Float32Array(worn.buffer);
  assert(merged.every((logit, i) => Math.abs(logit - wide[i]) < 1e-5));
  optimizer[Symbol.dispose]();
  adapter[Symbol.dispose]();
  assertEquals(device.bytesInUse, before);
});
