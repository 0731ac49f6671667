/**
 * Makes the pipelines of training, of writing and of products, and says on stderr
 * which it makes, between what the driver says there; see runs/compiler.sh. What is
 * computed is not looked at.
 *
 * @module
 */

import { RandomCrops } from "../../lib/data/random_crops.ts";
import { generate } from "../../lib/generate/generate.ts";
import { Device } from "../../lib/gpu/device.ts";
import { parameters } from "../../lib/nn/parameters.ts";
import { product } from "../../lib/ops/product.ts";
import { tiledVariant, tileNames } from "../../lib/ops/product_variants.ts";
import { AdamW } from "../../lib/optim/adamw.ts";
import { constantSchedule } from "../../lib/optim/schedule.ts";
import { Random } from "../../lib/random.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";
import { train } from "../../lib/train/train.ts";
import { GPT2 } from "../../models/gpt2.ts";
import { COMPILING } from "./report.ts";

const FORMS = { nn: {}, nt: { transposeB: true }, tn: { transposeA: true } };
const SIZE = 4096;
/** A block of GPT-2. */
const MODEL = {
  ...{ vocabSize: 50257, blockSize: 256, nLayer: 1, nHead: 12, nEmbd: 768 },
  dropout: 0.1,
};

let work = "";
const { createComputePipeline } = GPUDevice.prototype;
GPUDevice.prototype.createComputePipeline = function (descriptor) {
  console.error(`${COMPILING}${work} ${descriptor.label}`);
  return createComputePipeline.call(this, descriptor);
};

using device = await Device.open();
console.error(`${COMPILING}${device.adapter.name}`);
work = "training:";
const random = new Random(1);
const model = new GPT2({ device, random }, MODEL);
const text = Uint32Array.from({ length: 4096 }, (_, i) => i);
const steps = train({
  device,
  model,
  optimizer: new AdamW(parameters(model)),
  batches: new RandomCrops(text, { batchSize: 4, blockSize: 256, random }),
  schedule: constantSchedule(1e-4),
  steps: 1,
  random,
});
await steps.next();

work = "writing:";
const prompt = text.subarray(0, 200);
const written = generate({ device, model, prompt, maxNewTokens: 2, random });
for (let token = 0; token < 2; token++) await written.next();

for (const [form, transposed] of Object.entries(FORMS)) {
  const a = Tensor.empty(device, [SIZE, SIZE]);
  const shape = { batch: 1, rows: SIZE, cols: SIZE, depth: SIZE };
  const job = { ...shape, transposeA: false, transposeB: false, ...transposed };
  for (const name of tileNames(device, job)) {
    work = `tile ${name} ${form}:`;
    product(a, a, { ...transposed, variant: (job) => tiledVariant(name, job) });
  }
}
device.flush();
Deno.exit(0); // The device has nothing to wait for.
