/**
 * Attention over documents side by side is attention over each, by whatever
 * kernels and in whatever tiles.
 */

import { assertEquals, assertLessOrEqual } from "@std/assert";
import type { Device } from "../../lib/gpu/device.ts";
import { attention, concat, mul, slice, sum } from "../../lib/ops/mod.ts";
import { attentionClass } from "../../lib/ops/attention_tuning.ts";
import { Random } from "../../lib/random.ts";
import { backward } from "../../lib/tensor/backward.ts";
import { Parameter } from "../../lib/tensor/parameter.ts";
import { type HostArray, readAll, Tensor } from "../../lib/tensor/tensor.ts";
import { relativeDistance } from "../ops/case.ts";
import { bothDevices, posingAsGpu } from "../both_devices.ts";

const devices = bothDevices();

/** The sizes of heads, and the lengths of the documents of every row. */
interface Sizes {
  readonly batch: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly size: number;
  readonly lengths: readonly number[];
}

/** Where each document begins, and where all end. */
function edges({ lengths }: Sizes): number[] {
  const edges = [0];
  for (const length of lengths) edges.push(edges.at(-1)! + length);
  return edges;
}

/** The outputs and the gradient of the inputs: side by side, or each alone. */
async function attended(
  device: Device,
  sizes: Sizes,
  sideBySide: boolean,
): Promise<HostArray[]> {
  using _scope = device.scope();
  const { batch, heads, keyValueHeads, size } = sizes;
  const begins = edges(sizes);
  const time = begins.at(-1)!;
  const random = new Random(time);
  const packed = [batch, time, (heads + 2 * keyValueHeads) * size];
  const count = packed.reduce((product, n) => product * n);
  using qkv = new Parameter(device, random.normal(count), packed);
  const together = () => {
    const row = Uint32Array.from(
      { length: batch * time },
      (_, i) => begins.findLast((begin) => begin <= i % time)!,
    );
    const starts = Tensor.from(device, row, [batch, time]);
    return attention(qkv, heads, { keyValueHeads, starts });
  };
  const apart = () => {
    const parts = begins.slice(1).map((end, i) =>
      attention(slice(qkv, 1, begins[i], end), heads, { keyValueHeads })
    );
    return concat(parts, 1);
  };
  const y = (sideBySide ? together() : apart()).keep();
  const weights = Tensor.randn(device, y.shape, random);
  backward(sum(mul(y, weights)));
  const read = await readAll([y, qkv.grad!]);
  y[Symbol.dispose]();
  return read;
}

async function expectSame(device: Device, sizes: Sizes): Promise<void> {
  const expected = await attended(device, sizes, false);
  const actual = await attended(device, sizes, true);
  for (const [i, name] of ["the result", "the gradient"].entries()) {
    assertLessOrEqual(relativeDistance(actual[i], expected[i]), 2e-6, name);
  }
  assertEquals(await attended(device, sizes, true), actual, "the same bits");
}

const many = Array.from({ length: 40 }, (_, i) => 1 + i % 7);
const tried: readonly Sizes[] = [
  { batch: 2, heads: 2, keyValueHeads: 2, size: 20, lengths: [37, 1, 32] },
  { batch: 1, heads: 4, keyValueHeads: 2, size: 64, lengths: [16, 16, 65] },
  { batch: 1, heads: 3, keyValueHeads: 1, size: 7, lengths: many },
];

for (const kind of ["best", "plain"] as const) {
  for (const sizes of tried) {
    Deno.test(`attention() over ${sizes.lengths.length} documents side by side, heads of ${sizes.size} (${kind} kernels)`, async () => {
      await expectSame(devices[kind]!, sizes);
    });
  }
}

Deno.test("attention() over documents gives the same in tiles of every shape", async () => {
  const device = devices.plain!;
  const [sizes] = tried;
  const { batch, heads, keyValueHeads: keyHeads, size } = sizes;
  const over = { batch, time: edges(sizes).at(-1)!, heads, keyHeads, size };
  const all = { ...over, rate: 0, seed_x: 0, seed_y: 0 };
  for (const tile of ["8x8x8", "8x4x2", "4x1x1"]) {
    for (const pass of ["forward", "backward"] as const) {
      const name = pass === "backward" && tile === "8x8x8" ? "8x8x4" : tile;
      device.tuning.settle(attentionClass(all, "f32", pass), name);
    }
    await expectSame(device, sizes);
  }
});

Deno.test("attention() over documents as a GPU would run it", async () => {
  const device = posingAsGpu(devices.best!);
  for (const sizes of tried) await expectSame(device, sizes);
});

Deno.test("attention() over documents does not visit those that no row of a block sees", async () => {
  const { best, plain } = devices;
  for (const device of [best!, plain!, posingAsGpu(plain!)]) {
    for (const wrong of [0, 2]) {
      for (const parts of await aroundNaN(device, wrong)) {
        // What is visited and then weighed by 0 would be NaN all the same. The
        // last queries that meet a block's keys may be of the document after it.
        for (const [part, isNaN] of parts.entries()) {
          if (part !== wrong - 1) assertEquals(isNaN, part === wrong);
        }
      }
    }
  }
});

/** Which of four documents of 64 turn to NaN if all of one is. */
async function aroundNaN(device: Device, wrong: number): Promise<boolean[][]> {
  using _scope = device.scope();
  const [length, channels] = [64, 32];
  const begins = [0, 1, 2, 3].map((part) => part * length);
  const time = 4 * length;
  const numbers = new Random(1).normal(time * 3 * channels);
  const [from, to] = [wrong, wrong + 1].map((n) => n * length * 3 * channels);
  numbers.fill(NaN, from, to);
  using qkv = new Parameter(device, numbers, [1, time, 3 * channels]);
  const row = Uint32Array.from(
    { length: time },
    (_, t) => t - t % length,
  );
  const starts = Tensor.from(device, row, [1, time]);
  const y = attention(qkv, 1, { starts }).keep();
  backward(sum(y));
  const read = await readAll([y, qkv.grad!]);
  y[Symbol.dispose]();
  return read.map((values) =>
    begins.map((begin) => {
      const width = values.length / time;
      const part = values.subarray(begin * width, (begin + length) * width);
      return part.some(Number.isNaN);
    })
  );
}
