/**
 * AdamW against its formula in float64, on gradients given by hand.
 */

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertThrows,
} from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import { AdamW, type AdamWOptions } from "../../lib/optim/adamw.ts";
import { Random } from "../../lib/random.ts";
import type { Shape } from "../../lib/tensor/shape.ts";
import { Parameter } from "../../lib/tensor/parameter.ts";
import { readAll, Tensor } from "../../lib/tensor/tensor.ts";

let device: Device;

Deno.test.beforeAll(async () => {
  device = await Device.open();
});

Deno.test.afterAll(() => device[Symbol.dispose]());

const SHAPES: ReadonlyMap<string, Shape> = new Map([
  ["matrix", [3, 7]],
  ["bias", [5]],
  ["tall", [70, 67]],
  ["one", [1]],
]);

/** A parameter, and the same in float64 with its moments. */
interface Twin {
  readonly parameter: Parameter;
  readonly weight: number[];
  readonly m: number[];
  readonly v: number[];
}

function twins(random: Random): Map<string, Twin> {
  return new Map([...SHAPES].map(([name, shape]) => {
    const data = random.normal(shape.reduce((product, n) => product * n, 1));
    return [name, {
      parameter: new Parameter(device, data, shape),
      weight: [...data],
      m: Array(data.length).fill(0),
      v: Array(data.length).fill(0),
    }];
  }));
}

function parametersOf(all: Map<string, Twin>): Map<string, Parameter> {
  return new Map([...all].map(([name, { parameter }]) => [name, parameter]));
}

function giveGradient({ parameter }: Twin, data: Float32Array<ArrayBuffer>) {
  parameter.grad = Tensor.from(device, data, parameter.shape).keep();
}

/** One step of the paper's Algorithm 2, after clipping by the global norm. */
function stepByHand(
  all: readonly (readonly [Twin, Float32Array])[],
  step: number,
  { beta1, beta2, eps, weightDecay, gradClip, lr }:
    & Required<Omit<AdamWOptions, "lossScale">>
    & { lr: number },
): number {
  const squares = all.flatMap(([, gradient]) =>
    [...gradient].map((g) => g * g)
  );
  const norm = Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
  const scale = gradClip > 0 && norm > gradClip ? gradClip / norm : 1;
  for (const [{ parameter, weight, m, v }, gradient] of all) {
    const decay = parameter.shape.length > 1 ? weightDecay : 0;
    gradient.forEach((raw, i) => {
      const g = raw * scale;
      m[i] = beta1 * m[i] + (1 - beta1) * g;
      v[i] = beta2 * v[i] + (1 - beta2) * g * g;
      const mean = m[i] / (1 - beta1 ** step);
      const variance = v[i] / (1 - beta2 ** step);
      weight[i] -= lr * decay * weight[i];
      weight[i] -= lr * mean / (Math.sqrt(variance) + eps);
    });
  }
  return norm;
}

for (const gradClip of [0, 1, 1000]) {
  Deno.test(`six steps are the formula's, clipped to ${gradClip || "nothing"}`, async () => {
    const random = new Random(7);
    const all = twins(random);
    const options = {
      beta1: 0.8,
      beta2: 0.9,
      eps: 1e-6,
      weightDecay: 0.3,
      gradClip,
    };
    using optimizer = new AdamW(parametersOf(all), options);
    for (let step = 1; step <= 6; step++) {
      const gradients = [...all.values()].map((twin) =>
        [twin, random.normal(twin.weight.length, 0.5 * step)] as const
      );
      for (const [twin, gradient] of gradients) giveGradient(twin, gradient);
      const lr = 0.02 / step;
      optimizer.step(lr);
      const norm = stepByHand(gradients, step, { ...options, lr });
      const [measured] = await optimizer.status.read();
      assertAlmostEquals(measured / norm, 1, 1e-6);
    }
    assertEquals(optimizer.steps, 6);
    for (const [name, { parameter, ...expected }] of all) {
      const { m, v } = optimizer.moments.get(name)!;
      const [weight, mean, variance] = await readAll([parameter, m, v]);
      const pairs = [
        [weight, expected.weight],
        [mean, expected.m],
        [variance, expected.v],
      ] as const;
      for (const [actual, wanted] of pairs) {
        wanted.forEach((number, i) => {
          const tolerance = 2e-6 * (1 + Math.abs(number));
          assertAlmostEquals(actual[i], number, tolerance, `${name}[${i}]`);
        });
      }
    }
  });
}

Deno.test("where the gradient is zero, matrices decay and vectors stay", async () => {
  const all = twins(new Random(1));
  using optimizer = new AdamW(parametersOf(all), { weightDecay: 0.5 });
  for (const twin of all.values()) {
    giveGradient(twin, new Float32Array(twin.weight.length));
  }
  optimizer.step(0.1);
  for (const { parameter, weight } of all.values()) {
    const kept = parameter.shape.length > 1 ? 0.95 : 1;
    const actual = await parameter.read();
    weight.forEach((number, i) =>
      assertAlmostEquals(actual[i], kept * number, 1e-7 * Math.abs(number))
    );
  }
});

Deno.test("the first step is as long as the learning rate, whatever the betas", async () => {
  for (const [beta1, beta2] of [[0, 0], [0.9, 0.999], [0.5, 0.99]]) {
    const all = twins(new Random(2));
    using optimizer = new AdamW(parametersOf(all), {
      ...{ beta1, beta2, weightDecay: 0, gradClip: 0 },
    });
    const twin = all.get("bias")!;
    giveGradient(twin, Float32Array.of(3, -0.1, 20, -1, 0.5));
    optimizer.step(0.01);
    const actual = await twin.parameter.read();
    const moved = twin.weight.map((number, i) => actual[i] - number);
    [-1, 1, -1, 1, -1].forEach((sign, i) =>
      assertAlmostEquals(moved[i], 0.01 * sign, 1e-6)
    );
  }
});

Deno.test("a parameter without a gradient stays, and gradients are consumed", async () => {
  const all = twins(new Random(3));
  using optimizer = new AdamW(parametersOf(all));
  const { matrix, bias } = Object.fromEntries(all);
  giveGradient(bias, Float32Array.of(1, 2, 3, 4, 5));
  const gradient = bias.parameter.grad!;
  const bytes = device.bytesInUse;
  optimizer.step(0.1);
  assertEquals(bias.parameter.grad, null);
  assert(gradient.released && device.bytesInUse < bytes);
  assertEquals([...await matrix.parameter.read()], matrix.weight);
  assert((await bias.parameter.read()).every((x, i) => x !== bias.weight[i]));
});

Deno.test("restored moments and steps continue as if nothing had happened", async () => {
  const random = new Random(4);
  const [straight, stopped] = [twins(new Random(5)), twins(new Random(5))];
  const gradients = Array.from(
    { length: 4 },
    () =>
      new Map(
        [...straight].map(([name, { weight }]) =>
          [name, random.normal(weight.length)] as const
        ),
      ),
  );
  const take = (
    optimizer: AdamW,
    all: Map<string, Twin>,
    from: number,
    to: number,
  ) => {
    for (const each of gradients.slice(from, to)) {
      for (const [name, twin] of all) giveGradient(twin, each.get(name)!);
      optimizer.step(0.01);
    }
  };
  using whole = new AdamW(parametersOf(straight));
  take(whole, straight, 0, 4);
  using before = new AdamW(parametersOf(stopped));
  take(before, stopped, 0, 2);
  using after = new AdamW(parametersOf(stopped));
  for (const [name, { m, v }] of before.moments) {
    const [mean, variance] = await readAll([m, v]);
    after.moments.get(name)!.m.write(mean);
    after.moments.get(name)!.v.write(variance);
  }
  after.resume(2);
  take(after, stopped, 2, 4);
  const everything = (optimizer: AdamW, all: Map<string, Twin>) =>
    readAll([
      ...parametersOf(all).values(),
      ...[...optimizer.moments.values()].flatMap(({ m, v }) => [m, v]),
    ]);
  assertEquals(
    await everything(after, stopped),
    await everything(whole, straight),
  );
});

Deno.test("an optimizer without parameters is refused", () => {
  assertThrows(() => new AdamW(new Map()), RangeError, "Cannot optimize");
});

Deno.test("options that make no sense are refused, each by its name", () => {
  const wrong: AdamWOptions[] = [
    { beta1: 1 },
    { beta2: -0.1 },
    { eps: -1e-8 },
    { weightDecay: NaN },
    { gradClip: -1 },
  ];
  using parameter = new Parameter(device, Float32Array.of(1), [1]);
  const before = device.bytesInUse;
  for (const options of wrong) {
    const [[name, value]] = Object.entries(options);
    assertThrows(
      () => new AdamW(new Map([["one", parameter]]), options),
      RangeError,
      `Cannot optimize: ${name} is ${value}`,
    );
  }
  assertEquals(device.bytesInUse, before);
});
