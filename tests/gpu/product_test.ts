/**
 * Every way of computing a matrix product, against loops over doubles.
 */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import type { Device } from "../../lib/gpu/device.ts";
import { product, type ProductOptions } from "../../lib/ops/product.ts";
import {
  tiledVariant,
  tileNames,
  type Variant,
} from "../../lib/ops/product_variants.ts";
import { Random } from "../../lib/random.ts";
import { type Dtype, Tensor } from "../../lib/tensor/tensor.ts";
import { bothDevices } from "../both_devices.ts";
import * as reference from "../reference.ts";

const devices = bothDevices();

const FORMS = [
  { transposeA: false, transposeB: false },
  { transposeA: false, transposeB: true },
  { transposeA: true, transposeB: false },
  { transposeA: true, transposeB: true },
];

/** Rows, depth and columns: around every edge of a tile, and far from one. */
const SIZES = [
  [1, 1, 1],
  [3, 37, 65],
  [4, 300, 301],
  [37, 5, 3],
  [65, 131, 37],
  [130, 40, 260],
  [70, 128, 256], // rows that images hold one to a line
  [64, 67, 128], // the same, but for those of 67
] as const;

type Sizes = readonly [rows: number, depth: number, cols: number];
type Types = readonly [a: Dtype, b: Dtype, c: Dtype];

const SINGLE: Types = ["f32", "f32", "f32"];

/** Numbers that both types hold. */
function numbers(random: Random, size: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: size }, () => random.integer(65) / 32 - 1);
}

function tensor(
  device: Device,
  data: Float32Array<ArrayBuffer>,
  shape: readonly number[],
  dtype: Dtype,
): Tensor {
  const host = dtype === "f16" ? Float16Array.from(data) : data;
  return Tensor.from(device, host, shape);
}

/** Fails unless a product is what it should be, when written and when added. */
async function check(
  device: Device,
  [rows, depth, cols]: Sizes,
  options: ProductOptions,
  types: Types = SINGLE,
): Promise<void> {
  using _scope = device.scope();
  const random = new Random(rows + depth + cols);
  const shapes = [
    options.transposeA ? [depth, rows] : [rows, depth],
    options.transposeB ? [cols, depth] : [depth, cols],
  ];
  const data = shapes.map(([m, n]) => numbers(random, m * n));
  const [a, b] = shapes.map((shape, i) =>
    tensor(device, data[i], shape, types[i])
  );
  const bias = numbers(random, cols);
  const [a64, b64] = shapes.map((shape, i) => ({
    data: Float64Array.from(data[i]),
    shape,
  }));
  const expected = reference.matmul(a64, b64, options).data
    .map((sum, i) => sum + bias[i % cols]);
  // Sums of 65536ths below 2^24 are exact in f32; f16 keeps eleven bits.
  const compare = async (c: Tensor, row: number, more: number) => {
    const actual = await c.read();
    assertEquals(c.dtype, types[2]);
    for (let i = 0; i < rows * cols; i++) {
      const wanted = expected[i] + more;
      const got = actual[Math.floor(i / cols) * row + i % cols];
      const limit = types[2] === "f16" ? 2e-3 * Math.abs(wanted) + 1e-3 : 1e-4;
      assert(
        Math.abs(got - wanted) <= limit,
        `element ${i} is ${got}, expected ${wanted}`,
      );
    }
  };
  const given = { ...options, bias: Tensor.from(device, bias) };
  await compare(product(a, b, { ...given, dtype: types[2] }), cols, 0);
  const row = 4 * Math.ceil(cols / 4) + 4;
  const into = Tensor.full(device, [rows, row], 2, types[2]);
  const c = product(a, b, { ...given, into: { tensor: into, add: true } });
  assertEquals(c, into);
  await compare(c, row, 2);
  assertEquals((await c.read())[row - 1], 2);
}

function describe(variant: Variant): string {
  return Object.values(variant).join(" ");
}

/** What the table for software adapters chooses from. */
const broadcast: Variant[] = ([
  [4, 1, "buffers"],
  [16, 2, "buffers"],
  [32, 1, "buffers"],
  [4, 1, "image b"],
  [16, 2, "image b"],
  [32, 1, "image b"],
  [32, 1, "images"],
  [64, 1, "images"],
] as const).map(([rows, vectors, sources]) => ({
  family: "subgroup",
  tile: [rows, vectors],
  sources,
}));

for (const variant of broadcast) {
  Deno.test(`a product by ${describe(variant)}`, async () => {
    if (!devices.best!.prefersBroadcast) return;
    for (const form of FORMS) {
      for (const sizes of SIZES) {
        await check(devices.best!, sizes, { ...form, variant: () => variant });
      }
    }
  });
}

Deno.test("what images held before reaches no product", async () => {
  const device = devices.best!;
  if (!device.prefersBroadcast) return;
  const variant = broadcast.at(-1)!; // from images
  const [rows, cols] = [64, 128]; // which images hold one to a line
  for (const form of FORMS) {
    for (const depth of [65, 66, 67]) {
      using _scope = device.scope();
      const options = { variant: () => variant };
      for (let images = 0; images < 6; images += 2) {
        const lines = (length: number) =>
          Tensor.full(device, [depth + 5, length], NaN);
        product(lines(rows), lines(cols), { ...options, transposeA: true });
      }
      await check(device, [rows, depth, cols], { ...form, ...options });
    }
  }
});

/** GELU as its authors approximate it. */
function gelu(x: number): number {
  const inner = Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
  return x * (1 + Math.tanh(inner)) / 2;
}

Deno.test("ends of a product that are written in parts, at the edges of tiles", async () => {
  if (!devices.best!.prefersBroadcast) return;
  const device = devices.best!;
  for (const variant of broadcast.slice(-2)) {
    for (const rows of [1, 16, 17, 40, 64, 65, 130]) {
      using _scope = device.scope();
      const random = new Random(rows);
      const [depth, cols] = [8, 68];
      const a = Tensor.from(device, numbers(random, rows * depth), [
        rows,
        depth,
      ]);
      const b = Tensor.from(device, numbers(random, depth * cols), [
        depth,
        cols,
      ]);
      const times = Tensor.randn(device, [rows, cols], random);
      const slope = Tensor.empty(device, [rows, cols]);
      const given = { variant: () => variant };
      const sums = await product(a, b, given).read();
      const y = await product(a, b, { ...given, slope }).read();
      const slopes = await slope.read();
      const scaled = await product(a, b, { ...given, times }).read();
      const factors = await times.read();
      const on = await product(a, b, { ...given, residual: times }).read();
      for (let i = 0; i < rows * cols; i++) {
        const x = sums[i];
        const row = Math.floor(i / cols);
        const what = `${describe(variant)}, ${rows} rows, row ${row}`;
        assertAlmostEquals(y[i], gelu(x), 2e-6, what);
        const rise = (gelu(x + 1e-4) - gelu(x - 1e-4)) / 2e-4;
        assertAlmostEquals(slopes[i], rise, 2e-6, what);
        assertAlmostEquals(scaled[i], x * factors[i], 1e-6, what);
        assertAlmostEquals(on[i], x + factors[i], 1e-6, what);
      }
    }
  }
});

Deno.test("a product by every tile for GPUs, whole and in parts", async () => {
  const device = devices.plain!;
  const shape = { batch: 1, rows: 9, cols: 9, depth: 9, ...FORMS[0] };
  const names = tileNames(device, shape);
  assert(names.length >= 4, `only ${names} fit`);
  for (const name of names) {
    for (const form of FORMS) {
      for (const sizes of SIZES) {
        for (const parts of [1, 3]) {
          const variant = { ...tiledVariant(name, shape), parts } as Variant;
          await check(device, sizes, { ...form, variant: () => variant });
        }
      }
    }
  }
});

Deno.test("a product of few rows", async () => {
  for (const device of [devices.best!, devices.plain!]) {
    for (const rows of [1, 2, 4]) {
      for (const transposeB of [false, true]) {
        for (const [, depth, cols] of SIZES) {
          const options = (sources: "buffers" | "image b") => ({
            transposeB,
            variant: () => ({ family: "rows", rows, sources }) as const,
          });
          await check(device, [rows, depth, cols], options("buffers"));
          await check(device, [rows, depth, cols], options("image b"));
        }
      }
    }
  }
});

Deno.test("a row times more columns than a grid is wide has them all", async () => {
  const device = devices.plain!;
  using _scope = device.scope();
  const COLS = 4 * 65_535 + 8;
  const numbers = Float32Array.from({ length: 4 * COLS }, (_, i) => i >> 2);
  const b = Tensor.from(device, numbers, [1, COLS, 4]);
  const a = Tensor.ones(device, [1, 1, 4]);
  const c = await product(a, b, { transposeB: true }).read();
  assertEquals(c.length, COLS);
  assertEquals(c.findIndex((sum, i) => sum !== 4 * i), -1);
});

Deno.test("a product of any mixture of types", async () => {
  if (!devices.best!.features.has("shader-f16")) return;
  const mixtures: Types[] = [
    ["f16", "f16", "f16"],
    ["f16", "f32", "f16"],
    ["f32", "f16", "f32"],
    ["f16", "f16", "f32"],
    ["f32", "f32", "f16"],
  ];
  const row: Variant = { family: "rows", rows: 1, sources: "image b" };
  for (const device of [devices.best!, devices.plain!]) {
    for (const [i, types] of mixtures.entries()) {
      const form = FORMS[i % 3];
      for (const sizes of [SIZES[2], SIZES[4]]) {
        await check(device, sizes, form, types);
      }
      await check(device, [1, 37, 65], { variant: () => row }, types);
      if (!device.prefersBroadcast) continue;
      const images = { ...form, variant: () => broadcast.at(-1)! };
      await check(device, SIZES[4], images, types);
    }
  }
});

Deno.test("a product of some of what its factors hold", async () => {
  for (const device of [devices.best!, devices.plain!]) {
    using _scope = device.scope();
    const random = new Random(5);
    const [rows, depth, cols, wide] = [37, 65, 24, 68];
    const data = numbers(random, rows * wide)
      .map((number, i) => i % wide < depth ? number : 0);
    const weight = numbers(random, depth * cols);
    const a = Tensor.from(device, data, [rows, wide]);
    const b = Tensor.from(device, weight, [depth, cols]);
    const expected = reference.matmul(
      { data: Float64Array.from(data), shape: [rows, wide] },
      {
        data: Float64Array.from([...weight, ...Array(3 * cols).fill(0)]),
        shape: [wide, cols],
      },
    );
    const c = await product(a, b, { sizes: { depth } }).read();
    assertEquals([...c], [...expected.data]);
    const turned = product(a, c.length ? a : b, {
      transposeA: true,
      sizes: { rows: depth },
    });
    assertEquals(turned.shape, [1, depth, wide]);
  }
});
