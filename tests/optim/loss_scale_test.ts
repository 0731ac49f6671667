/**
 * The loss scale: it is halved when gradients overflow, the step is skipped, and
 * it grows again.
 */

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
} from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import { Kernel } from "../../lib/gpu/kernel.ts";
import { mul } from "../../lib/ops/binary.ts";
import { mean } from "../../lib/ops/reduce.ts";
import { AdamW, type AdamWOptions } from "../../lib/optim/adamw.ts";
import { Random } from "../../lib/random.ts";
import { Parameter } from "../../lib/tensor/parameter.ts";
import { record } from "../../lib/tensor/tape.ts";
import { readAll, Tensor } from "../../lib/tensor/tensor.ts";
import {
  NotFiniteError,
  type StepReport,
  train,
} from "../../lib/train/train.ts";

let device: Device;

Deno.test.beforeAll(async () => {
  device = await Device.open();
});

Deno.test.afterAll(() => device[Symbol.dispose]());

const SIZES: Readonly<Record<string, readonly number[]>> = {
  matrix: [7, 9],
  vector: [5],
};

/** Parameters with given numbers, and what moves them. */
function trained(options: AdamWOptions) {
  const random = new Random(1);
  const own = new Map(
    Object.entries(SIZES).map(([name, shape]) => {
      const size = shape.reduce((product, n) => product * n, 1);
      return [name, new Parameter(device, random.normal(size), shape)] as const;
    }),
  );
  const optimizer = new AdamW(own, options);
  const read = () =>
    readAll([
      ...own.values(),
      ...[...optimizer.moments.values()].flatMap(({ m, v }) => [m, v]),
    ]);
  return { own, optimizer, read };
}

/** Gives every parameter a gradient, multiplied by the loss scale. */
async function giveGradients(
  { own, optimizer }: ReturnType<typeof trained>,
  seed: number,
  poison: number | null = null,
) {
  const random = new Random(seed);
  const scale = await optimizer.lossScale?.item() ?? 1;
  for (const parameter of own.values()) {
    const data = random.normal(parameter.size).map((g) => g * scale);
    if (poison !== null) data[3] = poison;
    parameter.grad = Tensor.from(device, data, parameter.shape).keep();
  }
}

for (const poison of [Infinity, -Infinity, NaN]) {
  Deno.test(`a gradient of ${poison} halves the scale, and nothing moves in its step`, async () => {
    const run = trained({ lossScale: { initial: 1024 } });
    await giveGradients(run, 1);
    run.optimizer.step(0.1);
    const before = await run.read();
    await giveGradients(run, 2, poison);
    run.optimizer.step(0.1);
    assertEquals(await run.read(), before);
    const [, , broken, skipped, scale] = await run.optimizer.status.read();
    assertEquals([broken, skipped, scale], [0, 1, 512]);
    assertEquals(await run.optimizer.lossScale!.item(), 512);
    assertEquals(await run.optimizer.lossScaleState(), {
      scale: 512,
      goodSteps: 0,
      skipped: 1,
    });
    await giveGradients(run, 3);
    run.optimizer.step(0.1);
    assertEquals((await run.optimizer.status.read())[3], 0);
    const after = await run.read();
    assert(after.every((numbers, i) => `${numbers}` !== `${before[i]}`));
  });
}

Deno.test("a scale changes nothing but the gradients' range, whatever is skipped", async () => {
  const plain = trained({ beta2: 0.999 });
  const scaled = trained({ beta2: 0.999, lossScale: { growthInterval: 3 } });
  for (let step = 1; step <= 20; step++) {
    if (step === 1 || step === 9 || step === 10) {
      await giveGradients(scaled, 0, Infinity);
      scaled.optimizer.step(0.1);
    }
    for (const run of [plain, scaled]) {
      await giveGradients(run, step);
      run.optimizer.step(0.02);
    }
    const [norm] = await plain.optimizer.status.read();
    const [measured] = await scaled.optimizer.status.read();
    assertAlmostEquals(measured / norm, 1, 1e-6);
  }
  const expected = await plain.read();
  for (const [i, numbers] of (await scaled.read()).entries()) {
    for (const [j, number] of numbers.entries()) {
      const wanted = expected[i][j];
      assertAlmostEquals(number, wanted, 3e-6 * (1 + Math.abs(wanted)));
    }
  }
  const { skipped } = (await scaled.optimizer.lossScaleState())!;
  assertEquals(skipped, 3);
});

Deno.test("without skips a scaled run is the plain one, bit for bit", async () => {
  const plain = trained({});
  const scaled = trained({ lossScale: { growthInterval: 2 } });
  for (let step = 1; step <= 6; step++) {
    for (const run of [plain, scaled]) {
      await giveGradients(run, step);
      run.optimizer.step(0.02);
    }
  }
  assertEquals(await scaled.read(), await plain.read());
  assertEquals(await scaled.optimizer.lossScale!.item(), 65536 * 2 ** 3);
});

Deno.test("the scale doubles after so many good steps, counted anew after a skip", async () => {
  const run = trained({ lossScale: { initial: 8, growthInterval: 3 } });
  const scales: number[] = [];
  for (
    const poison of [...Array(5).fill(null), Infinity, ...Array(4).fill(null)]
  ) {
    await giveGradients(run, 1, poison);
    run.optimizer.step(0.01);
    scales.push(await run.optimizer.lossScale!.item());
  }
  assertEquals(scales, [8, 8, 16, 16, 16, 8, 8, 8, 16, 16]);
});

Deno.test("a restored loss scale goes on where it stood", async () => {
  const options = { lossScale: { initial: 64, growthInterval: 4 } };
  const straight = trained(options);
  const stopped = trained(options);
  const step = async (run: typeof straight, number: number) => {
    await giveGradients(run, number, number === 3 ? NaN : null);
    run.optimizer.step(0.01);
  };
  for (let n = 1; n <= 5; n++) {
    await step(straight, n);
    await step(stopped, n);
  }
  const resumed = {
    ...stopped,
    optimizer: new AdamW(stopped.own, options),
  };
  for (const [name, { m, v }] of stopped.optimizer.moments) {
    const [mean, variance] = await readAll([m, v]);
    resumed.optimizer.moments.get(name)!.m.write(mean);
    resumed.optimizer.moments.get(name)!.v.write(variance);
  }
  resumed.optimizer.resume(5, await stopped.optimizer.lossScaleState());
  for (let n = 6; n <= 9; n++) {
    await step(straight, n);
    await step(resumed, n);
  }
  assertEquals(
    await readAll([...resumed.own.values(), resumed.optimizer.status]),
    await readAll([...straight.own.values(), straight.optimizer.status]),
  );
  assertEquals(await resumed.optimizer.lossScaleState(), {
    scale: 64,
    goodSteps: 2,
    skipped: 1,
  });
});

const kernel = new Kernel(
  "overflow",
  `struct Params { most: f32 }
   @group(0) @binding(0) var<uniform> params: Params;
   @group(0) @binding(1) var<storage, read> dy: array<f32>;
   @group(0) @binding(2) var<storage, read_write> dx: array<f32>;
   @compute @workgroup_size(2)
   fn overflow(@builtin(global_invocation_id) id: vec3u) {
     let infinite = bitcast<f32>(params_bits());
     dx[id.x] = select(dy[id.x], infinite, abs(dy[id.x]) > params.most);
   }
   fn params_bits() -> u32 { return 0x7f800000u + u32(0.0 * params.most); }`,
);

/** `x`, whose gradient becomes infinite beyond `most`, as in f16 beyond 65504. */
function fragile(x: Tensor, most: number): Tensor {
  return record(x.view(x.shape), "fragile", [x], (dy) => {
    const dx = Tensor.empty(device, x.shape);
    kernel.run("overflow", { args: { dy, dx, most }, grid: { threads: 2 } });
    return [dx];
  });
}

/** Trains two weights; their gradients overflow where the scale is over 2 most. */
function overflowing(most: number, steps: number) {
  const weight = new Parameter(device, Float32Array.of(3, -4), [2]);
  const optimizer = new AdamW(new Map([["weight", weight]]), {
    lossScale: {},
  });
  const none = new Uint32Array(1);
  const run = train({
    device,
    model: { loss: () => mean(fragile(mul(weight, weight), most)) },
    optimizer,
    batches: { next: () => ({ inputs: none, targets: none, shape: [1, 1] }) },
    schedule: () => 0.01,
    steps,
    gradientAccumulationSteps: 2,
  });
  return { run, weight, optimizer };
}

Deno.test("a run that overflows skips, halves, and recovers within ten steps", async () => {
  const { run, weight } = overflowing(100, 20);
  const reports: StepReport[] = [];
  const weights: number[][] = [];
  for await (const step of run) {
    reports.push(...await step.read());
    weights.push([...await weight.read()]);
  }
  // Half the loss, half the mean of two: a quarter of the scale is over 100.
  const skipped = reports.map((report) => report.skipped);
  assertEquals(skipped, reports.map((_, i) => i < 8));
  assertEquals(reports.map(({ lossScale }) => lossScale), [
    ...[32768, 16384, 8192, 4096, 2048, 1024, 512, 256],
    ...Array(12).fill(256),
  ]);
  assert(reports.slice(0, 8).every(({ gradNorm }) => gradNorm === Infinity));
  assertAlmostEquals(reports[8].gradNorm, 5, 1e-5);
  assertEquals(weights.slice(0, 8), Array(8).fill([3, -4]));
  assertAlmostEquals(weights[8][0], 2.99, 1e-6);
});

Deno.test("gradients that no scale makes finite end the run", async () => {
  const { run, weight, optimizer } = overflowing(0, 40);
  const error = await assertRejects(async () => {
    for await (const step of run) await step.read();
  }, NotFiniteError);
  assertEquals((error as NotFiniteError).step, 17);
  assertEquals([...await weight.read()], [3, -4]);
  assertEquals((await optimizer.lossScaleState())!.scale, 1);
});
