/**
 * The training loop: what it measures, what it holds, and how it stops.
 */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import type { Batch } from "../../lib/data/batch.ts";
import { Device } from "../../lib/gpu/device.ts";
import { parameters } from "../../lib/nn/parameters.ts";
import { mean, mul } from "../../lib/ops/mod.ts";
import { AdamW } from "../../lib/optim/adamw.ts";
import { constantSchedule } from "../../lib/optim/schedule.ts";
import { Random } from "../../lib/random.ts";
import { Parameter } from "../../lib/tensor/parameter.ts";
import { readAll, type Tensor } from "../../lib/tensor/tensor.ts";
import {
  type Step,
  type StepReport,
  train,
  type Trainable,
  type TrainOptions,
} from "../../lib/train/train.ts";
import type { GPT2 } from "../../models/gpt2.ts";
import { relativeDistance } from "../ops/case.ts";
import { crops, toy } from "./toy.ts";

let device: Device;

Deno.test.beforeAll(async () => {
  device = await Device.open();
});

Deno.test.afterAll(() => device[Symbol.dispose]());

Deno.test("four batches of 8 make the step of one of 32", async () => {
  // Without biases: a key's bias has no gradient but what rounding leaves, and
  // Adam would make a step of it.
  const four = toy(device, { bias: false });
  const one = toy(device, { bias: false });
  const small = crops(8);
  const parts: Batch[] = Array.from({ length: 4 }, () => small.next());
  const join = (of: "inputs" | "targets") =>
    Uint32Array.from(parts.flatMap((part) => [...part[of]]));
  const whole: Batch = {
    inputs: join("inputs"),
    targets: join("targets"),
    shape: [32, 8],
  };
  const stepOf = async (
    model: GPT2,
    batches: Iterable<Batch>,
    gradientAccumulationSteps: number,
  ): Promise<StepReport> => {
    const list = [...batches];
    using optimizer = new AdamW(parameters(model), { gradClip: 0 });
    const loop = train({
      device,
      model,
      optimizer,
      batches: { next: () => list.shift()! },
      schedule: constantSchedule(1e-3),
      steps: 1,
      gradientAccumulationSteps,
    });
    for await (const step of loop) {
      assertEquals(step.tokens, 256);
      const [report] = await step.read();
      return report;
    }
    throw new Error("There was no step");
  };
  const accumulated = await stepOf(four, parts, 4);
  const together = await stepOf(one, [whole], 1);
  assertAlmostEquals(accumulated.loss, together.loss, 1e-6);
  assertAlmostEquals(
    accumulated.gradNorm / together.gradNorm,
    1,
    1e-5,
  );
  const before = parameters(toy(device, { bias: false }));
  for (const [name, parameter] of parameters(one)) {
    const [expected, actual, start] = await readAll([
      parameter,
      parameters(four).get(name)!,
      before.get(name)!,
    ]);
    assert(relativeDistance(expected, start) > 5e-4, `${name} did not move`);
    const distance = relativeDistance(actual, expected);
    assert(distance <= 1e-5, `${name} is off by ${distance}`);
  }
});

Deno.test("300 steps take no memory after the first few", async () => {
  const model = toy(device, { dropout: 0.1 });
  using optimizer = new AdamW(parameters(model));
  const loop = train({
    device,
    model,
    optimizer,
    batches: crops(4),
    schedule: constantSchedule(1e-3),
    steps: 300,
    gradientAccumulationSteps: 2,
    random: new Random(3),
  });
  const seen: unknown[] = [];
  const losses: number[] = [];
  for await (const step of loop) {
    if (step.step % 5 === 0) {
      losses.push(...(await step.read()).map(({ loss }) => loss));
    }
    const { bytesInUse, bytesReserved, counters } = device;
    const { buffers, bindGroups } = counters;
    seen.push({ bytesInUse, bytesReserved, buffers, bindGroups });
  }
  assertEquals(seen.length, 300);
  assertEquals(seen.slice(10), seen.slice(10).map(() => seen[9]));
  assertEquals(losses.length, 300);
});

Deno.test("a step is one submit, the same number of runs each time", async () => {
  const model = toy(device, { dropout: 0.1 });
  using optimizer = new AdamW(parameters(model));
  const loop = train({
    device,
    model,
    optimizer,
    batches: crops(4),
    schedule: constantSchedule(1e-3),
    steps: 20,
    random: new Random(3),
  });
  const seen: { submits: number; dispatches: number }[] = [];
  for await (const _step of loop) {
    const { submits, dispatches } = device.counters;
    seen.push({ submits, dispatches });
  }
  const steps = seen.slice(1).map(({ submits, dispatches }, i) => ({
    submits: submits - seen[i].submits,
    dispatches: dispatches - seen[i].dispatches,
  }));
  assertEquals(steps[0].submits, 1);
  assertEquals(steps, steps.map(() => steps[0]));
});

Deno.test("a run that breaks off holds nothing any more", async () => {
  const model = toy(device);
  using optimizer = new AdamW(parameters(model));
  const bytes = device.bytesInUse;
  const loop = train({
    device,
    model,
    optimizer,
    batches: crops(4),
    schedule: constantSchedule(1e-3),
    steps: 300,
  });
  for await (const step of loop) {
    if (step.step === 3) break;
  }
  assertEquals(device.bytesInUse, bytes);
  assertEquals(optimizer.steps, 3);
});

/** The cheapest model there is: the loss is the mean square of two weights. */
class Squares implements Trainable, Disposable {
  readonly weight = new Parameter(device, Float32Array.of(3, -4), [2]);

  loss(): Tensor {
    return mean(mul(this.weight, this.weight));
  }

  [Symbol.dispose](): void {
    this.weight[Symbol.dispose]();
  }
}

type SquaresOptions = Partial<TrainOptions> & { readonly steps: number };

/** Trains {@linkcode Squares}. */
async function* squares(options: SquaresOptions): AsyncGenerator<Step> {
  using model = new Squares();
  const own = new Map([["weight", model.weight]]);
  using optimizer = new AdamW(own, { gradClip: 0 });
  const empty: Batch = {
    inputs: new Uint32Array(1),
    targets: new Uint32Array(1),
    shape: [1, 1],
  };
  const schedule = (step: number) => 1e-2 / (step + 1);
  const batches = { next: () => empty };
  yield* train({ device, model, optimizer, batches, schedule, ...options });
}

/** What is read every so many steps. */
async function squaresTrained(
  readEvery: number,
  options: SquaresOptions,
): Promise<StepReport[][]> {
  const read: StepReport[][] = [];
  for await (const step of squares(options)) {
    if (step.step % readEvery === 0) read.push([...await step.read()]);
  }
  return read;
}

Deno.test("read gives every step since it was last called, in order", async () => {
  const read = await squaresTrained(4, { start: 10, steps: 22 });
  assertEquals(
    read.map((reports) => reports.map(({ step }) => step)),
    [[11, 12], [13, 14, 15, 16], [17, 18, 19, 20]],
  );
  const [first] = read[0];
  assertEquals(first, {
    step: 11,
    loss: 12.5,
    gradNorm: 5,
    learningRate: 1e-2 / 11,
  });
  const norms = read.flat().map(({ gradNorm }) => gradNorm);
  assertEquals(norms, norms.toSorted((a, b) => b - a));
});

Deno.test("steps can be read once the loop is over, however it ended", async () => {
  for (const last of [5, 3]) {
    const loop = squares({ steps: 5 });
    let latest: Step | null = null;
    for await (const step of loop) {
      latest = step;
      if (step.step === last) break;
    }
    const reports = await latest!.read();
    assertEquals(
      reports.map(({ step }) => step),
      Array.from({ length: last }, (_, i) => i + 1),
    );
    assertEquals(await latest!.read(), []);
  }
});

Deno.test("no step is lost when more than a thousand wait to be read", async () => {
  const [reports] = await squaresTrained(2100, { steps: 2100 });
  assertEquals(
    reports.map(({ step }) => step),
    Array.from(reports.keys(), (i) => i + 1),
  );
  assertEquals(reports.length, 2100);
  const often = await squaresTrained(100, { steps: 2100 });
  assertEquals(often.flat(), reports);
});

Deno.test("a step may be made of more than a thousand batches", async () => {
  const steps = { steps: 2, gradientAccumulationSteps: 1100 };
  const [reports] = await squaresTrained(2, steps);
  assertEquals(reports.map(({ step }) => step), [1, 2]);
  assertAlmostEquals(reports[0].loss, 12.5, 1e-9);
  assertAlmostEquals(reports[0].gradNorm, 5, 1e-4);
});
