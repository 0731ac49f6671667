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
import { type BenchModel, NARROW, untrained, wantedModels } from "./models.ts";
import { type BenchOptions, median, wanted } from "./report.ts";
import { tuneFor } from "./tuning.ts";

/** How long to measure. */
interface Patience {
  /** Steps before it counts, and steps that are waited for one by one. */
  readonly steps: number;
  /** Seconds after which there are no more of those. */
  readonly most: number;
  /** Stretches of steps that are waited for once. */
  readonly windows: number;
  /** Seconds of such a stretch, or one step if that takes longer. */
  readonly window: number;
}

const PATIENT: Patience = { steps: 8, most: 6, windows: 5, window: 2 };
const SHORT_STEPS: Patience = { steps: 200, most: 6, windows: 0, window: 0 };
const QUICK: Patience = { steps: 2, most: 1, windows: 1, window: 0 };

/** Measures tokens in a second, and what the host and the memory do meanwhile. */
export async function train(options: BenchOptions): Promise<void> {
  const { report, quick } = options;
  for (const model of wantedModels(options)) {
    using device = await Device.open();
    report({ adapter: device.adapter.name, subgroup: device.subgroupSize });
    await tuneFor(device, options, () => stepsOf(device, model).next(1));
    const measured = await run(device, model, quick ? QUICK : PATIENT);
    report({ training: model.name, ...measured.speed });
    report({ host: model.name, ...measured.host });
    report({ memory: model.name, ...measured.memory });
  }
  if (quick || !wanted(NARROW.name, options.filters)) return;
  // Where a GPU computes, the host's caches are its own, and nothing is copied.
  using device = await Device.open({ subgroups: false });
  const { host } = await run(device, NARROW, SHORT_STEPS);
  report({ host: `${NARROW.name}, kernels for GPUs`, ...host });
}

async function run(device: Device, model: BenchModel, patience: Patience) {
  const steps = stepsOf(device, model);
  const first = await seconds(() => steps.next(1));
  await repeat(patience, () => steps.next(1));
  const warm = device.counters;

  // Stretches of steps are waited for once, at their end.
  const stretches: number[] = [];
  let step = await seconds(() => steps.next(1));
  while (stretches.length < patience.windows) {
    const count = Math.max(1, Math.ceil(patience.window / step));
    step = await seconds(() => steps.next(count)) / count;
    stretches.push(step);
  }
  const { queued, counted } = await alone(device, steps, patience);
  const tokens = model.batchSize * model.config.blockSize;
  const { buffers, bindGroups } = device.counters;
  return {
    speed: {
      "median tokens/s": tokens / median(stretches),
      "best tokens/s": tokens / Math.min(...stretches),
      "median ms/step": 1e3 * median(stretches),
      "first step s": first,
    },
    host: {
      "host ms/step": 1e3 * queued,
      "dispatches/step": counted.dispatches,
      "host us/dispatch": 1e6 * queued / counted.dispatches,
      "submits/step": counted.submits,
    },
    memory: {
      "peak MiB": device.bytesPeak / 2 ** 20,
      "held MiB": device.bytesReserved / 2 ** 20,
      "largest binding MiB": device.counters.largestBinding / 2 ** 20,
      buffers,
      "bind groups": bindGroups,
      "made after warm-up": buffers - warm.buffers + bindGroups -
        warm.bindGroups,
    },
  };
}

/** The seconds from nothing to the loss of a first step. */
export async function firstStep(model: BenchModel): Promise<number> {
  return await seconds(async () => {
    using device = await Device.open();
    await stepsOf(device, model).next(1);
  });
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
  patience: Patience,
): Promise<{ queued: number; counted: Counters }> {
  let queued = Infinity;
  let counted = device.counters;
  await repeat(patience, async () => {
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
  });
  return { queued, counted };
}

/** Does something so many times, or until it has taken long enough. */
async function repeat(
  { steps, most }: Patience,
  work: () => Promise<unknown>,
): Promise<void> {
  const start = performance.now();
  for (let taken = 0; taken < steps; taken++) {
    await work();
    if (performance.now() - start > 1000 * most) return;
  }
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
