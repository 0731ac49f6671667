/**
 * Computing activations again gives the same gradients in less memory.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Device } from "../lib/gpu/device.ts";
import { parameters } from "../lib/nn/parameters.ts";
import { add, mean, mul, relu } from "../lib/ops/mod.ts";
import { Random } from "../lib/random.ts";
import { backward } from "../lib/tensor/backward.ts";
import { recompute } from "../lib/tensor/recompute.ts";
import { noGrad } from "../lib/tensor/tape.ts";
import { Parameter } from "../lib/tensor/parameter.ts";
import { readAll, Tensor } from "../lib/tensor/tensor.ts";
import { GPT2 } from "../models/gpt2.ts";
import type { Recomputed } from "../models/pass.ts";

let device: Device;

Deno.test.beforeAll(async () => {
  device = await Device.open();
});

Deno.test.afterAll(() => device[Symbol.dispose]());

/** The loss and gradients of one batch, and where the random numbers stand. */
async function pass(
  device: Device,
  recompute: Recomputed,
  { dropout = 0, dtype }: { dropout?: number; dtype?: "f16" },
): Promise<unknown> {
  const random = new Random(5);
  const model = new GPT2({ device, random }, {
    ...{ vocabSize: 65, blockSize: 32, nLayer: 4, nHead: 2, nEmbd: 64 },
    dropout,
  }, { recompute, dtype });
  using _scope = device.scope();
  const ids = Uint32Array.from({ length: 256 }, () => random.integer(65));
  const [inputs, targets] = [ids, ids].map((ids) =>
    Tensor.from(device, ids, [8, 32])
  );
  const loss = model.loss(inputs, targets, dropout > 0 ? { random } : {});
  backward(loss);
  const own = [...parameters(model).values()];
  const numbers = await readAll([loss, ...own.map(({ grad }) => grad!)]);
  for (const parameter of own) parameter[Symbol.dispose]();
  return { numbers, state: random.state };
}

for (
  const options of [
    {},
    { dropout: 0.2 },
    { dtype: "f16" },
    { dropout: 0.2, dtype: "f16" },
  ] as const
) {
  Deno.test(`a GPT-2 recomputed, with ${JSON.stringify(options)}, has the same gradients in less memory`, async () => {
    using device = await Device.open();
    if ("dtype" in options && !device.features.has("shader-f16")) return;
    const peaks: number[] = [];
    let first: unknown;
    // What takes least comes first, so that each peak is its own.
    for (const part of ["block", "mlp", "none"] as const) {
      const made = await pass(device, part, options);
      assertEquals(made, first ??= made);
      peaks.push(device.bytesPeak);
    }
    const [block, mlp, none] = peaks;
    // Where activations are in f16 and weights in f32, weights are most of it.
    const share = "dtype" in options ? 1 : 0.8;
    assert(block < share * mlp && mlp < share * none, `${peaks}`);
  });
}

/** Two paths from one parameter, one of them recomputed. */
function twoPaths(x: Parameter, again: boolean): Tensor {
  const twice = add(x, x);
  const body = (y: Tensor) => mul(relu(y), mul(x, y));
  const y = again ? recompute(twice, body) : body(twice);
  return mean(add(add(y, twice), mul(y, y)));
}

Deno.test("gradients meet before, in and after what is recomputed", async () => {
  const grads: unknown[] = [];
  for (const again of [false, true]) {
    using _scope = device.scope();
    const x = new Parameter(device, Float32Array.of(1, -2, 3, 0.5, 7), [5]);
    backward(twoPaths(x, again), 3);
    backward(twoPaths(x, again));
    grads.push([...await x.grad!.read()]);
    x[Symbol.dispose]();
  }
  assertEquals(grads[1], grads[0]);
});

Deno.test("what is recomputed may be nested, the input itself, or without gradient", async () => {
  using _scope = device.scope();
  const x = new Parameter(device, Float32Array.of(1, -2, 3), [3]);
  const square = (y: Tensor) => mul(y, y);
  const nested = recompute(
    mul(x, x),
    (y) => square(recompute(recompute(y, square), (z) => z)),
  );
  backward(mean(nested));
  const expected = [1, -2, 3].map((v) => 8 * v ** 7 / 3);
  assertEquals(
    [...await x.grad!.read()],
    [...Float32Array.from(expected)].map((v) => v),
  );
  const constant = Tensor.ones(device, [3]);
  assertEquals(recompute(constant, square).needsGrad, false);
  assertEquals(noGrad(() => recompute(mul(x, x), square)).needsGrad, false);
  const onlyInside = recompute(constant, (y) => mul(y, x));
  x.grad![Symbol.dispose]();
  x.grad = null;
  backward(mean(onlyInside), 3);
  assertEquals([...await x.grad!.read()], [1, 1, 1]);
  x[Symbol.dispose]();
});

Deno.test("recompute() refuses a body that takes another tensor from outside", () => {
  using _scope = device.scope();
  const x = new Parameter(device, Float32Array.of(1, -2, 3), [3]);
  const other = mul(x, x);
  assertThrows(
    () => recompute(x, (y) => add(y, other)),
    Error,
    "Cannot recompute: the body keeps, or takes from outside, a tensor [3] made by mul",
  );
  x[Symbol.dispose]();
});

Deno.test("what is recomputed holds nothing afterwards", () => {
  const x = new Parameter(device, Float32Array.of(1, -2, 3), [3]);
  const bytes = device.bytesInUse;
  for (let step = 0; step < 3; step++) {
    using _scope = device.scope();
    backward(twoPaths(x, true));
    x.grad![Symbol.dispose]();
    x.grad = null;
  }
  assertEquals(device.bytesInUse, bytes);
  x[Symbol.dispose]();
});
