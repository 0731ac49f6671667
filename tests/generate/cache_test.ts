import {
  assertEquals,
  assertLessOrEqual,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import { KeyValueCache } from "../../lib/nn/cache.ts";
import { attention, concat, slice } from "../../lib/ops/mod.ts";
import { Random } from "../../lib/random.ts";
import { noGrad } from "../../lib/tensor/tape.ts";
import { type HostArray, Tensor } from "../../lib/tensor/tensor.ts";
import type { GPT2 } from "../../models/gpt2.ts";
import type { GPT2Config } from "../../models/gpt2_config.ts";
import { relativeDistance } from "../ops/case.ts";
import { release, someIds, tinyModel } from "./tiny_model.ts";
import { bothDevices, posingAsGpu } from "../both_devices.ts";

const devices = bothDevices();

function deviceFor(kind: "best" | "plain" | "gpu"): Device {
  return kind === "gpu" ? posingAsGpu(devices.best!) : devices[kind]!;
}

/** The logits at every position, read in chunks through a cache or at once. */
async function logitsOf(
  model: GPT2,
  ids: HostArray,
  [batch, time]: readonly [number, number],
  chunks?: readonly number[],
): Promise<HostArray> {
  const { device } = model.wte.weight;
  using _scope = device.scope();
  const whole = Tensor.from(device, ids, [batch, time]);
  if (chunks === undefined) {
    return await noGrad(() => model.forward(whole).read());
  }
  using cache = model.cache(batch);
  const parts: Tensor[] = [];
  let start = 0;
  for (const size of chunks) {
    const chunk = new Uint32Array(batch * size);
    for (let b = 0; b < batch; b++) {
      const from = b * time + start;
      chunk.set(ids.subarray(from, from + size), b * size);
    }
    const part = Tensor.from(device, chunk, [batch, size]);
    parts.push(noGrad(() => model.forward(part, { cache })));
    start += size;
    assertEquals(cache.length, start);
  }
  assertEquals(start, time);
  return await noGrad(() => concat(parts, 1).read());
}

function distance(a: HostArray, b: HostArray): number {
  assertEquals(a.length, b.length);
  let most = 0;
  for (const [i, v] of a.entries()) most = Math.max(most, Math.abs(v - b[i]));
  return most;
}

const sizes: readonly [string, Partial<GPT2Config>][] = [
  ["heads of 8", {}],
  ["heads of 7, without biases", { nEmbd: 21, bias: false }],
  ["heads of 80", { nEmbd: 160, nHead: 2 }],
  ["one head of 64 over 150 positions", {
    nEmbd: 64,
    nHead: 1,
    nLayer: 1,
    blockSize: 150,
  }],
];

for (const [name, config] of sizes) {
  for (const kind of ["best", "plain", "gpu"] as const) {
    Deno.test(`cached logits are the uncached ones: ${name} (${kind} kernels)`, async () => {
      const model = tinyModel(deviceFor(kind), config);
      const time = model.config.blockSize;
      const shape = [2, time] as const;
      const ids = someIds(2 * time);
      const expected = await logitsOf(model, ids, shape);
      const ones = (count: number) => new Array<number>(count).fill(1);
      for (
        const chunks of [
          [time],
          [1, time - 1],
          [time - 3, ...ones(3)],
          [7, 1, 1, 13, time - 22],
          ...(time <= 32 ? [ones(time)] : []),
        ]
      ) {
        const actual = await logitsOf(model, ids, shape, chunks);
        assertLessOrEqual(distance(actual, expected), 1e-4, `${chunks}`);
      }
      release(model);
    });
  }
}

for (const kind of ["best", "plain", "gpu"] as const) {
  Deno.test(`logits from a cache in f16 are near those in f32 (${kind} kernels)`, async () => {
    const device = deviceFor(kind);
    if (!device.features.has("shader-f16")) return;
    const config = { nEmbd: 64, nHead: 2, blockSize: 100 };
    const model = tinyModel(device, config);
    const half = tinyModel(device, config, { dtype: "f16" });
    const shape = [2, 100] as const;
    const ids = someIds(200);
    const expected = await logitsOf(model, ids, shape);
    const chunks = [70, 1, 20, ...new Array<number>(9).fill(1)];
    const actual = await logitsOf(half, ids, shape, chunks);
    assertLessOrEqual(relativeDistance(actual, expected), 1e-2);
    assertNotEquals(actual, expected);
    release(model);
    release(half);
  });
}

const sharedHeads = [
  { heads: 6, keyValueHeads: 2, size: 8, chunks: [90, 37, 1, 1, 1] },
  // So many that a GPU cuts 300 positions into four parts, of which one is empty.
  { heads: 64, keyValueHeads: 8, size: 4, chunks: [299, 1] },
];

for (const { chunks, ...sizes } of sharedHeads) {
  for (const kind of ["best", "plain", "gpu"] as const) {
    const { heads, keyValueHeads, size } = sizes;
    Deno.test(`a cache of ${heads} heads that share keys attends as attention() does (${kind} kernels)`, async () => {
      const device = deviceFor(kind);
      using _scope = device.scope();
      const time = chunks.reduce((sum, count) => sum + count);
      const shape = [2, time, (heads + 2 * keyValueHeads) * size];
      const qkv = Tensor.randn(device, shape, new Random(3));
      using cache = new KeyValueCache(device, {
        ...sizes,
        batch: 2,
        layers: 1,
        capacity: time,
      });
      const parts: Tensor[] = [];
      for (const count of chunks) {
        const start = cache.length;
        const part = slice(qkv, 1, start, start + count);
        parts.push(cache.attend(0, part));
        cache.advance(count);
      }
      const expected = attention(qkv, heads, { keyValueHeads });
      const actual = await concat(parts, 1).read();
      assertLessOrEqual(distance(actual, await expected.read()), 1e-5);
    });
  }
}

Deno.test("a cache in f16 takes half the memory", async () => {
  using device = await Device.open();
  const bytes = (dtype: "f32" | "f16") => {
    const before = device.bytesInUse;
    const sizes = { layers: 3, heads: 2, size: 64, capacity: 128, dtype };
    using _cache = new KeyValueCache(device, sizes);
    return device.bytesInUse - before;
  };
  assertEquals(bytes("f32"), 3 * 2 * 4 * 2 * 64 * 128);
  assertEquals(bytes("f16"), 3 * 2 * 2 * 2 * 64 * 128);
});

Deno.test("a cache that was reset reads as a new one", async () => {
  const device = devices.best!;
  const model = tinyModel(device);
  using _scope = device.scope();
  using cache = model.cache();
  const read = (ids: HostArray) => {
    const tensor = Tensor.from(device, ids, [1, ids.length]);
    return noGrad(() => model.forward(tensor, { cache })).read();
  };
  const fresh = await read(someIds(20));
  cache.reset();
  await read(someIds(32, 61, 3));
  cache.reset();
  assertEquals(cache.length, 0);
  assertEquals(await read(someIds(20)), fresh);
  release(model);
});

Deno.test("a cache refuses what it cannot hold, with the numbers", () => {
  const device = devices.best!;
  const model = tinyModel(device);
  using _scope = device.scope();
  using cache = model.cache(2);
  const qkv = (rows: number, time: number) =>
    Tensor.zeros(device, [rows, time, 72]);
  cache.attend(0, qkv(2, 30));
  cache.advance(30);
  assertThrows(
    () => cache.attend(0, qkv(2, 3)),
    RangeError,
    "Cannot cache [2,3,72] after 30 positions: it holds 2 rows of 32",
  );
  assertThrows(() => cache.attend(0, qkv(1, 1)), RangeError, "[1,1,72]");
  const ids = Tensor.from(device, someIds(6), [2, 3]);
  assertThrows(
    () => model.forward(ids, { cache }),
    RangeError,
    "Cannot read ids [2,3] after 30 others: expected [B, T] within a block of 32",
  );
  release(model);
});
