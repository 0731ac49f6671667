/**
 * The chain rule through graphs: sharing, accumulation, and going without.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import * as ops from "../../lib/ops/mod.ts";
import { Random } from "../../lib/random.ts";
import { backward } from "../../lib/tensor/backward.ts";
import { noGrad } from "../../lib/tensor/tape.ts";
import { Parameter } from "../../lib/tensor/parameter.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";
import { assertClose } from "./case.ts";

let device: Device;

Deno.test.beforeAll(async () => {
  device = await Device.open();
});

Deno.test.afterAll(() => device[Symbol.dispose]());

function parameter(...values: number[]): Parameter {
  return new Parameter(device, Float32Array.from(values), [values.length]);
}

async function gradient({ grad }: Parameter): Promise<number[]> {
  assert(grad, "there is no gradient");
  return [...await grad.read()];
}

Deno.test("backward() adds to the gradient that is there", async () => {
  using _scope = device.scope();
  const x = parameter(1, 2, 3);
  assertEquals(x.grad, null);
  backward(ops.sum(ops.mul(x, 2)));
  assertEquals(await gradient(x), [2, 2, 2]);
  backward(ops.sum(ops.mul(x, x)));
  assertEquals(await gradient(x), [4, 6, 8]);
  backward(ops.sum(ops.mul(x, x)));
  assertEquals(await gradient(x), [6, 10, 14]);
});

Deno.test("backward() of two halves of a batch adds up to the whole", async () => {
  const random = new Random(2);
  const [weights, xs] = [random.normal(5 * 7), random.normal(4 * 7)];
  const classes = Uint32Array.of(0, 3, 4, 1);
  const run = async (batches: number) => {
    using _scope = device.scope();
    const weight = new Parameter(device, weights, [5, 7]);
    const rows = 4 / batches;
    for (let b = 0; b < batches; b++) {
      const part = xs.slice(b * rows * 7, (b + 1) * rows * 7);
      const x = Tensor.from(device, part, [rows, 7]);
      const ids = classes.slice(b * rows, (b + 1) * rows);
      const targets = Tensor.from(device, ids, [rows]);
      const loss = ops.crossEntropy(ops.linear(x, weight), targets);
      backward(ops.div(loss, batches));
    }
    return await gradient(weight);
  };
  assertClose(await run(2), await run(1));
  assertClose(await run(4), await run(1));
});

Deno.test("backward() adds over every path to a parameter", async () => {
  using _scope = device.scope();
  const x = parameter(0.5, -1, 2);
  const square = ops.mul(x, x); // x²
  const cube = ops.mul(square, x); // x³
  const y = ops.add(ops.add(square, cube), ops.add(x, x)); // x² + x³ + 2x
  backward(ops.sum(y));
  assertClose(
    await gradient(x),
    [0.5, -1, 2].map((v) => 2 * v + 3 * v * v + 2),
  );
});

Deno.test("backward() of a parameter itself is one", async () => {
  using _scope = device.scope();
  const x = new Parameter(device, Float32Array.of(3), []);
  backward(x);
  assertEquals(await gradient(x), [1]);
});

Deno.test("backward() follows views of one memory apart", async () => {
  using _scope = device.scope();
  const x = parameter(1, 2, 3, 4);
  const a = ops.reshape(x, [2, 2]);
  const b = ops.reshape(x, [4]);
  const y = ops.add(ops.sum(ops.mul(a, a)), ops.sum(ops.mul(b, 10)));
  backward(y);
  assertEquals(await gradient(x), [12, 14, 16, 18]);
});

Deno.test("backward() goes through thousands of ops", async () => {
  using _scope = device.scope();
  const x = parameter(1, 2);
  let y: Tensor = x;
  for (let i = 0; i < 4000; i++) y = ops.add(y, 1);
  backward(ops.sum(y));
  assertEquals(await gradient(x), [1, 1]);
});

Deno.test("backward() leaves parameters alone that the loss does not need", () => {
  using _scope = device.scope();
  const [x, unused] = [parameter(1, 2), parameter(3, 4)];
  ops.mul(unused, 2);
  backward(ops.sum(x));
  assertEquals(unused.grad, null);
});

Deno.test("whole numbers carry no gradient", async () => {
  using _scope = device.scope();
  const x = parameter(1.5, 2.5);
  const floor = ops.to(ops.to(x, "i32"), "f32");
  backward(ops.sum(ops.mul(x, floor)));
  assertEquals(await gradient(x), [1, 2]);
});

Deno.test("noGrad() records nothing inside, and everything after", async () => {
  using _scope = device.scope();
  const x = parameter(1, 2);
  const constant = noGrad(() => ops.mul(x, 3));
  assertEquals(constant.needsGrad, false);
  assertThrows(
    () =>
      noGrad(() => {
        throw new RangeError("inside");
      }),
    RangeError,
    "inside",
  );
  backward(ops.sum(ops.mul(x, constant)));
  assertEquals(await gradient(x), [3, 6]);
});

Deno.test("noGrad() nests", () => {
  using _scope = device.scope();
  const x = parameter(1, 2);
  noGrad(() => {
    noGrad(() => ops.mul(x, 2));
    assertEquals(ops.mul(x, 2).needsGrad, false);
  });
  assertEquals(ops.mul(x, 2).needsGrad, true);
});

Deno.test("backward() refuses a loss that is not one number, or has no graph", () => {
  using _scope = device.scope();
  const x = parameter(1, 2);
  assertThrows(() => backward(ops.mul(x, 2)), Error, "[2]");
  const constant = Tensor.from(device, Float32Array.of(1), []);
  assertThrows(() => backward(constant), Error);
});

Deno.test("a GELU is passed on the way, where nothing else reads it", async () => {
  const random = new Random(5);
  const values = [random.normal(48 * 32), random.normal(32 * 64, 0.1)];
  const weights = random.normal(64 * 20);
  const run = async (fused: boolean, others: number) => {
    using _scope = device.scope();
    const x = new Parameter(device, values[0], [48, 32]);
    const [wide, narrow] = [[32, 64, values[1]], [64, 20, weights]].map((
      [inputs, outputs, data],
    ) =>
      new Parameter(
        device,
        data as Float32Array<ArrayBuffer>,
        [inputs as number, outputs as number],
      )
    );
    const y = ops.conv1d(x, wide, null, { activation: "gelu" });
    // Through a view, what was made by a GELU is not seen.
    const between = fused ? y : ops.reshape(y, [48, 64]);
    const z = ops.conv1d(between, narrow);
    let loss = ops.sum(ops.mul(z, z));
    for (let i = 0; i < others; i++) loss = ops.add(loss, ops.sum(y));
    const before = device.counters.dispatches;
    backward(loss);
    const dispatches = device.counters.dispatches - before;
    const gradients = await Promise.all([x, wide, narrow].map(gradient));
    return { dispatches, gradients: gradients.flat() };
  };
  for (const others of [0, 1, 2]) {
    const [fused, apart] = [await run(true, others), await run(false, others)];
    assertClose(fused.gradients, apart.gradients);
    if (others === 0) assertEquals(apart.dispatches - fused.dispatches, 1);
  }
});

Deno.test("a step gives back all the memory it took", async () => {
  const random = new Random(4);
  const weight = new Parameter(device, random.normal(37 * 23), [37, 23]);
  const used: number[] = [];
  for (let step = 0; step < 4; step++) {
    {
      using _scope = device.scope();
      const x = Tensor.from(device, random.normal(5 * 37), [5, 37]);
      const y = ops.gelu(ops.conv1d(x, weight));
      const parts = ops.concat([y, ops.softmax(y)], 1);
      const loss = ops.mean(ops.mul(parts, parts));
      backward(loss);
      await loss.read();
    }
    used.push(device.bytesInUse);
  }
  assertEquals(used.slice(1), used.slice(1).map(() => used[1]));
});

Deno.test("the same graph gives the same bits", async () => {
  const run = async () => {
    using _scope = device.scope();
    const random = new Random(8);
    const x = new Parameter(device, random.normal(37 * 301), [37, 301]);
    const weight = new Parameter(device, random.normal(301 * 23), [301, 23]);
    const y = ops.softmax(ops.matmul(x, weight));
    backward(ops.sum(ops.mul(y, y)));
    return [await gradient(x), await gradient(weight)];
  };
  assertEquals(await run(), await run());
});
