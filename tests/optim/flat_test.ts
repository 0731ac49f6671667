/**
 * Parameters side by side: they stay themselves, their gradients go straight to
 * where the optimizer reads them, and a step is a handful of runs.
 */

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import { parameters } from "../../lib/nn/parameters.ts";
import { mean, mul, sum } from "../../lib/ops/mod.ts";
import { AdamW } from "../../lib/optim/adamw.ts";
import { FlatParameters } from "../../lib/optim/flat.ts";
import { Random } from "../../lib/random.ts";
import { backward } from "../../lib/tensor/backward.ts";
import { Parameter } from "../../lib/tensor/parameter.ts";
import { readAll, Tensor } from "../../lib/tensor/tensor.ts";
import { GPT2 } from "../../models/gpt2.ts";

let device: Device;

Deno.test.beforeAll(async () => {
  device = await Device.open();
});

Deno.test.afterAll(() => device[Symbol.dispose]());

const SHAPES: Readonly<Record<string, readonly number[]>> = {
  bias: [5],
  matrix: [3, 7],
  one: [1],
  tall: [130, 3],
  wide: [2, 128],
};

/** Parameters that hold 1, 2, 3 and so on. */
function counting(): Map<string, Parameter> {
  let next = 1;
  return new Map(
    Object.entries(SHAPES).map(([name, shape]) => {
      const size = shape.reduce((product, n) => product * n, 1);
      const data = Float32Array.from({ length: size }, () => next++);
      return [name, new Parameter(device, data, shape)];
    }),
  );
}

Deno.test("parameters keep their numbers, matrices first, where any device binds them", async () => {
  const own = counting();
  const before = await readAll([...own.values()]);
  using flat = new FlatParameters(own);
  assertEquals(await readAll([...own.values()]), before);
  const [block, ...others] = flat.blocks;
  assertEquals(others.length, 0);
  assertEquals(
    block.places.map(({ name, start }) => [name, start]),
    [["matrix", 0], ["tall", 128], ["wide", 640], ["bias", 896], ["one", 1024]],
  );
  assertEquals([block.matrices, block.size], [896, 1152]);
  for (const parameter of own.values()) {
    assertStrictEquals(parameter.storage, block.weight.storage);
    assertEquals(parameter.offset % 512, 0);
    assertEquals(parameter.slot!.offset, parameter.offset);
    assert(parameter.offset + parameter.span <= block.weight.bytes);
  }
  own.get("tall")!.write(new Float32Array(390).fill(-1));
  assertEquals(await own.get("matrix")!.read(), before[1]);
  assertEquals(await own.get("wide")!.read(), before[4]);
});

Deno.test("gradients are added up in their slots, whoever made them", async () => {
  using _scope = device.scope();
  const own = counting();
  using flat = new FlatParameters(own);
  const { matrix, bias } = Object.fromEntries(own);
  const expected = (await matrix.read()).map((w) => 2 * w);
  for (const times of [1, 2, 3]) {
    backward(sum(mul(matrix, matrix)));
    assertStrictEquals(matrix.grad, matrix.slot);
    assertEquals(await matrix.grad!.read(), expected.map((g) => times * g));
  }
  bias.grad = Tensor.from(device, [1, 2, 3, 4, 5]).keep();
  assertEquals(
    flat.runs().map(({ places }) => places.map(({ name }) => name)),
    [["matrix"], ["bias"]],
  );
  assertStrictEquals(bias.grad, bias.slot);
  assertEquals([...await bias.slot!.read()], [1, 2, 3, 4, 5]);
  flat.consume();
  assertEquals([matrix.grad, bias.grad], [null, null]);
  assertEquals(flat.runs(), []);
});

Deno.test("what pads a gradient counts for nothing", async () => {
  const own = counting();
  using optimizer = new AdamW(own, { gradClip: 0 });
  let squares = 0;
  for (const parameter of own.values()) {
    const { storage, offset, size } = parameter.slot!;
    const padded = Math.ceil(size / 128) * 128;
    using all = new Tensor(device, [padded], "f32", storage, {
      offset,
      span: 4 * padded,
    });
    all.write(new Float32Array(padded).fill(NaN).fill(2, 0, size));
    parameter.grad = parameter.slot;
    squares += 4 * size;
  }
  optimizer.step(0.1);
  const [norm] = await optimizer.status.read();
  assertAlmostEquals(norm, Math.sqrt(squares), 1e-5);
  for (const numbers of await readAll([...own.values()])) {
    assert(numbers.every((number) => Number.isFinite(number)));
  }
});

Deno.test("a frozen parameter stays where it is and has no gradient", async () => {
  using _scope = device.scope();
  const own = counting();
  const { matrix, wide } = Object.fromEntries(own);
  wide.frozen = true;
  const { storage } = wide;
  using optimizer = new AdamW(own);
  assertStrictEquals(wide.storage, storage);
  assertEquals([wide.slot, optimizer.moments.has("wide")], [null, false]);
  backward(sum(mul(sum(wide), sum(matrix))));
  optimizer.step(0.1);
  assertEquals(wide.grad, null);
  assertEquals((await wide.read())[0], 5 + 21 + 1 + 390 + 1);
  assert((await matrix.read())[0] < 6);
});

Deno.test("an optimizer whose parameters another has taken says so", () => {
  const own = counting();
  using first = new AdamW(own);
  using second = new AdamW(new Map([["one", own.get("one")!]]));
  second.step(0.1);
  assertThrows(
    () => first.step(0.1),
    Error,
    "Cannot step: another optimizer was made for one since",
  );
});

Deno.test("disposing of an optimizer leaves the parameters, and nothing else", async () => {
  const before = device.bytesInUse;
  const own = counting();
  const numbers = await readAll([...own.values()]);
  const optimizer = new AdamW(own);
  optimizer[Symbol.dispose]();
  assertEquals(await readAll([...own.values()]), numbers);
  for (const parameter of own.values()) parameter[Symbol.dispose]();
  assertEquals(device.bytesInUse, before);
});

Deno.test("a step of AdamW is as many runs for one layer as for six", () => {
  const runs = [1, 6].map((nLayer) => {
    using _scope = device.scope();
    const model = new GPT2({ device, random: new Random(1) }, {
      ...{ vocabSize: 65, blockSize: 8, nLayer, nHead: 2, nEmbd: 32 },
    });
    using optimizer = new AdamW(parameters(model));
    const ids = Tensor.zeros(device, [2, 8], "u32");
    backward(model.loss(ids, ids));
    const { dispatches } = device.counters;
    optimizer.step(0.1);
    return device.counters.dispatches - dispatches;
  });
  assertEquals(runs, [3, 3]); // squares, their sum, the update
});

Deno.test("a parameter beyond what a device binds at once is moved all the same", async () => {
  using device = await Device.open();
  const most = device.gpu.limits.maxStorageBufferBindingSize / 4;
  if (most > 1 << 26) return; // It would take a GiB.
  const rows = Math.ceil(most / 1024) + 1;
  const table = new Parameter(device, null, [rows, 1024]);
  table.fill(3);
  const small = new Parameter(device, Float32Array.of(1, 2), [2]);
  const own = new Map([["small", small], ["table", table]]);
  using optimizer = new AdamW(own, { weightDecay: 0.5, gradClip: 0 });
  table.slot!.fill(2);
  table.grad = table.slot;
  small.grad = Tensor.ones(device, [2]).keep();
  optimizer.step(0.1);
  const [norm] = await optimizer.status.read();
  assertAlmostEquals(norm / Math.sqrt(4 * table.size + 2), 1, 1e-4);
  for (const row of [0, rows - 2, rows - 1]) {
    using part = table.rows(row, row + 1);
    // Decay takes 5 % of 3, the first step of Adam 0.1.
    for (const number of await part.read()) {
      assertAlmostEquals(number, 2.75, 1e-5);
    }
  }
  const moved = await small.read();
  assertAlmostEquals(moved[0], 0.9, 1e-6);
  assertAlmostEquals(await mean(small).item(), 1.4, 1e-6);
});
