import { assert, assertEquals } from "@std/assert";
import { blankBatch } from "../../lib/data/batch.ts";
import { Device } from "../../lib/gpu/device.ts";
import { planningDevice } from "../../lib/gpu/plan.ts";
import { parameters } from "../../lib/nn/parameters.ts";
import { AdamW } from "../../lib/optim/adamw.ts";
import { constantSchedule } from "../../lib/optim/schedule.ts";
import { Random } from "../../lib/random.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";
import { generate } from "../../lib/generate/generate.ts";
import { planTraining } from "../../lib/train/plan.ts";
import { nextTokenLoss, train } from "../../lib/train/train.ts";
import { GPT2 } from "../../models/gpt2.ts";
import type { ModelOptions } from "../../models/pass.ts";
import type { GPT2Config } from "../../models/gpt2_config.ts";
import { bothDevices } from "../both_devices.ts";

const devices = bothDevices();

const TINY: GPT2Config = {
  vocabSize: 301,
  blockSize: 24,
  nLayer: 2,
  nHead: 2,
  nEmbd: 36,
};

/** Ways of training, by what they are to show. */
const WAYS: Readonly<
  Record<
    string,
    {
      config?: Partial<GPT2Config>;
      options?: ModelOptions;
      batchSize?: number;
      gradientAccumulationSteps?: number;
      subgroups?: boolean;
    }
  >
> = {
  "a small model": {},
  "a wide one with a large vocabulary": {
    config: { vocabSize: 2003, nEmbd: 64, nLayer: 1 },
  },
  "dropout and no biases": { config: { dropout: 0.1, bias: false } },
  "batches averaged": { gradientAccumulationSteps: 3, batchSize: 2 },
  "long blocks": { config: { blockSize: 200 }, batchSize: 1 },
  "blocks computed again": {
    config: { nLayer: 4 },
    options: { recompute: "block" },
  },
  "MLPs computed again": { options: { recompute: "mlp" } },
  "half precision": { options: { dtype: "f16" } },
  "the kernels for GPUs": { subgroups: false },
};

for (
  const [way, { config, options, batchSize = 3, ...rest }] of Object.entries(
    WAYS,
  )
) {
  Deno.test(`the plan is what training takes: ${way}`, async () => {
    using device = await Device.open({ subgroups: rest.subgroups ?? true });
    const half = options?.dtype === "f16";
    if (half && !device.features.has("shader-f16")) return;
    const optimized = { lossScale: half ? {} : null };
    const sizes = { ...TINY, ...config };
    const { blockSize, dropout = 0 } = sizes;
    const { gradientAccumulationSteps } = rest;
    const plan = await planTraining({
      device,
      model: (device) => new GPT2({ device, random: null }, sizes, options),
      optimizer: (parameters) => new AdamW(parameters, optimized),
      batch: blankBatch(batchSize, blockSize),
      objective: nextTokenLoss,
      gradientAccumulationSteps,
      dropout: dropout > 0,
    });
    assertEquals(device.bytesReserved, 0);

    const random = new Random(7);
    const model = new GPT2({ device, random }, sizes, options);
    const ids = Uint32Array.from(
      { length: batchSize * blockSize },
      () => random.integer(sizes.vocabSize),
    );
    const shape: [number, number] = [batchSize, blockSize];
    const steps = train({
      device,
      model,
      optimizer: new AdamW(parameters(model), optimized),
      batches: { next: () => ({ inputs: ids, targets: ids, shape }) },
      schedule: constantSchedule(1e-3),
      steps: 4,
      gradientAccumulationSteps,
      random: dropout > 0 ? random : undefined,
    });
    for await (const step of steps) if (step.step === 4) await step.read();
    assertEquals(plan.peak, device.bytesPeak);
    assertEquals(plan.reserved, device.bytesReserved + device.images.bytes);
    assertEquals(plan.largestBinding, device.counters.largestBinding);
    assertEquals(plan.largestBuffer, device.largestBuffer);
    const { parameters: held, gradients, optimizer, activations, other } = plan;
    assertEquals(held + gradients + optimizer + activations + other, plan.peak);
    const least = Math.min(held, gradients, optimizer, activations, other);
    assert(least > 0, JSON.stringify(plan));
  });
}

Deno.test("a plan counts what is written between steps", async () => {
  using device = await Device.open();
  const config = { ...TINY, nEmbd: 256, nHead: 4 };
  const write = async (device: Device, model: GPT2) => {
    const prompt = Uint32Array.of(1);
    const options = { device, model, prompt, random: new Random(2) };
    for await (const _id of generate({ ...options, maxNewTokens: 9 }));
  };
  const plan = await planTraining({
    device,
    model: (device) => new GPT2({ device, random: null }, config),
    optimizer: (parameters) => new AdamW(parameters),
    batch: blankBatch(1, config.blockSize),
    objective: nextTokenLoss,
    between: write,
  });
  const model = new GPT2({ device, random: new Random(1) }, config);
  const steps = train({
    device,
    model,
    optimizer: new AdamW(parameters(model)),
    batches: { next: () => blankBatch(1, config.blockSize) },
    schedule: constantSchedule(1e-3),
    steps: 3,
  });
  for await (const step of steps) if (step.step === 3) await step.read();
  assertEquals(plan.peak, device.bytesPeak);
  const before = device.bytesReserved + device.images.bytes;
  await write(device, model);
  assertEquals(plan.reserved, device.bytesReserved + device.images.bytes);
  assert(plan.reserved > before);
});

Deno.test("the parts of a plan follow from the sizes", async () => {
  // Powers of two, which the pool does not round.
  const sizes = { vocabSize: 256, blockSize: 64, nHead: 2, nEmbd: 64 };
  const planned = (nLayer: number, batchSize: number) =>
    planTraining({
      device: devices.best!,
      model: (device) =>
        new GPT2({ device, random: null }, { ...sizes, nLayer }),
      optimizer: (parameters) => new AdamW(parameters),
      batch: blankBatch(batchSize, sizes.blockSize),
      objective: nextTokenLoss,
    });
  const close = (a: number, b: number) =>
    assert(Math.abs(a / b - 1) < 0.05, `${a} for ${b}`);
  const [few, some, many] = [
    await planned(2, 16),
    await planned(2, 32),
    await planned(2, 64),
  ];
  const deep = await planned(4, 32);
  assertEquals(some.parameters, few.parameters);
  close(some.gradients, some.parameters);
  close(some.optimizer, 2 * some.parameters);
  // Every row of a batch, and every layer, takes the same again.
  const grown = some.activations - few.activations;
  close(many.activations - some.activations, 2 * grown);
  const perLayer = (deep.activations - some.activations) / 2;
  const rows = 32 * sizes.blockSize;
  // A layer keeps at least what its products read: 9 vectors of each position.
  assert(perLayer >= 4 * rows * 9 * sizes.nEmbd, `${perLayer}`);
  assert(perLayer <= 4 * rows * 32 * sizes.nEmbd, `${perLayer}`);
  assert(deep.dispatches > 1.4 * some.dispatches);
});

Deno.test("planning a large model takes no memory for its weights", async () => {
  const before = Deno.memoryUsage();
  const config = {
    vocabSize: 50257,
    blockSize: 1024,
    nLayer: 12,
    nHead: 12,
    nEmbd: 768,
  };
  const plan = await planTraining({
    device: devices.best!,
    model: (device) => new GPT2({ device, random: null }, config),
    optimizer: (parameters) => new AdamW(parameters),
    batch: blankBatch(1, 1024),
    objective: nextTokenLoss,
  });
  const after = Deno.memoryUsage();
  const bytes = 4 * 124_439_808;
  assert(plan.parameters >= bytes && plan.parameters < 1.3 * bytes);
  assert(after.rss - before.rss < bytes / 4, `${after.rss - before.rss} bytes`);
});

Deno.test("a planning device runs everything and computes nothing", async () => {
  const device = devices.best!;
  const { dispatches } = device.counters;
  using plan = planningDevice(device);
  assertEquals(plan.adapter, device.adapter);
  assertEquals(plan.subgroupSize, device.subgroupSize);
  using x = Tensor.ones(plan, [5]);
  assertEquals([...await x.read()], [0, 0, 0, 0, 0]);
  assertEquals(plan.counters.dispatches, 1);
  assertEquals(device.counters.dispatches, dispatches);
});
