/**
 * Matrix products of matrices too long to bind, the copies they keep, and that
 * they give the same bits every time.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import { conv1d, gelu, linear, matmul } from "../../lib/ops/mod.ts";
import { product, type ProductOptions } from "../../lib/ops/product.ts";
import type { Variant } from "../../lib/ops/product_variants.ts";
import { Random } from "../../lib/random.ts";
import { Parameter } from "../../lib/tensor/parameter.ts";
import { noGrad } from "../../lib/tensor/tape.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";
import { assertNear } from "../ops/case.ts";
import { bothDevices } from "../both_devices.ts";

const devices = bothDevices();

/** The device, as if it bound no more than 64 KiB at once. */
function narrow(device: Device): Disposable {
  const { limits } = device;
  const narrowed = { ...limits, maxStorageBufferBindingSize: 1 << 16 };
  const set = (value: typeof limits) =>
    Object.defineProperty(device, "limits", { value, configurable: true });
  set(narrowed);
  return { [Symbol.dispose]: () => set(limits) };
}

/** The plainest way to multiply. */
const plain = (): Variant => ({
  family: "workgroup",
  tile: [32, 32, 8],
  repeat: 1,
  parts: 1,
});

/**
 * How a product ends: with GELU, times something, on a residual, or with sums of
 * columns.
 */
const ENDS = ["plain", "gelu", "times", "residual", "sums"] as const;

/** A product with bias, into a tensor that holds ones, and how it ends. */
async function computed(
  device: Device,
  [left, right]: readonly (readonly number[])[],
  options: ProductOptions,
  end: typeof ENDS[number],
): Promise<ArrayLike<number>> {
  using _scope = device.scope();
  const random = new Random(3);
  const a = Tensor.randn(device, left, random);
  const b = Tensor.randn(device, right, random);
  const rows = options.transposeA ? left[1] : left[0];
  const cols = options.transposeB ? right[0] : right[1];
  const bias = Tensor.randn(device, [cols], random);
  if (end === "gelu") {
    const slope = Tensor.empty(device, [rows, cols]);
    const y = await product(a, b, { ...options, bias, slope }).read();
    return [...y, ...await slope.read()];
  }
  const tensor = Tensor.ones(device, [rows, cols]);
  const into = { tensor, add: true };
  if (end === "times" || end === "residual") {
    const other = { [end]: Tensor.randn(device, [rows, cols], random) };
    return await product(a, b, { ...options, bias, into, ...other }).read();
  }
  const y = product(a, b, { ...options, bias, into });
  if (end === "plain") return await y.read();
  const sums = { tensor: Tensor.ones(device, [cols]), add: true };
  product(a, b, { ...options, into, sums });
  return await sums.tensor.read();
}

Deno.test("matrices too long to bind are multiplied in slices", async () => {
  const cases: [readonly (readonly number[])[], ProductOptions][] = [
    [[[300, 100], [100, 132]], {}], // a and c by rows
    [[[300, 128], [128, 192]], {}], // the same, with rows that are lines of images
    [[[5, 100], [600, 100]], { transposeB: true }], // b by columns of c
    [[[5, 600], [600, 100]], {}], // b by the shared axis
    [[[600, 100], [600, 20]], { transposeA: true }], // a by the shared axis
    [[[20, 600], [20, 100]], { transposeA: true }], // c by rows
    [[[400, 160], [200, 160]], { transposeB: true }], // all of them
  ];
  for (const device of [devices.best!, devices.plain!]) {
    for (const [shapes, options] of cases) {
      for (const end of ENDS) {
        const summed = !options.transposeB && device.prefersBroadcast;
        if (end === "sums" && !summed) continue;
        const whole = await computed(device, shapes, options, end);
        using _limit = narrow(device);
        const sliced = await computed(device, shapes, options, end);
        assertNear(sliced, whole, `${shapes} ${end}`, 1e-6);
      }
    }
    using _limit = narrow(device);
    const long = Tensor.ones(device, [300, 100]);
    assertThrows(() => gelu(long), RangeError, "binds at most 65536");
  }
});

Deno.test("a product gives the same bits every time", async () => {
  const shapes: [readonly (readonly number[])[], ProductOptions][] = [
    [[[96, 64], [64, 128]], {}],
    [[[300, 200], [200, 300]], {}],
    [[[3000, 40], [3000, 70]], { transposeA: true }], // in parts, on GPUs
    [[[1, 300], [301, 300]], { transposeB: true }],
  ];
  for (const device of [devices.best!, devices.plain!]) {
    for (const [[left, right], options] of shapes) {
      using _scope = device.scope();
      const random = new Random(8);
      const a = Tensor.randn(device, left, random);
      const b = Tensor.randn(device, right, random);
      const first = await product(a, b, options).read();
      const second = await product(a, b, options).read();
      assertEquals(first, second);
    }
  }
});

Deno.test("a twin is made of weights that stay, and goes when they change", async () => {
  const device = await Device.open();
  using _device = device;
  if (!device.prefersBroadcast) return;
  const random = new Random(2);
  const weight = new Parameter(device, random.normal(64 * 96), [64, 96]);
  const x = Tensor.randn(device, [1, 64], random);
  const y = async () => await noGrad(() => conv1d(x, weight)).read();
  const fresh = async () => await product(x, weight).read();

  const before = await fresh();
  assertEquals(device.images.bytes, 0);
  assertNear(await y(), before, "a product with a twin", 1e-6);
  const bytesOfImages = device.images.bytes;
  assert(bytesOfImages >= weight.bytes);
  assertNear(await y(), before, "a product with the same twin", 1e-6);
  assertEquals(device.images.bytes, bytesOfImages);

  weight.write(random.normal(64 * 96)); // by the host
  assertEquals(device.images.bytes, 0);
  const written = await y();
  assertNear(written, await fresh(), "a product after a write", 1e-6);
  assert(written[0] !== before[0]);

  weight.fill(0.5); // by a kernel
  assertEquals(device.images.bytes, 0);
  assertNear(await y(), await fresh(), "a product after a kernel", 1e-6);

  const learning = conv1d(x, weight);
  assert(learning.origin !== null);
  weight[Symbol.dispose]();
  device.flush();
  assertEquals(device.images.bytes, 0);
});

Deno.test("prompts of any length use the twin that writing made", async () => {
  using device = await Device.open();
  const random = new Random(2);
  const weight = new Parameter(device, random.normal(64 * 96), [96, 64]);
  for (const rows of [1, 3, 9, 33, 400]) {
    const x = Tensor.randn(device, [rows, 64], random);
    const y = await noGrad(() => linear(x, weight)).read();
    const expected = await product(x, weight, {
      transposeB: true,
      variant: plain,
    }).read();
    assertNear(y, expected, `${rows} rows`, 1e-6);
  }
});

Deno.test("twins in blocks of columns give what the memory gives, of any width", async () => {
  using device = await Device.open();
  const random = new Random(3);
  const depth = 97; // no multiple of four
  const half = device.features.has("shader-f16") ? [Float16Array] : [];
  // Columns of which a lane has five vectors of a block, four, three, two and one,
  // and which make no blocks.
  for (const cols of [640, 1024, 192, 384, 64, 100]) {
    for (const Numbers of [Float32Array, ...half]) {
      using _scope = device.scope();
      const numbers = Numbers.from(random.normal(depth * cols));
      const b = Tensor.from(device, numbers, [depth, cols]);
      for (const rows of [1, 3, 9, 33]) {
        const a = Tensor.randn(device, [rows, depth], random);
        const y = await product(a, b, { keep: true }).read();
        const expected = await product(a, b, { variant: plain }).read();
        assertNear(y, expected, `${rows} rows, ${cols} ${b.dtype}`, 1e-6);
      }
    }
  }
  const x = Tensor.randn(device, [1, 600], random);
  const long = Tensor.randn(device, [600, 128], random);
  const whole = await product(x, long, { variant: plain }).read();
  using _limit = narrow(device); // in slices along the shared axis
  assertNear(await product(x, long, { keep: true }).read(), whole, "cut", 1e-6);
});

Deno.test("linear layers and products leave gradients where they are wanted", async () => {
  for (const device of [devices.best!, devices.plain!]) {
    using _scope = device.scope();
    const random = new Random(6);
    const parameter = (...shape: number[]) => {
      const size = shape.reduce((size, n) => size * n, 1);
      return new Parameter(device, random.normal(size), shape);
    };
    const layer = [parameter(2, 7, 24), parameter(20, 24), parameter(20)];
    const factors = [parameter(3, 7, 12), parameter(3, 12, 8)];
    const odd = [parameter(5, 6), parameter(6, 7)];
    const single = [parameter(3, 4, 8), parameter(8, 12)];
    for (
      const [y, inputs] of [
        [linear(layer[0], layer[1], layer[2]), layer],
        [matmul(factors[0], factors[1]), factors],
        [matmul(single[0], single[1]), single],
        [conv1d(odd[0], odd[1]), odd],
      ] as const
    ) {
      const dy = Tensor.randn(device, y.shape, random);
      const wanted = y.origin!.backward(dy, inputs.map(() => null));
      for (const add of [false, true]) {
        const places = inputs.map(({ shape }) => ({
          tensor: Tensor.full(device, shape, 3),
          add,
        }));
        const given = y.origin!.backward(dy, places);
        for (const [i, gradient] of given.entries()) {
          assertEquals(gradient!.shape, inputs[i].shape);
          const placed = gradient === places[i].tensor;
          const expected = (await wanted[i]!.read())
            .map((slope) => slope + (placed && add ? 3 : 0));
          assertNear(await gradient!.read(), expected, `${y.origin!.op} ${i}`);
          const inFours = inputs[i].shape.at(-1)! % 4 === 0;
          assertEquals(placed, inFours && inputs[i] !== single[1]);
        }
      }
    }
    for (const parameter of [...layer, ...factors, ...odd, ...single]) {
      parameter[Symbol.dispose]();
    }
  }
});
