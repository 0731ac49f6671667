/**
 * Training in half precision: it learns what f32 learns, and recovers when its
 * gradients overflow.
 */

import { assert, assertEquals } from "@std/assert";
import { RandomCrops } from "../../lib/data/random_crops.ts";
import { stories } from "../../lib/data/stories.ts";
import { parameters } from "../../lib/nn/parameters.ts";
import { AdamW } from "../../lib/optim/adamw.ts";
import type { LossScale } from "../../lib/optim/gradient_norm.ts";
import { Random } from "../../lib/random.ts";
import { backward } from "../../lib/tensor/backward.ts";
import { readAll, Tensor } from "../../lib/tensor/tensor.ts";
import { CharTokenizer } from "../../lib/text/char.ts";
import { type StepReport, train } from "../../lib/train/train.ts";
import { GPT2 } from "../../models/gpt2.ts";
import { bothDevices } from "../both_devices.ts";
import { relativeDistance } from "../ops/case.ts";

const devices = bothDevices();

const text = stories({ bytes: 50_000 });
const tokenizer = new CharTokenizer(text);
const tokens = tokenizer.encode(text);
const config = {
  vocabSize: tokenizer.vocabSize,
  blockSize: 32,
  nLayer: 2,
  nHead: 2,
  nEmbd: 64,
};

/** How a run goes. */
interface Course {
  readonly dtype: "f32" | "f16";
  readonly seed: number;
  readonly steps: number;
  readonly lossScale?: LossScale;
  readonly dropout?: number;
}

/** Trains a small model on stories. */
async function course(
  { dtype, seed, steps, lossScale = {}, dropout = 0 }: Course,
): Promise<{ reports: StepReport[]; numbers: unknown }> {
  const device = devices.best!;
  const random = new Random(seed);
  const model = new GPT2({ device, random }, { ...config, dropout }, { dtype });
  const own = parameters(model);
  using optimizer = new AdamW(own, {
    lossScale: dtype === "f16" ? lossScale : null,
  });
  const run = train({
    device,
    model,
    optimizer,
    batches: new RandomCrops(tokens, {
      ...{ batchSize: 8, blockSize: config.blockSize, random },
    }),
    schedule: (step) => 3e-3 * Math.min(1, (step + 1) / 10),
    steps,
    random: dropout > 0 ? random : undefined,
  });
  const reports: StepReport[] = [];
  for await (const step of run) {
    if (step.step === steps) reports.push(...await step.read());
  }
  const numbers = await readAll([...own.values()]);
  for (const parameter of own.values()) parameter[Symbol.dispose]();
  return { reports, numbers };
}

/** The mean loss of the last `count` steps. */
function last(count: number, reports: readonly StepReport[]): number {
  return reports.slice(-count).reduce((sum, { loss }) => sum + loss, 0) / count;
}

Deno.test("a run in f16 is as near to one in f32 as another seed, and nearer", async () => {
  if (!devices.best!.features.has("shader-f16")) return;
  const steps = 100;
  const [half, full, other] = [
    await course({ dtype: "f16", seed: 1, steps }),
    await course({ dtype: "f32", seed: 1, steps }),
    await course({ dtype: "f32", seed: 3, steps }),
  ].map(({ reports }) => last(25, reports));
  const [apart, seeds] = [Math.abs(half - full), Math.abs(other - full)];
  assert(apart < seeds / 2 && apart < 0.01, `${apart} of ${seeds}`);
  assert(full < 2.7, `the loss only fell to ${full}`);
});

Deno.test("gradients in f16 that overflow are skipped, and training recovers within ten steps", async () => {
  if (!devices.best!.features.has("shader-f16")) return;
  const { reports } = await course({
    ...{ dtype: "f16", seed: 2, steps: 40, dropout: 0.1 },
    lossScale: { initial: 2 ** 26 },
  });
  const skips = reports.findIndex((report) => !report.skipped);
  assert(skips > 0 && skips <= 10, `${skips} steps were skipped`);
  assert(reports.every(({ loss }) => Number.isFinite(loss)));
  reports.reduce((scale, { skipped, lossScale }) => {
    assertEquals(lossScale, skipped ? scale / 2 : scale);
    return lossScale!;
  }, 2 ** 26);
  // Nothing moved at first: the losses are those of other batches.
  const untrained = Math.log(config.vocabSize);
  for (const { loss } of reports.slice(0, skips)) {
    assert(Math.abs(loss - untrained) < 0.1, `${loss}`);
  }
  assert(last(10, reports) < untrained - 0.5, `${last(10, reports)}`);
});

Deno.test("a run in f16 repeats bit for bit", async () => {
  if (!devices.best!.features.has("shader-f16")) return;
  const again = { dtype: "f16", seed: 5, steps: 20, dropout: 0.1 } as const;
  assertEquals(await course(again), await course(again));
});

for (const kind of ["best", "plain"] as const) {
  Deno.test(`gradients in f16 are those in f32, to its precision (${kind} kernels)`, async () => {
    const device = devices[kind]!;
    if (!device.features.has("shader-f16")) return;
    const ids = tokens.subarray(0, 256);
    const targets = tokens.subarray(1, 257);
    const scale = 4096;
    const [full, half] = await Promise.all(
      (["f32", "f16"] as const).map((dtype) => {
        using _scope = device.scope();
        const init = { device, random: new Random(4) };
        const model = new GPT2(init, config, { dtype });
        const loss = model.loss(
          Tensor.from(device, Uint32Array.from(ids), [8, 32]),
          Tensor.from(device, Uint32Array.from(targets), [8, 32]),
        );
        assertEquals(loss.dtype, "f32");
        backward(loss, Tensor.from(device, [scale]));
        const own = parameters(model);
        assert([...own.values()].every(({ grad }) => grad!.dtype === "f32"));
        const grads = [...own.values()].map(({ grad }) => grad!);
        return readAll([loss, ...grads]);
      }),
    );
    assert(Math.abs(full[0][0] - half[0][0]) < 2e-3);
    const names = [
      ...parameters(
        new GPT2({ device, random: null }, config),
      ).keys(),
    ];
    names.forEach((name, i) => {
      // A key's bias has no gradient but what rounding leaves.
      if (name.endsWith("c_attn.bias")) return;
      const distance = relativeDistance(half[i + 1], full[i + 1]);
      assert(distance < 5e-3, `the gradient of ${name} is off by ${distance}`);
    });
  });
}
