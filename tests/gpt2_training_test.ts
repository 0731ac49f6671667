/**
 * A small GPT-2 in training: it learns, repeats itself, and notices what is wrong.
 */

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertThrows,
} from "@std/assert";
import { Device } from "../lib/gpu/device.ts";
import { parameters } from "../lib/nn/parameters.ts";
import { AdamW } from "../lib/optim/adamw.ts";
import { Random } from "../lib/random.ts";
import { backward } from "../lib/tensor/backward.ts";
import { noGrad } from "../lib/tensor/tape.ts";
import type { Parameter } from "../lib/tensor/parameter.ts";
import { readAll, Tensor } from "../lib/tensor/tensor.ts";
import { GPT2 } from "../models/gpt2.ts";
import type { GPT2Config } from "../models/gpt2_config.ts";
import { relativeDistance } from "./ops/case.ts";

const config: GPT2Config = {
  vocabSize: 65,
  blockSize: 16,
  nLayer: 2,
  nHead: 3,
  nEmbd: 48,
};

let device: Device;

Deno.test.beforeAll(async () => {
  device = await Device.open();
});

Deno.test.afterAll(() => device[Symbol.dispose]());

/** An untrained model and its parameters. */
function toy(
  seed: number,
  more: Partial<GPT2Config> = {},
): { model: GPT2; own: Map<string, Parameter> } {
  const init = { device, random: new Random(seed) };
  const model = new GPT2(init, { ...config, ...more });
  return { model, own: parameters(model) };
}

/** Random tokens, and those that follow them. */
function batch(seed: number, rows = 4): { ids: Tensor; targets: Tensor } {
  const random = new Random(seed);
  const time = config.blockSize;
  const ids = new Uint32Array(rows * time);
  const targets = new Uint32Array(rows * time);
  for (let row = 0; row < rows; row++) {
    const text = Uint32Array.from(
      { length: time + 1 },
      () => random.integer(config.vocabSize),
    );
    ids.set(text.subarray(0, time), row * time);
    targets.set(text.subarray(1), row * time);
  }
  return {
    ids: Tensor.from(device, ids, [rows, time]),
    targets: Tensor.from(device, targets, [rows, time]),
  };
}

/** Learns one batch by heart, and gives the losses on the way. */
async function train(
  seed: number,
  count: number,
  dropout = 0,
): Promise<number[]> {
  const { model, own } = toy(seed, { dropout });
  const random = dropout > 0 ? new Random(seed) : undefined;
  using optimizer = new AdamW(own, { weightDecay: 0 });
  const losses: Tensor[] = [];
  for (let step = 0; step < count; step++) {
    using _scope = device.scope();
    const { ids, targets } = batch(3);
    const loss = model.loss(ids, targets, { random });
    backward(loss);
    optimizer.step(3e-3);
    losses.push(loss.keep());
  }
  return (await readAll(losses)).map(([loss]) => loss);
}

Deno.test("an untrained model gives every token the same chance", async () => {
  for (const seed of [1, 2, 3]) {
    using _scope = device.scope();
    const { ids, targets } = batch(seed);
    const loss = noGrad(() => toy(seed).model.loss(ids, targets));
    assertAlmostEquals(await loss.item(), Math.log(config.vocabSize), 0.05);
  }
});

Deno.test("a batch is learned by heart in 300 steps", async () => {
  const losses = await train(1, 300);
  assert(losses[299] < 0.01, `the loss only fell to ${losses[299]}`);
});

for (const dropout of [0, 0.2]) {
  Deno.test(`a run with dropout ${dropout} repeats bit for bit, and another seed does not`, async () => {
    const losses = await train(7, 100, dropout);
    assertEquals(await train(7, 100, dropout), losses);
    const others = await train(8, 100, dropout);
    assert(losses.every((loss, step) => loss !== others[step]));
  });
}

Deno.test("dropout is for training alone", async () => {
  using _scope = device.scope();
  const { ids } = batch(1);
  const { model } = toy(1, { dropout: 0.5 });
  const evaluated = await model.forward(ids).read();
  assertEquals(await toy(1).model.forward(ids).read(), evaluated);
  const trained = model.forward(ids, { random: new Random(1) });
  assert(relativeDistance(await trained.read(), evaluated) > 0.1);
});

Deno.test("four batches of 8 accumulate to the gradients of one of 32", async () => {
  using _scope = device.scope();
  const { ids, targets } = batch(5, 32);
  const [whole, parts] = [toy(2), toy(2)];
  const loss = whole.model.loss(ids, targets);
  backward(loss);
  const [hostIds, hostTargets] = await readAll([ids, targets]);
  const losses: Tensor[] = [];
  for (let part = 0; part < 4; part++) {
    const [some, theirs] = [hostIds, hostTargets].map((numbers) =>
      Tensor.from(device, numbers.slice(part * 128, (part + 1) * 128), [8, 16])
    );
    const loss = parts.model.loss(some, theirs);
    backward(loss, 1 / 4);
    losses.push(loss);
  }
  const each = await readAll(losses);
  const average = each.reduce((sum, [loss]) => sum + loss / 4, 0);
  assertAlmostEquals(average, await loss.item(), 1e-6);
  for (const [name, { grad }] of whole.own) {
    const [expected, actual] = await readAll([
      grad!,
      parts.own.get(name)!.grad!,
    ]);
    const distance = relativeDistance(actual, expected);
    assert(distance <= 1e-5, `the gradient of ${name} is off by ${distance}`);
  }
});

Deno.test("a model without biases is one whose biases are zero", async () => {
  using _scope = device.scope();
  const { ids } = batch(1);
  const [without, zero] = [toy(4, { bias: false }), toy(4)];
  assertEquals(
    [...without.own.keys()],
    [...zero.own.keys()].filter((name) => !name.endsWith("bias")),
  );
  assertEquals(
    await without.model.forward(ids).read(),
    await zero.model.forward(ids).read(),
  );
});

Deno.test("training takes no memory after the first steps", async () => {
  const { model, own } = toy(1, { dropout: 0.1 });
  const random = new Random(1);
  using optimizer = new AdamW(own);
  const seen: unknown[] = [];
  for (let step = 0; step < 12; step++) {
    {
      using _scope = device.scope();
      const { ids, targets } = batch(step);
      const loss = model.loss(ids, targets, { random });
      backward(loss);
      optimizer.step(1e-3);
      await loss.item();
    }
    const { bytesInUse, bytesReserved } = device;
    const { buffers, bindGroups } = device.counters;
    seen.push({ bytesInUse, bytesReserved, buffers, bindGroups });
  }
  assertEquals(seen.slice(3), seen.slice(3).map(() => seen[2]));
});

for (const poison of [NaN, Infinity]) {
  Deno.test(`a weight of ${poison} stops the optimizer, which names the step`, async () => {
    const { model, own } = toy(1);
    using optimizer = new AdamW(own);
    const step = async () => {
      using _scope = device.scope();
      const { ids, targets } = batch(2);
      backward(model.loss(ids, targets));
      optimizer.step(1e-3);
      return [...await optimizer.status.read()];
    };
    assertEquals((await step())[2], 0);
    assertEquals((await step())[2], 0);
    const wte = own.get("wte.weight")!;
    const data = Float32Array.from(await wte.read());
    const { ids } = batch(2);
    wte.write(data.with((await ids.read())[0] * 48, poison));
    const moved = [...own.values(), ...optimizer.moments.values()].flatMap(
      (value) => value instanceof Tensor ? [value] : [value.m, value.v],
    );
    const before = await readAll(moved);
    assertEquals((await step())[2], 3);
    assertEquals((await step())[2], 3);
    assertEquals(await readAll(moved), before);
  });
}

Deno.test("a model refuses what it cannot read", () => {
  using _scope = device.scope();
  const { model } = toy(1);
  const ids = (...shape: number[]) => Tensor.zeros(device, shape, "u32");
  assertThrows(() => model.forward(ids(1, 17)), RangeError, "16");
  assertThrows(() => model.forward(ids(5)), RangeError, "[5]");
  assertThrows(() => model.loss(ids(1, 4), ids(1, 5)), RangeError, "[1,5]");
  assertThrows(() => toy(1, { nHead: 5 }), RangeError, "5");
  assertThrows(() => toy(1, { nLayer: 0.5 }), RangeError, "nLayer");
});
