/**
 * Models of the Llama family against PyTorch.
 *
 * ../fixtures/llama/make_fixtures.py explains and makes the files.
 */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { generate } from "../../lib/generate/generate.ts";
import type { Device } from "../../lib/gpu/device.ts";
import { SafetensorsFile } from "../../lib/io/safetensors.ts";
import { parameters } from "../../lib/nn/parameters.ts";
import { AdamW } from "../../lib/optim/adamw.ts";
import { Random } from "../../lib/random.ts";
import { backward } from "../../lib/tensor/backward.ts";
import { noGrad } from "../../lib/tensor/tape.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";
import type { ModelOptions } from "../../models/pass.ts";
import type { Llama } from "../../models/llama.ts";
import { llamaParameterCount } from "../../models/llama_config.ts";
import { bothDevices } from "../both_devices.ts";
import { relativeDistance } from "../ops/case.ts";
import {
  type Expected,
  expectedOf,
  fixtureModel,
  FIXTURES,
  folderOf,
} from "./llama_fixtures.ts";

const devices = bothDevices();

/** Whether the adapter computes with 16-bit floats. */
const hasHalves = (await navigator.gpu.requestAdapter())?.features.has(
  "shader-f16",
) ?? false;

function tensorsOf(name: string): SafetensorsFile {
  return SafetensorsFile.open(join(folderOf(name), "expected.safetensors"));
}

function batchOf(device: Device, { ids, targets }: Expected) {
  const shape = [ids.length, ids[0].length];
  return {
    ids: Tensor.from(device, Uint32Array.from(ids.flat()), shape),
    targets: Tensor.from(device, Int32Array.from(targets.flat()), shape),
  };
}

async function greedy(
  device: Device,
  model: Llama,
  { prompt, written }: Expected,
): Promise<number[]> {
  return await Array.fromAsync(generate({
    device,
    model,
    prompt: Uint32Array.from(prompt),
    maxNewTokens: written.length,
    temperature: 0,
    random: new Random(0),
  }));
}

for (const name of FIXTURES) {
  for (const kind of ["best", "plain"] as const) {
    Deno.test(`${name}: logits, loss and every gradient are PyTorch's (${kind} kernels)`, async () => {
      const device = devices[kind]!;
      const model = await fixtureModel(device, name);
      const expected = expectedOf(name);
      using file = tensorsOf(name);
      using _scope = device.scope();
      const { ids, targets } = batchOf(device, expected);

      const logits = await noGrad(() => model.forward(ids)).read();
      const { data } = file.read("logits");
      const most = data.reduce(
        (most, value, i) => Math.max(most, Math.abs(value - logits[i])),
        0,
      );
      assert(most <= 1e-4, `the logits are off by ${most}`);

      const loss = model.loss(ids, targets);
      assertAlmostEquals(await loss.item(), expected.loss, 1e-5);
      backward(loss);
      for (const [path, { grad }] of parameters(model)) {
        assert(grad, `${path} has no gradient`);
        const { data } = file.read(`gradient.${path}`);
        const distance = relativeDistance(await grad.read(), data);
        const limit = 1e-3;
        assert(distance <= limit, `the gradient of ${path} is ${distance} off`);
      }
    });

    Deno.test(`${name}: 200 tokens, each the likeliest, are PyTorch's (${kind} kernels)`, async () => {
      const device = devices[kind]!;
      const expected = expectedOf(name);
      const model = await fixtureModel(device, name);
      assertEquals(await greedy(device, model, expected), expected.written);
    });
  }

  Deno.test(`${name} has as many parameters as counted`, async () => {
    const model = await fixtureModel(devices.best!, name);
    let count = 0;
    for (const { size } of parameters(model).values()) count += size;
    assertEquals(llamaParameterCount(model.config), count);
  });

  Deno.test(`${name} learns, and a step gives back all memory it took`, async () => {
    const device = devices.best!;
    const model = await fixtureModel(device, name);
    using optimizer = new AdamW(parameters(model), { weightDecay: 0 });
    const losses: number[] = [];
    const used: number[] = [];
    for (let step = 0; step < 12; step++) {
      {
        using _scope = device.scope();
        const { ids, targets } = batchOf(device, expectedOf(name));
        const loss = model.loss(ids, targets);
        backward(loss);
        optimizer.step(1e-2);
        losses.push(await loss.item());
      }
      used.push(device.bytesInUse);
    }
    assert(losses[11] < losses[0] - 1, `${losses}`);
    assertEquals(new Set(used.slice(1)).size, 1, `${used}`);
  });

  for (const recompute of ["mlp", "block"] as const) {
    Deno.test(`${name} gives the same gradients when the ${recompute} is computed again`, async () => {
      const device = devices.best!;
      const gradients = async (options: ModelOptions) => {
        using _scope = device.scope();
        const model = await fixtureModel(device, name, options);
        const { ids, targets } = batchOf(device, expectedOf(name));
        backward(model.loss(ids, targets));
        const read = [];
        for (const { grad } of parameters(model).values()) {
          read.push(await grad!.read());
        }
        return read;
      };
      assertEquals(await gradients({ recompute }), await gradients({}));
    });
  }

  Deno.test({
    name: `${name} in f16 is near PyTorch's, its gradients too`,
    ignore: !hasHalves,
    fn: () => nearInHalves(name),
  });
}

Deno.test("writing takes memory for the text to come, not for a block", async () => {
  const device = devices.best!;
  const model = await fixtureModel(device, "llama3");
  const asked: number[] = [];
  const cache = model.cache.bind(model);
  model.cache = (batch, capacity) => {
    asked.push(capacity ?? Infinity);
    return cache(batch, capacity);
  };
  const { prompt, written } = expectedOf("llama3");
  const short = { ...expectedOf("llama3"), written: written.slice(0, 20) };
  assertEquals(await greedy(device, model, short), short.written);
  assertEquals(asked, [prompt.length + 20]);
});

async function nearInHalves(name: string): Promise<void> {
  const device = devices.best!;
  const model = await fixtureModel(device, name, { dtype: "f16" });
  const expected = expectedOf(name);
  using file = tensorsOf(name);
  using _scope = device.scope();
  const { ids, targets } = batchOf(device, expected);
  const logits = await noGrad(() => model.forward(ids)).read();
  const off = relativeDistance(logits, file.read("logits").data);
  assert(off <= 5e-3, `the logits are ${off} off`);
  backward(model.loss(ids, targets), 1024);
  for (const [path, { grad }] of parameters(model)) {
    const seen = (await grad!.read()).map((value) => value / 1024);
    const { data } = file.read(`gradient.${path}`);
    const off = relativeDistance(seen, data);
    assert(off <= 3e-2, `the gradient of ${path} is ${off} off`);
  }
}
