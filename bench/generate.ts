/**
 * What writing costs: reading half a block at once, then writing the rest of it.
 *
 * @module
 */

import { generate as write } from "../lib/generate/generate.ts";
import type { SamplingOptions } from "../lib/generate/sample.ts";
import { Device } from "../lib/gpu/device.ts";
import { Random } from "../lib/random.ts";
import type { GPT2 } from "../models/gpt2.ts";
import { untrained, wantedModels } from "./models.ts";
import { type BenchOptions, median } from "./report.ts";
import { tuneFor } from "./tuning.ts";

const ROUNDS = 6; // after one to compile
const MOST_TOKENS = 64; // written in a round

const DRAWS: ReadonlyMap<string, SamplingOptions> = new Map([
  ["greedy", { temperature: 0 }],
  ["top-k 40, top-p 0.9", { temperature: 0.8, topK: 40, topP: 0.9 }],
]);

/** Measures prefill and decode, apart, with a cache and one text at a time. */
export async function generate(options: BenchOptions): Promise<void> {
  const { report, quick = false } = options;
  for (const bench of wantedModels(options)) {
    using device = await Device.open();
    report({ adapter: device.adapter.name, subgroup: device.subgroupSize });
    const model = untrained(device, bench);
    const prompt = bench.config.blockSize / 2;
    const tokens = Math.min(MOST_TOKENS, prompt);
    for (const [how, sampling] of DRAWS) {
      const run = (count: number) =>
        secondsToWrite(device, model, { ...sampling, prompt, count });
      await tuneFor(device, options, () => run(tokens));
      await run(tokens);
      const firsts: number[] = [];
      const wholes: number[] = [];
      let dispatches = 0;
      for (let round = 0; round < (quick ? 1 : ROUNDS); round++) {
        firsts.push(await run(1));
        const before = device.counters.dispatches;
        wholes.push(await run(1 + tokens));
        dispatches = device.counters.dispatches - before;
      }
      // A short and a long text differ by tokens alone, however they are read.
      const [first, best] = [median(firsts), Math.min(...firsts)];
      report({
        writing: `${bench.name}, ${how}`,
        "prompt tokens": prompt,
        "median prefill tokens/s": prompt / first,
        "best prefill tokens/s": prompt / best,
        "median decode tokens/s": tokens / (median(wholes) - first),
        "best decode tokens/s": tokens / (Math.min(...wholes) - best),
        "first token ms": 1e3 * first,
        "dispatches/token": Math.round(dispatches / (1 + tokens)),
      });
    }
  }
}

/** Seconds to read a prompt and to write so many tokens. */
export async function secondsToWrite(
  device: Device,
  model: GPT2,
  { prompt, count, ...sampling }: SamplingOptions & {
    prompt: number;
    count: number;
  },
): Promise<number> {
  const start = performance.now();
  const ids = write({
    device,
    model,
    prompt: new Uint32Array(prompt).fill(1),
    maxNewTokens: count,
    random: new Random(3),
    ...sampling,
  });
  for await (const _id of ids);
  return (performance.now() - start) / 1000;
}
