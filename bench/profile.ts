/**
 * What every kernel takes in a step of training and in writing, with a trace.
 *
 * @module
 */

import { join } from "node:path";
import { Profiling } from "../cli/profiling.ts";
import { RandomCrops } from "../lib/data/random_crops.ts";
import { generate } from "../lib/generate/generate.ts";
import { Device } from "../lib/gpu/device.ts";
import { makeFolder } from "../lib/io/atomic.ts";
import { parameters } from "../lib/nn/parameters.ts";
import { AdamW } from "../lib/optim/adamw.ts";
import { constantSchedule } from "../lib/optim/schedule.ts";
import { Random } from "../lib/random.ts";
import { train } from "../lib/train/train.ts";
import { type BenchModel, MODELS, TINY, untrained } from "./models.ts";
import { type BenchOptions, wanted } from "./report.ts";

const WARM_UP = 3; // steps
const STEPS = 5;
const WRITTEN = 32; // tokens
const FOLDER = "out";

/** Prints a table and writes a trace for each model, training and writing. */
export async function profile(
  { filters, quick }: BenchOptions,
): Promise<void> {
  const works = { training, writing };
  makeFolder(FOLDER);
  for (const model of quick ? [TINY] : MODELS) {
    for (const [what, run] of Object.entries(works)) {
      const name = `${what} ${model.name}`;
      if (!wanted(name, filters)) continue;
      using device = await Device.open();
      console.log(`${name}, on ${device.adapter.name}`);
      const path = join(FOLDER, `trace ${name}.json`.replaceAll(" ", "-"));
      await run(device, model, path);
      console.log();
    }
  }
}

async function training(
  device: Device,
  model: BenchModel,
  path: string,
): Promise<void> {
  const gpt = untrained(device, model);
  const { batchSize, config: { blockSize, vocabSize } } = model;
  const random = new Random(2);
  const text = Uint32Array.from(
    { length: 1 << 14 },
    () => random.integer(vocabSize),
  );
  const steps = train({
    device,
    model: gpt,
    optimizer: new AdamW(parameters(gpt)),
    batches: new RandomCrops(text, { batchSize, blockSize, random }),
    schedule: constantSchedule(1e-4),
    steps: WARM_UP + STEPS,
  });
  let profiling: Profiling | null = null;
  for await (const step of steps) {
    if (step.step !== WARM_UP) continue;
    await step.read();
    profiling = await Profiling.start(device, console.log);
  }
  await profiling?.finish(path, console.log);
}

async function writing(
  device: Device,
  bench: BenchModel,
  path: string,
): Promise<void> {
  const model = untrained(device, bench);
  const prompt = new Uint32Array(bench.config.blockSize / 2).fill(1);
  const write = async () => {
    const ids = generate({
      device,
      model,
      prompt,
      maxNewTokens: Math.min(WRITTEN, prompt.length),
      random: new Random(3),
    });
    for await (const _id of ids);
  };
  await write();
  const profiling = await Profiling.start(device, console.log);
  await write();
  await profiling?.finish(path, console.log);
}
