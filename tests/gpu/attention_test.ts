/**
 * Attention never makes the matrix of all probabilities. What it gives must be
 * what that matrix gives, forward and backward: worked out from our own ops, and
 * in double precision.
 */

import {
  assert,
  assertEquals,
  assertLess,
  assertLessOrEqual,
} from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import {
  attention,
  maskedFill,
  matmul,
  mul,
  permute,
  reshape,
  slice,
  softmax,
  sum,
} from "../../lib/ops/mod.ts";
import { tune } from "../../lib/gpu/tuner.ts";
import { attentionClass } from "../../lib/ops/attention_tuning.ts";
import { Random } from "../../lib/random.ts";
import { backward } from "../../lib/tensor/backward.ts";
import { Parameter } from "../../lib/tensor/parameter.ts";
import { noGrad } from "../../lib/tensor/tape.ts";
import { type HostArray, readAll, Tensor } from "../../lib/tensor/tensor.ts";
import { relativeDistance } from "../ops/case.ts";
import { bothDevices, posingAsGpu } from "../both_devices.ts";

const devices = bothDevices();

/** B, T, H, D, and how many heads of keys there are if not H. */
type Sizes = readonly [
  batch: number,
  time: number,
  heads: number,
  size: number,
  keyHeads?: number,
];

interface Numbers {
  readonly qkv: Float32Array<ArrayBuffer>; // [B, T, H + 2 G, D]
  readonly dy: Float32Array<ArrayBuffer>; // [B, T, H, D]
}

function numbersOf(
  [batch, time, heads, size, keyHeads = heads]: Sizes,
): Numbers {
  const random = new Random(time + size);
  const count = batch * time * size;
  return {
    qkv: random.normal((heads + 2 * keyHeads) * count),
    dy: random.normal(heads * count),
  };
}

/** The outputs and the gradient of the inputs, by the op under test. */
async function fused(
  device: Device,
  sizes: Sizes,
  { qkv, dy }: Numbers,
  dtype: "f32" | "f16" = "f32",
): Promise<HostArray[]> {
  using _scope = device.scope();
  const [batch, time, heads, size, keyValueHeads = heads] = sizes;
  const Host = dtype === "f16" ? Float16Array : Float32Array;
  const shape = [batch, time, heads * size];
  const packed = [batch, time, (heads + 2 * keyValueHeads) * size];
  const x = Tensor.from(device, Host.from(qkv), packed);
  x.origin = { op: "input", inputs: [], backward: () => [] };
  const y = attention(x, heads, { keyValueHeads });
  const g = Tensor.from(device, Host.from(dy), shape);
  const [dx] = noGrad(() => y.origin!.backward(g, [null]));
  assertEquals([y.dtype, dx!.dtype], [dtype, dtype]);
  return await readAll([y, dx!]);
}

/** The same by a matrix of scores for each head, from other ops. */
async function materialised(
  device: Device,
  [batch, time, heads, size]: Sizes,
  { qkv, dy }: Numbers,
): Promise<HostArray[]> {
  using _scope = device.scope();
  const channels = heads * size;
  using x = new Parameter(device, qkv, [batch, time, 3 * channels]);
  const [q, k, v] = [0, 1, 2].map((part) => {
    const rows = slice(x, 2, part * channels, (part + 1) * channels);
    return permute(reshape(rows, [batch, time, heads, size]), [0, 2, 1, 3]);
  });
  const scale = Tensor.full(device, [], 1 / Math.sqrt(size));
  const scores = mul(matmul(q, k, { transposeB: true }), scale);
  const future = Tensor.from(
    device,
    Uint32Array.from(
      { length: time * time },
      (_, at) => at % time > Math.floor(at / time) ? 1 : 0,
    ),
    [time, time],
  );
  const p = softmax(maskedFill(scores, future, -1e30));
  const y = permute(matmul(p, v), [0, 2, 1, 3]);
  const g = Tensor.from(device, dy, [batch, time, heads, size]);
  const whole = y.view(y.shape).keep();
  backward(sum(mul(y, g)));
  const read = await readAll([whole, x.grad!]);
  whole[Symbol.dispose]();
  return read;
}

/** The same in double precision. */
function exact(
  [batch, time, heads, size, keyHeads = heads]: Sizes,
  { qkv, dy }: { qkv: ArrayLike<number>; dy: ArrayLike<number> },
): Float64Array[] {
  const y = new Float64Array(dy.length);
  const dx = new Float64Array(qkv.length);
  const scale = 1 / Math.sqrt(size);
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      const served = Math.floor(h / (heads / keyHeads));
      const places = [h, heads + served, heads + keyHeads + served];
      const at = (t: number, part: number) =>
        ((b * time + t) * (heads + 2 * keyHeads) + places[part]) * size;
      const out = (t: number) => ((b * time + t) * heads + h) * size;
      for (let t = 0; t < time; t++) {
        const product = (
          a: ArrayLike<number>,
          from: number,
          other: number,
        ) => {
          let total = 0;
          for (let c = 0; c < size; c++) total += a[from + c] * qkv[other + c];
          return total;
        };
        const p = Array.from(
          { length: t + 1 },
          (_, s) => scale * product(qkv, at(t, 0), at(s, 1)),
        );
        const top = Math.max(...p);
        for (const [s, score] of p.entries()) p[s] = Math.exp(score - top);
        const all = p.reduce((a, b) => a + b);
        for (const s of p.keys()) p[s] /= all;
        const dp = p.map((_, s) => product(dy, out(t), at(s, 2)));
        const mean = p.reduce((total, p, s) => total + p * dp[s], 0);
        for (const [s, share] of p.entries()) {
          const ds = share * (dp[s] - mean) * scale;
          for (let c = 0; c < size; c++) {
            y[out(t) + c] += share * qkv[at(s, 2) + c];
            dx[at(t, 0) + c] += ds * qkv[at(s, 1) + c];
            dx[at(s, 1) + c] += ds * qkv[at(t, 0) + c];
            dx[at(s, 2) + c] += share * dy[out(t) + c];
          }
        }
      }
    }
  }
  return [y, dx];
}

function assertNear(
  actual: readonly ArrayLike<number>[],
  expected: readonly ArrayLike<number>[],
  most: number,
): void {
  for (const [i, name] of ["the result", "the gradient"].entries()) {
    const off = relativeDistance(
      Float64Array.from(actual[i]),
      Float64Array.from(expected[i]),
    );
    assertLessOrEqual(off, most, name);
  }
}

const LENGTHS = [1, 3, 37, 65, 257];
const HEAD_SIZES = [8, 20, 48, 64, 128];

for (const kind of ["best", "plain"] as const) {
  for (const size of HEAD_SIZES) {
    Deno.test(`attention() is the materialised one: heads of ${size} (${kind} kernels)`, async () => {
      const device = devices[kind]!;
      for (const time of LENGTHS) {
        const sizes = [2, time, 2, size] as const;
        const numbers = numbersOf(sizes);
        const actual = await fused(device, sizes, numbers);
        assertNear(actual, exact(sizes, numbers), 2e-6);
        const other = await materialised(device, sizes, numbers);
        assertNear(actual, other, 2e-6);
      }
    });
  }

  Deno.test(`attention() in f16 is within its rounding (${kind} kernels)`, async () => {
    const device = devices[kind]!;
    if (!device.features.has("shader-f16")) return;
    for (const [time, size] of [[37, 20], [9, 7]]) {
      const sizes = [2, time, 2, size] as const;
      const numbers = numbersOf(sizes);
      const actual = await fused(device, sizes, numbers, "f16");
      const rounded = {
        qkv: Float16Array.from(numbers.qkv),
        dy: Float16Array.from(numbers.dy),
      };
      assertNear(actual, exact(sizes, rounded), 1e-3);
    }
  });

  Deno.test(`attention() with heads of keys that are shared (${kind} kernels)`, async () => {
    for (
      const [time, heads, size, keyHeads] of [[37, 6, 8, 2], [19, 4, 7, 1]]
    ) {
      const sizes = [2, time, heads, size, keyHeads] as const;
      const numbers = numbersOf(sizes);
      const actual = await fused(devices[kind]!, sizes, numbers);
      assertNear(actual, exact(sizes, numbers), 2e-6);
    }
  });

  Deno.test(`attention() gives the same bits again (${kind} kernels)`, async () => {
    const sizes = [3, 65, 2, 64] as const;
    const once = await fused(devices[kind]!, sizes, numbersOf(sizes));
    const again = await fused(devices[kind]!, sizes, numbersOf(sizes));
    assertEquals(again, once);
  });
}

Deno.test("attention() gives the same in tiles of every shape", async () => {
  const device = devices.plain!;
  const [batch, time, heads, size] = [2, 70, 2, 20];
  const numbers = numbersOf([batch, time, heads, size]);
  const over = { batch, time, heads, keyHeads: heads, size };
  const all = { ...over, rate: 0, seed_x: 0, seed_y: 0 };
  const expected = exact([batch, time, heads, size], numbers);
  for (const tile of ["8x8x8", "8x4x2", "4x1x1"]) {
    for (const pass of ["forward", "backward"] as const) {
      const name = pass === "backward" && tile === "8x8x8" ? "8x8x4" : tile;
      device.tuning.settle(attentionClass(all, "f32", pass), name);
    }
    const actual = await fused(device, [batch, time, heads, size], numbers);
    assertNear(actual, expected, 2e-6);
  }
});

Deno.test("attention() as a GPU would run it is the materialised one", async () => {
  const device = posingAsGpu(devices.best!);
  for (const [batch, time, size] of [[1, 65, 64], [1, 37, 7], [16, 70, 20]]) {
    const sizes = [batch, time, 8, size] as const;
    const numbers = numbersOf(sizes);
    const actual = await fused(device, sizes, numbers);
    assertNear(actual, exact(sizes, numbers), 2e-6);
  }
});

Deno.test("the tuner finds every tile of attention() right, and settles on one", async () => {
  const device = posingAsGpu(devices.plain!);
  device.tuning.active = true;
  const sizes = [1, 16, 2, 8] as const;
  await fused(device, sizes, numbersOf(sizes));
  assertEquals(device.tuning.open.size, 2);
  const lines: string[] = [];
  await tune(device, { log: (line) => lines.push(line) });
  if (!device.features.has("timestamp-query")) return;
  assertEquals(device.tuning.open.size, 0);
  const over = { batch: 1, time: 16, heads: 2, keyHeads: 2, size: 8 };
  const heads = { ...over, rate: 0, seed_x: 0, seed_y: 0 };
  for (const pass of ["forward", "backward"] as const) {
    const key = attentionClass(heads, "f32", pass);
    assert(device.tuning.choices.has(key), lines.join("\n"));
  }
  assertEquals(lines.filter((line) => line.includes("dropped")), []);
});

Deno.test("attention() takes memory that grows with time, not with its square", async () => {
  const heads = 4;
  const peakOver = async (time: number) => {
    using device = await Device.open();
    const sizes = [1, time, heads, 8] as const;
    await fused(device, sizes, numbersOf(sizes));
    return device.bytesPeak;
  };
  const [short, long] = [await peakOver(256), await peakOver(2048)];
  assertLess(long, 8.5 * short);
  assert(long < 4 * heads * 2048 ** 2 / 16, `${long} bytes`);
});
