/**
 * What training a part of a model costs beside training all of it: steps of each
 * way in turns, and what is held for them.
 *
 * @module
 */

import { RandomCrops } from "../lib/data/random_crops.ts";
import { Device } from "../lib/gpu/device.ts";
import { freezeBut, trainedOf } from "../lib/nn/freeze.ts";
import { parameters } from "../lib/nn/parameters.ts";
import { AdamW } from "../lib/optim/adamw.ts";
import { constantSchedule } from "../lib/optim/schedule.ts";
import { Random } from "../lib/random.ts";
import { train } from "../lib/train/train.ts";
import { GPT2 } from "../models/gpt2.ts";
import { addLoRA } from "../models/lora.ts";
import { MODELS, TINY } from "./models.ts";
import { type BenchOptions, wanted } from "./report.ts";

/** What may train, by the name it has in the results. */
const WAYS: Readonly<Record<string, (model: GPT2, device: Device) => unknown>> =
  {
    "all": (model) => freezeBut(model, "all"),
    "last block": (model) => freezeBut(model, "last-block"),
    "LoRA, rank 8": (model, device) =>
      addLoRA(model, { device, random: new Random(3) }),
    "DoRA, rank 8": (model, device) =>
      addLoRA(model, { device, random: new Random(3) }, { dora: true }),
  };

const TURNS = 12;

/** Measures each way beside the first; six layers of 384 channels, 4 rows of 256. */
export async function finetune(
  { report, filters, quick }: BenchOptions,
): Promise<void> {
  const ways = Object.keys(WAYS)
    .filter((name, i) => i === 0 || wanted(name, filters));
  using held = new DisposableStack();
  const runs: { name: string; run: Run }[] = [];
  for (const name of ways) {
    const device = held.use(await Device.open());
    const run = start(device, WAYS[name], quick ? TINY : MODELS[1]);
    runs.push({ name, run });
  }
  const best = runs.map(() => Infinity);
  for (let turn = 0; turn < (quick ? 2 : TURNS); turn++) {
    for (const [i, { run }] of runs.entries()) {
      const since = performance.now();
      await run.step();
      const spent = performance.now() - since;
      if (turn > 0) best[i] = Math.min(best[i], spent); // the first compiles
    }
  }
  for (const [i, { name, run: { model, device } }] of runs.entries()) {
    report({
      trains: name,
      "parameters": trainedOf(model).trainedCount,
      "ms/step": best[i],
      "times all": best[i] / best[0],
      "peak MiB": device.bytesPeak / 2 ** 20,
    });
  }
}

interface Run {
  readonly device: Device;
  readonly model: GPT2;
  /** Takes a step and waits for it. */
  step(): Promise<void>;
}

function start(
  device: Device,
  choose: (model: GPT2, device: Device) => unknown,
  { config, batchSize }: typeof TINY,
): Run {
  const random = new Random(1);
  const { vocabSize, blockSize } = config;
  const text = Uint32Array.from(
    { length: 1 << 14 },
    () => random.integer(vocabSize),
  );
  const model = new GPT2({ device, random }, config);
  choose(model, device);
  const steps = train({
    device,
    model,
    optimizer: new AdamW(parameters(model)),
    batches: new RandomCrops(text, { batchSize, blockSize, random }),
    schedule: constantSchedule(1e-4),
    steps: Infinity,
  });
  return {
    device,
    model,
    async step() {
      const { value } = await steps.next();
      await value.read();
    },
  };
}
