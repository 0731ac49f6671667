/**
 * Numbers that are none: no op swallows them, so that a run which has them is
 * found out; and what cannot be looked up becomes one.
 */

import { assert, assertEquals } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import * as ops from "../../lib/ops/mod.ts";
import { turnsFor } from "../../lib/ops/rope.ts";
import { Random } from "../../lib/random.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";

const { NaN: nan } = Number;

let device: Device;

Deno.test.beforeAll(async () => {
  device = await Device.open();
});

Deno.test.afterAll(() => device[Symbol.dispose]());

/** Ops that must not swallow a NaN: a run with one has to be found out. */
const carriers: Record<string, (x: Tensor) => Tensor> = {
  add: (x) => ops.add(x, 1),
  sub: (x) => ops.sub(x, 1),
  mul: (x) => ops.mul(x, 0),
  div: (x) => ops.div(x, 2),
  pow: (x) => ops.pow(x, 2),
  neg: ops.neg,
  exp: ops.exp,
  log: ops.log,
  sqrt: ops.sqrt,
  tanh: ops.tanh,
  sigmoid: ops.sigmoid,
  relu: ops.relu,
  silu: ops.silu,
  gelu: ops.gelu,
  "gelu (erf)": (x) => ops.gelu(x, { approximate: "none" }),
  sum: ops.sum,
  mean: ops.mean,
  max: ops.max,
  softmax: ops.softmax,
  logSoftmax: ops.logSoftmax,
  matmul: (x) =>
    ops.matmul(ops.reshape(x, [1, 6]), Tensor.ones(device, [6, 2])),
  linear: (x) => ops.linear(x, Tensor.ones(device, [3, 6])),
  layerNorm: (x) => ops.layerNorm(x, Tensor.ones(device, [6]), null),
  rmsNorm: (x) => ops.rmsNorm(x, Tensor.ones(device, [6])),
  rope: (x) => {
    const q = ops.reshape(x, [1, 3, 2]);
    return ops.rope(q, q, q, { turns: turnsFor(device, [1], 3) });
  },
  swiglu: (x) => ops.swiglu(x, x),
  attention: (x) => ops.attention(ops.reshape(x, [1, 1, 6]), 1),
  crossEntropy: (x) =>
    ops.crossEntropy(
      ops.reshape(x, [1, 6]),
      Tensor.from(device, Uint32Array.of(0), [1]),
    ),
  linearCrossEntropy: (x) =>
    ops.linearCrossEntropy(
      ops.reshape(x, [1, 6]),
      Tensor.ones(device, [3, 6]),
      Tensor.from(device, Uint32Array.of(0)),
    ),
  dropout: (x) => ops.dropout(x, 0, new Random(1)),
};

for (const [name, op] of Object.entries(carriers)) {
  Deno.test(`${name} passes a NaN on`, async () => {
    using _scope = device.scope();
    const x = Tensor.from(device, Float32Array.of(1, 2, 3, 0.5, 0.25, nan));
    const y = [...await op(x).read()];
    assert(y.some(Number.isNaN), `${y}`);
  });
}

/** Where an array has NaN. */
async function places(tensor: Tensor): Promise<number[]> {
  const numbers = [...await tensor.read()];
  return numbers.flatMap((value, i) => Number.isNaN(value) ? [i] : []);
}

Deno.test("embedding() of an id that the table does not have is NaN", async () => {
  using _scope = device.scope();
  const ids = Tensor.from(device, Uint32Array.of(1, 3, 0, 0xffffffff), [4]);
  for (const cols of [2, 4]) {
    const y = ops.embedding(Tensor.ones(device, [3, cols]), ids);
    const rows = new Set((await places(y)).map((i) => Math.floor(i / cols)));
    assertEquals([...rows], [1, 3]);
  }
});

Deno.test("gather() of an index that the axis does not have is NaN", async () => {
  using _scope = device.scope();
  const index = Tensor.from(device, Uint32Array.of(4, 2, 5, 0), [2, 2]);
  const y = ops.gather(Tensor.ones(device, [2, 5]), 1, index);
  assertEquals(await places(y), [2]);
});

Deno.test("crossEntropy() is NaN for a target outside the classes, or none at all", async () => {
  using _scope = device.scope();
  for (const targets of [[0, 5], [0, -1], [-100, -100]]) {
    for (const cols of [4, 5]) {
      const loss = ops.crossEntropy(
        Tensor.ones(device, [2, cols]),
        Tensor.from(device, Int32Array.from(targets), [2]),
      );
      assertEquals(await places(loss), [0], `${targets} of ${cols}`);
    }
  }
});
