import { assert, assertEquals } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import { parameters } from "../../lib/nn/parameters.ts";
import { AdamW } from "../../lib/optim/adamw.ts";
import { constantSchedule } from "../../lib/optim/schedule.ts";
import { Random } from "../../lib/random.ts";
import { readAll } from "../../lib/tensor/tensor.ts";
import { train } from "../../lib/train/train.ts";
import { GPT2 } from "../../models/gpt2.ts";

/** Trains a small model, and gives its losses and every bit of its weights. */
async function run(subgroups: boolean, profiled: boolean) {
  using device = await Device.open({ subgroups });
  const random = new Random(5);
  const config = {
    vocabSize: 37,
    blockSize: 12,
    nLayer: 2,
    nHead: 2,
    nEmbd: 20,
  };
  const model = new GPT2({ device, random }, { ...config, dropout: 0.1 });
  const weights = parameters(model);
  const ids = Uint32Array.from({ length: 36 }, () => random.integer(37));
  const batch = { inputs: ids, targets: ids, shape: [3, 12] } as const;
  const steps = train({
    device,
    model,
    optimizer: new AdamW(weights),
    batches: { next: () => batch },
    schedule: constantSchedule(1e-2),
    steps: 6,
    random,
  });
  using profiler = profiled ? await device.profile() : null;
  const losses: number[] = [];
  const before = device.counters.dispatches;
  for await (const step of steps) {
    if (step.step % 3 > 0) continue;
    losses.push(...(await step.read()).map(({ loss }) => loss));
  }
  const ran = device.counters.dispatches - before;
  const seen = (await profiler?.read())?.slices.length ?? 0;
  const bits = (await readAll([...weights.values()]))
    .map(({ buffer }) => new Uint32Array(buffer));
  return { losses, bits, ran, seen };
}

for (const subgroups of [true, false]) {
  const family = subgroups ? "with subgroups" : "without";
  Deno.test(`profiling changes no bit of what is trained, ${family}`, async () => {
    const plain = await run(subgroups, false);
    const profiled = await run(subgroups, true);
    assertEquals(profiled.losses, plain.losses);
    assertEquals(profiled.bits, plain.bits);
    assertEquals(profiled.ran, plain.ran);
    assertEquals([plain.seen, profiled.seen], [0, profiled.ran]);
    assert(plain.losses[5] < plain.losses[0]);
  });
}
