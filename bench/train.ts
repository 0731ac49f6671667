/**
 * What training costs: whole steps, with loss, gradients, clipping and update.
 *
 * @module
 */

import { RandomCrops } from "../lib/data/random_crops.ts";
import { type Counters, Device } from "../lib/gpu/device.ts";
import { parameters } from "../lib/nn/parameters.ts";
import { AdamW } from "../lib/optim/adamw.ts";
import { constantSchedule } from "../lib/optim/schedule.ts";
import { Random } from "../lib/random.ts";
import { train as trainSteps } from "../lib/train/train.ts";
import { type BenchModel, MODELS, untrained } from "./models.ts";
import { type BenchOptions, wanted } from "./report.ts";

const WARM_UP = 8; // steps
const WINDOWS = 4;
const WINDOW = 2; // seconds
const ALONE = 8; // steps that are waited for one by one

/** Measures tokens in a second, and what the host and the memory do meanwhile. */
export async function train({ report, filters }: BenchOptions): Promise<void> {
  for (const model of MODELS.filter(({ name }) => wanted(name, filters))) {
    using device = await Device.open();
    report({ adapter: device.adapter.name, subgroup: device.subgroupSize });
    const { speed, host, memory } = await run(device, model);
    report({ training: model.name, ...speed });
    report({ host: model.name, ...host });
    report({ memory: model.name, ...memory });
  }
}

async function run(device: Device, model: BenchModel) {
  const steps = stepsOf(device, model);
  const first = await seconds(() => steps.next(1));
  await steps.next(WARM_UP);
  const warm = device.counters;

  // Windows are waited for once, at their end; the best counts.
  let best = Infinity;
  let each = Math.ceil(WINDOW / await seconds(() => steps.next(1)));
  for (let window = 0; window < WINDOWS; window++) {
    best = Math.min(best, await seconds(() => steps.next(each)) / each);
    each = Math.max(1, Math.ceil(WINDOW / best));
  }
  const { queued, counted } = await alone(device, steps);
  const { vocabSize: _, ...sizes } = model.config;
  const tokens = model.batchSize * sizes.blockSize;
  const { buffers, bindGroups } = device.counters;
  return {
    speed: {
      "tokens/s": Math.round(tokens / best),
      "ms/step": 1e3 * best,
      "first s": first,
    },
    host: {
      "ms/step": 1e3 * queued,
      dispatches: counted.dispatches,
      "us/dispatch": 1e6 * queued / counted.dispatches,
      submits: counted.submits,
    },
    memory: {
      "peak MiB": device.bytesPeak / 2 ** 20,
      "held MiB": device.bytesReserved / 2 ** 20,
      buffers,
      "bind groups": bindGroups,
      "made since": buffers - warm.buffers + bindGroups - warm.bindGroups,
    },
  };
}

/** A run that takes as many steps as it is told and then waits for the GPU. */
function stepsOf(device: Device, model: BenchModel) {
  const random = new Random(2);
  const { vocabSize, blockSize } = model.config;
  const text = Uint32Array.from(
    { length: 1 << 16 },
    () => random.integer(vocabSize),
  );
  const gpt = untrained(device, model);
  const { batchSize } = model;
  const run = trainSteps({
    device,
    model: gpt,
    optimizer: new AdamW(parameters(gpt)),
    batches: new RandomCrops(text, { batchSize, blockSize, random }),
    schedule: constantSchedule(1e-4),
    steps: Infinity,
  });
  return {
    async next(count: number): Promise<void> {
      for (let taken = 1;; taken++) {
        const { value } = await run.next();
        if (taken < count) continue;
        await value.read();
        return;
      }
    },
    /** Queues one step, and gives the way to wait for it. */
    async queue(): Promise<() => Promise<unknown>> {
      const { value } = await run.next();
      return () => value.read();
    },
  };
}

/** What the host does for one step while the GPU has nothing to do. */
async function alone(
  device: Device,
  steps: ReturnType<typeof stepsOf>,
): Promise<{ queued: number; counted: Counters }> {
  let queued = Infinity;
  let counted = device.counters;
  for (let step = 0; step < ALONE; step++) {
    const before = device.counters;
    const start = performance.now();
    const read = await steps.queue();
    queued = Math.min(queued, (performance.now() - start) / 1000);
    const after = device.counters;
    counted = {
      ...after,
      dispatches: after.dispatches - before.dispatches,
      submits: after.submits - before.submits,
    };
    await read();
  }
  return { queued, counted };
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
