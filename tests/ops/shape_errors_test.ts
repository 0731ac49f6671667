/**
 * What ops refuse: one line that says what and with which shapes.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import * as ops from "../../lib/ops/mod.ts";
import { turnsFor } from "../../lib/ops/rope.ts";
import { Random } from "../../lib/random.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";

let device: Device;

Deno.test.beforeAll(async () => {
  device = await Device.open();
});

Deno.test.afterAll(() => device[Symbol.dispose]());

const f = (...shape: number[]) => Tensor.zeros(device, shape);
const u = (...shape: number[]) =>
  Tensor.from(
    device,
    new Uint32Array(shape.reduce((a, b) => a * b, 1)),
    shape,
  );

function rope(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  start = 0,
  starts?: Tensor,
): Tensor {
  const turns = turnsFor(device, [1, 0.1], 64);
  return ops.rope(q, k, v, { turns, start, starts });
}

/** What must be refused, and what the refusal must mention. */
const refusals: Record<
  string,
  readonly [() => unknown, ...mentions: string[]][]
> = {
  add: [
    [() => ops.add(f(2, 3), f(2)), "[2,3]", "[2]"],
    [() => ops.add(f(2, 3), f(3, 2)), "[2,3]", "[3,2]"],
    [() => ops.add(f(3), u(3)), "f32", "u32"],
  ],
  sub: [[() => ops.sub(f(2, 3), f(4)), "[2,3]", "[4]"]],
  mul: [[() => ops.mul(f(2, 3), f(4)), "[2,3]", "[4]"]],
  div: [[() => ops.div(f(2, 3), f(4)), "[2,3]", "[4]"]],
  pow: [
    [() => ops.pow(f(2, 3), f(4)), "[2,3]", "[4]"],
    [() => ops.pow(u(3), u(3)), "u32"],
  ],
  exp: [[() => ops.exp(u(3)), "u32"]],
  gelu: [[() => ops.gelu(u(3)), "u32"]],
  sum: [
    [() => ops.sum(f(2, 3), { axis: 2 }), "[2,3]", "2"],
    [() => ops.sum(f(2, 3), { axis: -3 }), "[2,3]", "-3"],
    [() => ops.sum(f(2, 3), { axis: 0.5 }), "[2,3]", "0.5"],
  ],
  mean: [[() => ops.mean(f(2, 3), { axis: 2 }), "[2,3]", "2"]],
  max: [
    [() => ops.max(f(2, 3), { axis: 2 }), "[2,3]", "2"],
    [() => ops.max(f(3, 0), { axis: 1 }), "[3,0]"],
  ],
  argmax: [
    [() => ops.argmax(f(2, 3), { axis: 2 }), "[2,3]", "2"],
    [() => ops.argmax(f(0)), "[0]"],
  ],
  matmul: [
    [() => ops.matmul(f(2, 3), f(2, 3)), "[2,3]"],
    [() => ops.matmul(f(2, 3), f(4, 3)), "[2,3]", "[4,3]"],
    [() => ops.matmul(f(3), f(3, 2)), "[3]"],
    [() => ops.matmul(f(2, 2, 3), f(3, 3, 2)), "[2,2,3]", "[3,3,2]"],
    [
      () => ops.matmul(f(2, 3), f(3, 2), { transposeA: true }),
      "[2,3]",
      "[3,2]",
    ],
    [() => ops.matmul(u(2, 3), f(3, 2)), "u32"],
  ],
  linear: [
    [() => ops.linear(f(2, 3), f(3, 4)), "[2,3]", "[3,4]"],
    [() => ops.linear(f(2, 3), f(4, 3), f(3)), "[3]"],
    [
      () => ops.linear(f(2, 3), f(4, 3), null, { residual: f(2, 3) }),
      "residual",
      "[2,3]",
    ],
  ],
  conv1d: [
    [() => ops.conv1d(f(2, 3), f(4, 3)), "[2,3]", "[4,3]"],
    [() => ops.conv1d(f(2, 3), f(3, 4), f(3)), "[3]"],
  ],
  softmax: [
    [() => ops.softmax(f(2, 3), { axis: 2 }), "[2,3]", "2"],
    [() => ops.softmax(u(3)), "u32"],
  ],
  logSoftmax: [[() => ops.logSoftmax(f(2, 3), { axis: 2 }), "[2,3]", "2"]],
  layerNorm: [
    [() => ops.layerNorm(f(2, 3), f(2), f(3)), "[2,3]", "[2]"],
    [() => ops.layerNorm(f(2, 3), f(3), f(2)), "[2,3]", "[2]"],
  ],
  attention: [
    [() => ops.attention(f(1, 2, 7), 1), "[1,2,7]"],
    [() => ops.attention(f(1, 2, 12), 3), "[1,2,12]", "3"],
    [
      () => ops.attention(f(1, 2, 32), 4, { keyValueHeads: 3 }),
      "[1,2,32]",
      "[B,T,10 D]",
    ],
    [() => ops.attention(f(1, 2, 20), 4, { keyValueHeads: 3 }), "4", "3"],
    [() => ops.attention(f(2, 12), 2), "[2,12]"],
    [
      () => ops.attention(f(2, 3, 12), 2, { starts: u(3) }),
      "[3]",
      "[2,3]",
    ],
    [() => ops.attention(f(2, 3, 12), 2, { starts: f(2, 3) }), "f32", "u32"],
  ],
  embedding: [
    [() => ops.embedding(f(3), u(2)), "[3]"],
    [() => ops.embedding(f(3, 4), f(2)), "f32"],
  ],
  crossEntropy: [
    [() => ops.crossEntropy(f(2, 3), u(3)), "[2,3]", "[3]"],
    [() => ops.crossEntropy(f(2, 3), f(2)), "f32"],
  ],
  linearCrossEntropy: [
    [() => ops.linearCrossEntropy(f(2, 4), f(5, 8), u(2)), "[2,4]", "[5,8]"],
    [() => ops.linearCrossEntropy(f(2, 4), f(4), u(2)), "[2,4]", "[4]"],
    [() => ops.linearCrossEntropy(f(2, 4), f(5, 4), u(3)), "[2,4]", "[3]"],
    [() => ops.linearCrossEntropy(f(2, 4), f(5, 4), f(2)), "f32"],
    [() => ops.linearCrossEntropy(f(2, 4), u(5, 4), u(2)), "u32"],
    [
      () => ops.linearCrossEntropy(f(2, 4), f(5, 4), u(2), { rows: u(2, 1) }),
      "[2,1]",
    ],
    [
      () => ops.linearCrossEntropy(f(2, 4), f(5, 4), u(2), { rows: f(2) }),
      "f32",
    ],
    [
      () =>
        ops.linearCrossEntropy(f(2, 4), f(5, 4), u(2), {
          statistics: f(2, 3),
        }),
      "[2,2]",
      "[2,3]",
    ],
  ],
  reshape: [
    [() => ops.reshape(f(2, 3), [4, 2]), "[2,3]", "[4,2]"],
    [() => ops.reshape(f(2, 3), [-1, -1]), "[2,3]", "[-1,-1]"],
    [() => ops.reshape(f(2, 3), [-1, 4]), "[2,3]", "[-1,4]"],
    [() => ops.reshape(f(2, 3), [-2, -3]), "[2,3]", "[-2,-3]"],
  ],
  transpose: [[() => ops.transpose(f(2, 3), 0, 2), "[2,3]", "2"]],
  permute: [
    [() => ops.permute(f(2, 3), [0]), "[2,3]", "0"],
    [() => ops.permute(f(2, 3), [0, 0]), "[2,3]"],
    [() => ops.permute(f(2, 3), [0, 2]), "[2,3]"],
  ],
  slice: [
    [() => ops.slice(f(2, 3), 1, 0, 4), "[2,3]", "4"],
    [() => ops.slice(f(2, 3), 1, 2, 1), "[2,3]", "2"],
    [() => ops.slice(f(2, 3), 2, 0, 1), "[2,3]", "2"],
  ],
  concat: [
    [() => ops.concat([], 0)],
    [() => ops.concat([f(2, 3), f(2, 4)], 0), "[2,3]", "[2,4]"],
    [() => ops.concat([f(2, 3), f(3)], 0), "[2,3]", "[3]"],
    [() => ops.concat([f(3), u(3)], 0), "f32", "u32"],
  ],
  expand: [
    [() => ops.expand(f(2, 3), [2, 4]), "[2,3]", "[2,4]"],
    [() => ops.expand(f(2, 3), [3]), "[2,3]", "[3]"],
  ],
  where: [
    [() => ops.where(u(2), f(3), f(3)), "[2]", "[3]"],
    [() => ops.where(f(3), f(3), f(3)), "f32"],
  ],
  maskedFill: [
    [() => ops.maskedFill(f(3), u(2), 0), "[3]", "[2]"],
    [() => ops.maskedFill(f(3), f(3), 0), "f32"],
  ],
  gather: [
    [() => ops.gather(f(2, 3), 2, u(2, 3)), "[2,3]", "2"],
    [() => ops.gather(f(2, 3), 1, u(3)), "[2,3]", "[3]"],
    [() => ops.gather(f(2, 3), 1, f(2, 3)), "f32"],
  ],
  rmsNorm: [
    [() => ops.rmsNorm(f(2, 3), f(2)), "[2,3]", "[2]"],
    [() => ops.rmsNorm(u(2, 3), f(3)), "u32"],
  ],
  rope: [
    [() => rope(f(2, 3), f(2, 3), f(2, 3)), "[2,3]"],
    [() => rope(f(1, 3, 12), f(1, 3, 8), f(1, 3, 8)), "[1,3,12]", "[1,3,8]"],
    [() => rope(f(1, 3, 6), f(1, 3, 6), f(1, 3, 6)), "[1,3,6]", "heads of 4"],
    [() => rope(f(1, 3, 8), f(1, 3, 4), f(1, 3, 8)), "[1,3,4]", "[1,3,8]"],
    [() => rope(f(1, 3, 8), f(1, 2, 4), f(1, 2, 4)), "[1,3,8]", "[1,2,4]"],
    [() => rope(f(1, 3, 4), f(1, 3, 4), f(1, 3, 4), 62), "[1,3,4]", "62", "64"],
    [() => rope(f(1, 3, 4), f(1, 3, 4), f(1, 3, 4), -1), "-1"],
    [() => rope(u(1, 3, 4), u(1, 3, 4), u(1, 3, 4)), "u32"],
    [
      () => rope(f(1, 3, 4), f(1, 3, 4), f(1, 3, 4), 0, u(3, 1)),
      "[3,1]",
      "[1,3]",
    ],
  ],
  swiglu: [
    [() => ops.swiglu(f(2, 3), f(3)), "[2,3]", "[3]"],
    [() => ops.swiglu(u(3), u(3)), "u32"],
  ],
  dropout: [[() => ops.dropout(u(3), 0.5, new Random(1)), "u32"]],
};

for (const [op, calls] of Object.entries(refusals)) {
  Deno.test(`${op}() refuses what does not fit`, () => {
    using _scope = device.scope();
    for (const [number, [call, ...mentions]] of calls.entries()) {
      const error = assertThrows(call, Error, undefined, `call ${number}`);
      assert(
        error instanceof RangeError || error instanceof TypeError,
        `call ${number}: ${error}`,
      );
      const { message } = error;
      assert(message.startsWith("Cannot "), message);
      assertEquals(message.includes("\n"), false);
      for (const mention of mentions) {
        assert(
          message.replaceAll(", ", ",").includes(mention),
          `call ${number} does not mention ${mention}: ${message}`,
        );
      }
    }
  });
}
