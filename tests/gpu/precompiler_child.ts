/**
 * Prints the loss of a first step, with a second device that compiles beside the
 * first, or on the first "alone".
 *
 * @module
 */

import { RandomCrops } from "../../lib/data/random_crops.ts";
import { findAdapter, requestGpu } from "../../lib/gpu/adapter.ts";
import { Device } from "../../lib/gpu/device.ts";
import { prepareMesa } from "../../lib/gpu/mesa.ts";
import { parameters } from "../../lib/nn/parameters.ts";
import { AdamW } from "../../lib/optim/adamw.ts";
import { constantSchedule } from "../../lib/optim/schedule.ts";
import { Random } from "../../lib/random.ts";
import { train } from "../../lib/train/train.ts";
import { GPT2 } from "../../models/gpt2.ts";

async function alone(): Promise<Device> {
  prepareMesa();
  const adapter = await findAdapter();
  return new Device(await requestGpu(adapter!, true));
}

const SETTLING = 500; // milliseconds: Mesa writes its cache in the background

const blockSize = 32;
const config = { vocabSize: 65, blockSize, nLayer: 1, nHead: 2, nEmbd: 64 };

using device = Deno.args[0] === "alone" ? await alone() : await Device.open();
const model = new GPT2({ device, random: new Random(1) }, config);
const random = new Random(2);
const text = Uint32Array.from({ length: 1024 }, () => random.integer(65));
const steps = train({
  device,
  model,
  optimizer: new AdamW(parameters(model)),
  batches: new RandomCrops(text, { batchSize: 12, blockSize, random }),
  schedule: constantSchedule(1e-4),
  steps: 1,
});
for await (const step of steps) {
  const [{ loss }] = await step.read();
  console.log(loss);
}
await new Promise((done) => setTimeout(done, SETTLING));
