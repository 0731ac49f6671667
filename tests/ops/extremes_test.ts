/**
 * Numbers at the ends of what a float holds: they overflow, vanish, tie, or are
 * none at all, and the results are still those of IEEE arithmetic and PyTorch.
 */

import { assert, assertEquals } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import * as ops from "../../lib/ops/mod.ts";
import { Random } from "../../lib/random.ts";
import { backward } from "../../lib/tensor/backward.ts";
import { Parameter } from "../../lib/tensor/parameter.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";
import * as reference from "../reference.ts";
import { assertClose } from "./case.ts";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

let device: Device;

Deno.test.beforeAll(async () => {
  device = await Device.open();
});

Deno.test.afterAll(() => device[Symbol.dispose]());

function parameter(values: readonly number[], shape?: number[]): Parameter {
  const data = Float32Array.from(values);
  return new Parameter(device, data, shape ?? [data.length]);
}

/** What an op makes of numbers, and the gradient of its sum. */
async function outcome(
  values: readonly number[],
  op: (x: Tensor) => Tensor,
): Promise<{ y: number[]; dx: number[] }> {
  using _scope = device.scope();
  const x = parameter(values);
  const y = op(x);
  const numbers = [...await y.read()];
  backward(ops.sum(y));
  return { y: numbers, dx: [...await x.grad!.read()] };
}

/** An op of one number, and points: where, its value there, its slope there. */
type Points = readonly [
  op: (x: Tensor) => Tensor,
  ...at: readonly (readonly [x: number, y: number, slope: number])[],
];

const gelus: Points[1][] = [
  [-1e15, 0, 0],
  [-1e4, 0, 0],
  [-30, 0, 0],
  [30, 30, 1],
  [1e4, 1e4, 1],
  [1e15, 1e15, 1],
];

const points: Record<string, Points> = {
  exp: [ops.exp, [-inf, 0, 0], [-1e4, 0, 0], [100, inf, inf], [inf, inf, inf]],
  log: [ops.log, [0, -inf, inf], [1, 0, 1], [inf, inf, 0], [-1, nan, -1]],
  sqrt: [
    ops.sqrt,
    [0, 0, inf],
    [4, 2, 0.25],
    [1e38, 1e19, 5e-20],
    [-1, nan, nan],
  ],
  tanh: [ops.tanh, [-inf, -1, 0], [-1e4, -1, 0], [50, 1, 0], [inf, 1, 0]],
  sigmoid: [
    ops.sigmoid,
    [-inf, 0, 0],
    [-1e4, 0, 0],
    [-90, 0, 0],
    [90, 1, 0],
    [inf, 1, 0],
  ],
  relu: [ops.relu, [-inf, 0, 0], [0, 0, 0], [1e4, 1e4, 1], [inf, inf, 1]],
  silu: [
    ops.silu,
    [-1e4, 0, 0],
    [-100, 0, 0],
    [100, 100, 1],
    [1e30, 1e30, 1],
  ],
  "gelu (tanh)": [ops.gelu, ...gelus],
  "gelu (erf)": [(x) => ops.gelu(x, { approximate: "none" }), ...gelus],
  "1 / x": [
    (x) => ops.div(Tensor.ones(device, []), x),
    [0, inf, -inf],
    [inf, 0, 0],
    [-inf, 0, 0],
    [-4, -0.25, -1 / 16],
  ],
  "x to the 2": [
    (x) => ops.pow(x, 2),
    [-3, 9, -6],
    [0, 0, 0],
    [-1e30, inf, -2e30],
  ],
  "x to the 3": [(x) => ops.pow(x, 3), [-2, -8, 12], [0, 0, 0]],
  "x to the 0": [(x) => ops.pow(x, 0), [-2, 1, 0], [0, 1, 0], [3, 1, 0]],
  "x to the -1": [
    (x) => ops.pow(x, -1),
    [-2, -0.5, -0.25],
    [4, 0.25, -1 / 16],
    [0, inf, -inf],
  ],
  "x to the 1/2": [
    (x) => ops.pow(x, 0.5),
    [4, 2, 0.25],
    [0, 0, inf],
    [-1, nan, nan],
  ],
};

for (const [name, [op, ...at]] of Object.entries(points)) {
  Deno.test(`${name} at the ends of its range`, async () => {
    const { y, dx } = await outcome(at.map(([x]) => x), op);
    assertClose(y, at.map(([, y]) => Math.fround(y)));
    assertClose(dx, at.map(([, , slope]) => Math.fround(slope)));
  });
}

Deno.test("max() and argmax() take the first of equals", async () => {
  const { y, dx } = await outcome(
    [3, 7, 7, 1, 7],
    (x) => ops.max(x, { axis: 0 }),
  );
  assertEquals(y, [7]);
  assertEquals(dx, [0, 1, 0, 0, 0]);
  using _scope = device.scope();
  const rows = parameter([3, 7, 7, 2, 2, 2, -inf, -inf, -inf], [3, 3]);
  assertEquals([...await ops.argmax(rows, { axis: 1 }).read()], [1, 0, 0]);
  assertEquals([...await ops.max(rows, { axis: 1 }).read()], [7, 2, -inf]);
  const equal = parameter(new Array(70_000).fill(-5));
  assertEquals(await ops.argmax(equal).item(), 0);
});

/** Rows of logits that overflow a careless softmax. */
const rows: Record<string, readonly number[]> = {
  "up to 10000": [1e4, -1e4, 1e4, 9999, 0],
  "all 10000": [1e4, 1e4, 1e4, 1e4, 1e4],
  "all -10000": [-1e4, -1e4, -1e4, -1e4, -1e4],
  "all equal": [0.1, 0.1, 0.1, 0.1, 0.1],
  "partly masked": [1, -inf, 2, -inf, -1],
  "all but one masked": [-inf, -inf, -3, -inf, -inf],
  "up to 3e38": [3e38, -3e38, 0, 1, 2],
};

for (const [name, logits] of Object.entries(rows)) {
  Deno.test(`softmax(), logSoftmax() and crossEntropy() of logits ${name}`, async () => {
    using _scope = device.scope();
    const array = { data: Float64Array.from(logits, Math.fround), shape: [5] };
    const soft = reference.softmax(array).data;
    assertClose(
      await ops.softmax(parameter(logits)).read(),
      soft,
    );
    assertClose(
      await ops.logSoftmax(parameter(logits)).read(),
      reference.logSoftmax(array).data.map(Math.fround),
    );

    // The loss of the likeliest, and its gradient softmax - target.
    const likeliest = logits.indexOf(Math.max(...logits));
    const x = parameter(logits, [1, 5]);
    const targets = Tensor.from(device, Uint32Array.of(likeliest), [1]);
    const loss = ops.crossEntropy(x, targets);
    const ids = { data: Float64Array.of(likeliest), shape: [1] };
    assertClose(
      await loss.read(),
      reference.crossEntropy({ ...array, shape: [1, 5] }, ids).data,
    );
    backward(loss);
    assertClose(
      await x.grad!.read(),
      soft.map((p, i) => i === likeliest ? p - 1 : p),
    );
  });
}

Deno.test("softmax() after maskedFill() with -Infinity gives no weight to the masked", async () => {
  using _scope = device.scope();
  const x = parameter([1, 2, 3, 4], [2, 2]);
  const mask = Tensor.from(device, Uint32Array.of(0, 1, 0, 0), [2, 2]);
  const y = ops.softmax(ops.maskedFill(x, mask, -inf));
  const [p, q] = [1 / (1 + Math.E), Math.E / (1 + Math.E)];
  assertClose(await y.read(), [1, 0, p, q]);
  backward(ops.sum(ops.mul(y, y)));
  assert([...await x.grad!.read()].every(Number.isFinite));
});

Deno.test("crossEntropy() ignores targets, signed or not, and their logits", async () => {
  using _scope = device.scope();
  const random = new Random(2);
  const data = random.normal(4 * 7);
  data.fill(1e30, 7, 14);
  const run = async (targets: Tensor, ignoreIndex?: number) => {
    const x = new Parameter(device, data, [4, 7]);
    const loss = ops.crossEntropy(x, targets, { ignoreIndex });
    const value = await loss.item();
    backward(loss);
    return { value, dx: [...await x.grad!.read()] };
  };
  const signed = Tensor.from(device, Int32Array.of(3, -100, 0, 6), [4]);
  const unsigned = Tensor.from(device, Uint32Array.of(3, 9, 0, 6), [4]);
  const kept = {
    data: Float64Array.from([...data.subarray(0, 7), ...data.subarray(14)]),
    shape: [3, 7],
  };
  const targets = { data: Float64Array.of(3, 0, 6), shape: [3] };
  const expected = reference.crossEntropy(kept, targets).data;
  const first = await run(signed);
  assertClose([first.value], expected);
  assertEquals(first.dx.slice(7, 14), new Array(7).fill(0));
  assertEquals(await run(unsigned, 9), first);
});

Deno.test("layerNorm() of constant and of far-off rows", async () => {
  using _scope = device.scope();
  const cols = 301;
  const random = new Random(5);
  const offset = random.normal(cols).map((v) => 100 + v);
  const data = new Float32Array([...new Float32Array(cols).fill(7), ...offset]);
  // Up to 2, as what the mean is off by is multiplied with them.
  const weight = new Float32Array(cols).map(() => 4 * random.uniform() - 2);
  const bias = random.normal(cols);
  const y = ops.layerNorm(
    new Parameter(device, data, [2, cols]),
    new Parameter(device, weight, [cols]),
    new Parameter(device, bias, [cols]),
  );
  const expected = reference.layerNorm(
    { data: Float64Array.from(data), shape: [2, cols] },
    { data: Float64Array.from(weight), shape: [cols] },
    { data: Float64Array.from(bias), shape: [cols] },
  ).data;
  // The mean of numbers near 100 rounds to multiples of 2^-17.
  assertClose(await y.read(), expected, { depth: 4 });
});

Deno.test("attention() of queries and keys whose scores reach ten thousand", async () => {
  using _scope = device.scope();
  const random = new Random(6);
  const shape = [1, 37, 3 * 16];
  const data = random.normal(37 * 48, 50);
  const qkv = new Parameter(device, data, shape);
  const y = ops.attention(qkv, 1);
  const array = { data: Float64Array.from(data), shape };
  // Scores of thousands in single precision are off by 2^-13 of themselves.
  assertClose(await y.read(), reference.attention(array, 1).data, {
    depth: 4e4,
  });
  backward(ops.sum(ops.mul(y, y)));
  assert([...await qkv.grad!.read()].every(Number.isFinite));
});

Deno.test("a tensor of more elements than one axis of a dispatch has workgroups", async () => {
  using _scope = device.scope();
  const size = 65535 * 256 + 301;
  const data = new Float32Array(size).map((_, i) => i % 8191 - 4095);
  const x = new Parameter(device, data, [size]);
  const y = ops.mul(x, x);
  const squares = await y.read();
  const wrong = data.findIndex((v, i) => squares[i] !== v * v);
  assertEquals(wrong, -1);
  backward(ops.sum(y));
  const dx = await x.grad!.read();
  assertEquals(data.findIndex((v, i) => dx[i] !== 2 * v), -1);
  x[Symbol.dispose]();
  device.trim();
});
