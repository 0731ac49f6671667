/**
 * Dropout: what it drops is random, all else about it is not.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import { attention, dropout, mul, sum } from "../../lib/ops/mod.ts";
import { Random } from "../../lib/random.ts";
import { backward } from "../../lib/tensor/backward.ts";
import { Parameter } from "../../lib/tensor/parameter.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";
import * as reference from "../reference.ts";
import type { Array64 } from "../reference.ts";
import { assertClose, checkGradient } from "./case.ts";

let device: Device;

Deno.test.beforeAll(async () => {
  device = await Device.open();
});

Deno.test.afterAll(() => device[Symbol.dispose]());

/** What dropout keeps of `size` ones: 1 kept, 0 dropped. */
async function kept(
  size: number,
  rate: number,
  random: Random,
): Promise<Float32Array> {
  using _scope = device.scope();
  const y = await dropout(Tensor.ones(device, [size]), rate, random).read();
  return Float32Array.from(y, (value) => value === 0 ? 0 : 1);
}

/** Fails unless `mean` is where the average of that many coin flips falls. */
function assertChance(mean: number, chance: number, flips: number) {
  const deviation = Math.sqrt(chance * (1 - chance) / flips);
  assert(
    Math.abs(mean - chance) < 5 * deviation,
    `${mean} of ${flips} is not ${chance} ± ${deviation}`,
  );
}

function average(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

for (const rate of [0.1, 0.5, 0.9]) {
  Deno.test(`dropout() drops ${rate} of the elements and scales the rest`, async () => {
    using _scope = device.scope();
    const random = new Random(3);
    const data = random.normal(100_003).map((v) => v + Math.sign(v));
    const x = new Parameter(device, data, [data.length]);
    const y = dropout(x, rate, random);
    const forward = Float32Array.from(await y.read());
    const mask = forward.map((v) => v === 0 ? 0 : 1);
    assertChance(average(mask), 1 - rate, mask.length);
    assertClose(forward, data.map((v, i) => v * mask[i] / (1 - rate)));

    const dy = random.normal(data.length);
    backward(sum(mul(y, Tensor.from(device, dy, y.shape))));
    const dx = await x.grad!.read();
    assertClose(dx, dy.map((v, i) => v * mask[i] / (1 - rate)));
  });
}

Deno.test("dropout() of rate 0 changes nothing", async () => {
  using _scope = device.scope();
  const data = new Random(1).normal(37);
  const x = Tensor.from(device, data, [37]);
  assertEquals(await dropout(x, 0, new Random(1)).read(), data);
});

Deno.test("dropout() is decided by the seed and the place in its stream", async () => {
  const [first, again] = [new Random(5), new Random(5)];
  const mask = await kept(4099, 0.5, first);
  assertEquals(await kept(4099, 0.5, again), mask);
  assertEquals(again.state, first.state);
  const next = await kept(4099, 0.5, first);
  const other = await kept(4099, 0.5, new Random(6));
  for (const [what, second] of Object.entries({ next, other })) {
    const same = mask.map((bit, i) => bit === second[i] ? 1 : 0);
    assert(same.includes(0), what);
    assertChance(average(same), 0.5, same.length);
  }
});

Deno.test("dropout() drops neighbours and rows independently", async () => {
  const mask = await kept(200_003, 0.5, new Random(7));
  for (const lag of [1, 2, 3, 4, 31, 32, 64, 128, 256, 1024, 4096, 65536]) {
    const same = mask.subarray(lag).map((bit, i) => bit === mask[i] ? 1 : 0);
    assertChance(average(same), 0.5, same.length);
  }
});

for (const rate of [-0.1, 1.5, NaN]) {
  Deno.test(`dropout() refuses a rate of ${rate}`, () => {
    using _scope = device.scope();
    const x = Tensor.ones(device, [3]);
    assertThrows(() => dropout(x, rate, new Random(1)), RangeError, `${rate}`);
    const qkv = Tensor.ones(device, [1, 2, 6]);
    assertThrows(
      () => attention(qkv, 1, { dropout: { rate, random: new Random(1) } }),
      RangeError,
      `${rate}`,
    );
  });
}

/** Sizes of an attention whose heads are at least as wide as time is long. */
interface Sizes {
  readonly batch: number;
  readonly time: number;
  readonly heads: number;
  readonly size: number;
}

/**
 * Which attention weights dropout keeps: [B, H, T, T]. Without queries all
 * weights are equal, and unit vectors as values hand them out one by one.
 */
async function keptWeights(
  { batch, time, heads, size }: Sizes,
  rate: number,
  random: Random,
): Promise<Array64> {
  using _scope = device.scope();
  const channels = heads * size;
  const qkv = new Float32Array(batch * time * 3 * channels);
  for (let row = 0; row < batch * time; row++) {
    for (let h = 0; h < heads; h++) {
      qkv[row * 3 * channels + 2 * channels + h * size + row % time] = 1;
    }
  }
  const x = Tensor.from(device, qkv, [batch, time, 3 * channels]);
  const y = await attention(x, heads, { dropout: { rate, random } }).read();
  return reference.build(
    [batch, heads, time, time],
    ([b, h, t, s]) => y[(b * time + t) * channels + h * size + s] === 0 ? 0 : 1,
  );
}

/** The same, with documents of `length` tokens side by side. */
interface Documents extends Sizes {
  readonly length?: number;
}

const attentions: readonly Documents[] = [
  { batch: 2, time: 13, heads: 2, size: 16 },
  { batch: 1, time: 37, heads: 3, size: 40 },
  { batch: 1, time: 70, heads: 1, size: 72 },
  { batch: 2, time: 37, heads: 2, size: 40, length: 10 },
];

for (const sizes of attentions) {
  const { batch, time, heads, size, length } = sizes;
  const rate = 0.3;
  const shape = [batch, time, 3 * heads * size];

  const starts = length && {
    data: Float64Array.from(
      { length: batch * time },
      (_, i) => i % time - i % time % length,
    ),
    shape: [batch, time],
  };
  const what = length ? ` in documents of ${length}` : "";

  Deno.test(`attention() with dropout agrees with its reference on [${shape}]${what}`, async () => {
    using _scope = device.scope();
    const keep = await keptWeights(sizes, rate, new Random(9));
    const seen: number[] = [];
    keep.data.forEach((bit, i) => {
      const [t, s] = [Math.floor(i / time) % time, i % time];
      if (s <= t) seen.push(bit);
      else assertEquals(bit, 0, "a token attends to a later one");
    });
    assertChance(average(Float32Array.from(seen)), 1 - rate, seen.length);

    const random = new Random(10);
    const data = random.normal(reference.count(shape));
    const qkv = new Parameter(device, data, shape);
    const y = attention(qkv, heads, {
      dropout: { rate, random: new Random(9) },
      ...(starts && {
        starts: Tensor.from(device, Uint32Array.from(starts.data), [
          batch,
          time,
        ]),
      }),
    });
    const expect = (x: Array64) =>
      reference.attention(x, heads, { rate, keep, ...(starts && { starts }) });
    const inputs = [{ data: Float64Array.from(data), shape }];
    assertClose(await y.read(), expect(inputs[0]).data);

    const dy = random.normal(y.size);
    backward(sum(mul(y, Tensor.from(device, dy, y.shape))));
    const dy64 = { data: Float64Array.from(dy), shape: y.shape };
    const slope = (along: number | Float32Array) =>
      reference.slope(expect, inputs, { input: 0, along, dy: dy64 });
    checkGradient(await qkv.grad!.read(), slope, random);
  });
}
