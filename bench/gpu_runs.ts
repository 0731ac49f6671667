/**
 * Whole runs on a GPU: steps of training GPT-2, and writing.
 *
 * @module
 */

import { prepareTuning, settleTuning } from "../cli/tuning_store.ts";
import { blankBatch } from "../lib/data/batch.ts";
import { Device } from "../lib/gpu/device.ts";
import { parameters } from "../lib/nn/parameters.ts";
import { AdamW } from "../lib/optim/adamw.ts";
import { constantSchedule } from "../lib/optim/schedule.ts";
import { Random } from "../lib/random.ts";
import { planTraining } from "../lib/train/plan.ts";
import { nextTokenLoss, type Step, train } from "../lib/train/train.ts";
import { GPT2 } from "../models/gpt2.ts";
import type { ModelOptions } from "../models/pass.ts";
import { GPT2_PRESETS, type GPT2Config } from "../models/gpt2_config.ts";
import { secondsToWrite } from "./generate.ts";
import { TINY } from "./models.ts";
import { type BenchOptions, median, wanted } from "./report.ts";
import { tuneFor } from "./tuning.ts";

/** A model to train or to write with. */
interface Run {
  readonly name: string;
  readonly config: GPT2Config;
  readonly batchSize: number;
  /** Positions of a row of its batches. */
  readonly time: number;
}

const VOCABULARY = 50257;
const WARM_UP = 5; // steps
const STEPS = 20;
const WRITTEN = 256; // tokens

/** GPT-2 and its medium sister, 512 tokens a step, and as they were trained. */
const RUNS: readonly Run[] = ["gpt2", "gpt2-medium"].flatMap((name) =>
  [[1, 512], [4, 1024]].map(([batchSize, time]) => ({
    name: `${name} B${batchSize} T${time}`,
    config: { ...GPT2_PRESETS[name], vocabSize: VOCABULARY },
    batchSize,
    time,
  }))
);

/** What a software adapter can do in its place. */
const SMALL: Run = { ...TINY, time: TINY.config.blockSize };

/** Measures steps of training in f32 and f16, and tokens written in a second. */
export async function gpuRuns(options: BenchOptions): Promise<void> {
  const { report, filters, quick } = options;
  using device = await Device.open();
  const small = quick || device.adapter.software;
  const runs = small ? [SMALL] : RUNS;
  const f16 = device.features.has("shader-f16");
  for (const run of runs) {
    for (const dtype of f16 ? ["f32", "f16"] as const : ["f32"] as const) {
      const name = `training ${run.name} ${dtype}`;
      if (!wanted(name, filters)) continue;
      report({ gpu: name, ...await steps(run, { dtype }, options) });
    }
  }
  const [writer] = runs;
  for (const dtype of f16 ? ["f32", "f16"] as const : ["f32"] as const) {
    const name = `writing ${writer.name} ${dtype}`;
    if (!wanted(name, filters)) continue;
    report({ gpu: name, ...await writing(writer, { dtype }, options) });
  }
  if (small) {
    report({ skipped: "training and writing with GPT-2 124M, medium" });
  }
}

/** Times steps, each waited for, and as they follow each other. */
async function steps(
  { config, batchSize, time }: Run,
  how: ModelOptions,
  { tune = "auto" }: BenchOptions,
) {
  using device = await Device.open();
  prepareTuning(device, tune);
  const model = (device: Device) =>
    new GPT2({ device, random: null }, config, how);
  const plan = await planTraining({
    device,
    model,
    optimizer: (parameters) => new AdamW(parameters),
    batch: blankBatch(batchSize, time),
    objective: nextTokenLoss,
  });
  await settleTuning(device, plan.untuned, console.error);
  const random = new Random(1);
  const gpt = new GPT2({ device, random }, config, how);
  const ids = Uint32Array.from(
    { length: batchSize * time },
    () => random.integer(config.vocabSize),
  );
  const shape: [number, number] = [batchSize, time];
  const run = train({
    device,
    model: gpt,
    optimizer: new AdamW(parameters(gpt)),
    batches: { next: () => ({ inputs: ids, targets: ids, shape }) },
    schedule: constantSchedule(1e-4),
    steps: Infinity,
  });
  const next = async () => (await run.next()).value as Step;
  for (let step = 0; step < WARM_UP; step++) await (await next()).read();

  const before = device.counters;
  const start = performance.now();
  let last: Step | undefined;
  for (let step = 0; step < STEPS; step++) last = await next();
  await last!.read();
  const seconds = (performance.now() - start) / 1000 / STEPS;
  const after = device.counters;
  const dispatches = (after.dispatches - before.dispatches) / STEPS;

  using profiler = await device.profile();
  const busy: number[] = [];
  for (let step = 0; profiler !== null && step < 5; step++) {
    await (await next()).read();
    const { slices } = await profiler.read();
    busy.push(slices.reduce((sum, { duration }) => sum + duration, 0) / 1000);
  }
  return {
    "ms/step": 1e3 * seconds,
    "tokens/s": batchSize * time / seconds,
    "GPU ms/step": busy.length > 0 ? median(busy) : NaN,
    dispatches,
    "host us/dispatch": 1e3 * (after.recording - before.recording) / STEPS /
      dispatches,
    "peak MiB": device.bytesPeak / 2 ** 20,
    "planned MiB": plan.peak / 2 ** 20,
    "largest binding MiB": after.largestBinding / 2 ** 20,
  };
}

/** Times one text after a short prompt. */
async function writing(
  { config }: Run,
  how: ModelOptions,
  options: BenchOptions,
) {
  using device = await Device.open();
  const model = new GPT2({ device, random: new Random(1) }, config, how);
  const count = Math.min(WRITTEN, config.blockSize / 2);
  const write = (prompt: number, count: number) =>
    secondsToWrite(device, model, { prompt, count, temperature: 0 });
  const prompt = config.blockSize / 2;
  await tuneFor(device, options, () => write(prompt, count));
  await write(prompt, count); // compiles
  const firsts: number[] = [];
  const wholes: number[] = [];
  for (let round = 0; round < 5; round++) {
    firsts.push(await write(prompt, 1));
    wholes.push(await write(prompt, count));
  }
  const first = median(firsts);
  return {
    "prompt ms": 1e3 * first,
    "tokens/s": (count - 1) / (median(wholes) - first),
  };
}
