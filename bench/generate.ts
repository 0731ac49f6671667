/**
 * What writing costs: a block full of tokens after a prompt of one.
 *
 * @module
 */

import { generate as write } from "../lib/generate/generate.ts";
import type { SamplingOptions } from "../lib/generate/sample.ts";
import { Device } from "../lib/gpu/device.ts";
import { Random } from "../lib/random.ts";
import type { GPT2 } from "../models/gpt2.ts";
import { MODELS, untrained } from "./models.ts";
import { type BenchOptions, wanted } from "./report.ts";

const ROUNDS = 4; // after one to compile; the best counts

const DRAWS: ReadonlyMap<string, SamplingOptions> = new Map([
  ["greedy", { temperature: 0 }],
  ["top-k 40, top-p 0.9", { temperature: 0.8, topK: 40, topP: 0.9 }],
]);

/** Measures tokens in a second with the cache, and how soon the first one comes. */
export async function generate(
  { report, filters }: BenchOptions,
): Promise<void> {
  for (const bench of MODELS.filter(({ name }) => wanted(name, filters))) {
    using device = await Device.open();
    report({ adapter: device.adapter.name, subgroup: device.subgroupSize });
    const model = untrained(device, bench);
    for (const [how, sampling] of DRAWS) {
      await once(device, model, sampling);
      let fastest = Infinity;
      let soonest = Infinity;
      let dispatches = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const before = device.counters.dispatches;
        const { first, total } = await once(device, model, sampling);
        fastest = Math.min(fastest, total);
        soonest = Math.min(soonest, first);
        dispatches = device.counters.dispatches - before;
      }
      const tokens = bench.config.blockSize - 1;
      report({
        writing: `${bench.name}, ${how}`,
        "tokens/s": Math.round(tokens / fastest),
        "first ms": 1e3 * soonest,
        "ms/token": 1e3 * fastest / tokens,
        "dispatches": Math.round(dispatches / tokens),
      });
    }
  }
}

/** Seconds to the first token, and to the last that fits the block. */
async function once(
  device: Device,
  model: GPT2,
  sampling: SamplingOptions,
): Promise<{ first: number; total: number }> {
  const start = performance.now();
  let first = 0;
  const ids = write({
    device,
    model,
    prompt: Uint32Array.of(1),
    maxNewTokens: model.config.blockSize - 1,
    random: new Random(3),
    ...sampling,
  });
  for await (const _id of ids) first ||= performance.now() - start;
  return { first: first / 1000, total: (performance.now() - start) / 1000 };
}
