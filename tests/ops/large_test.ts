/**
 * Sizes beyond what one loop or one axis of a grid holds: software Vulkan leaves
 * loops after 65,535 trips and says nothing, and a grid is 65,535 workgroups wide.
 */

import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Kernel } from "../../lib/gpu/kernel.ts";
import * as ops from "../../lib/ops/mod.ts";
import { backward } from "../../lib/tensor/backward.ts";
import { Parameter } from "../../lib/tensor/parameter.ts";
import { readAll, Tensor } from "../../lib/tensor/tensor.ts";
import { bothDevices } from "../both_devices.ts";

const devices = bothDevices();

/** More than 65,535 workgroups of 64 threads hold, and not a multiple of four. */
const MANY = 65_535 * 64 + 4 * 64 + 7;

Deno.test("reductions of millions of elements miss none", async () => {
  for (const device of [devices.best!, devices.plain!]) {
    using _scope = device.scope();
    const ones = Tensor.ones(device, [MANY]);
    assertEquals(await ops.sum(ones).item(), MANY);
    assertEquals(await ops.mean(ones).item(), 1);
    const numbers = Tensor.arange(device, 0, MANY, "u32");
    assertEquals(await ops.max(numbers).item(), MANY - 1);
    assertEquals(await ops.argmax(numbers).item(), MANY - 1);
    const tall = Tensor.ones(device, [MANY / 5 | 0, 5]);
    const columns = await ops.sum(tall, { axis: 0 }).read();
    assertEquals([...columns], new Array(5).fill(MANY / 5 | 0));
  }
});

Deno.test("rows of half a million columns are taken whole", async () => {
  for (const device of [devices.best!, devices.plain!]) {
    for (const COLS of [600_000, 150_003]) {
      using _scope = device.scope();
      const zeros = Tensor.zeros(device, [2, COLS]);
      const shares = await ops.softmax(zeros).read();
      for (const at of [0, COLS - 1, 2 * COLS - 1]) {
        assertAlmostEquals(shares[at] * COLS, 1, 1e-6);
      }
      const target = Tensor.from(device, Uint32Array.of(COLS - 1, 7));
      const loss = await ops.crossEntropy(zeros, target).item();
      assertAlmostEquals(loss, Math.log(COLS), 1e-4);
      const ones = Tensor.ones(device, [COLS]);
      const steps = Tensor.arange(device, 0, COLS, "f32");
      const line = await ops.layerNorm(steps, ones).read();
      // Evenly spaced numbers normalized reach the square root of three.
      assertAlmostEquals(line[0], -Math.sqrt(3), 1e-4);
      assertAlmostEquals(line[COLS - 1], Math.sqrt(3), 1e-4);
    }
  }
});

Deno.test("a row too long for one loop is refused, not cut short", () => {
  const device = devices.best!;
  if (!device.adapter.software) return;
  using _scope = device.scope();
  const kernel = new Kernel(
    "sums",
    `@group(0) @binding(0) var<storage, read_write> y: array<f32>;
     @compute @workgroup_size(1) fn sums() { y[0] = 0.0; }`,
  );
  const y = Tensor.zeros(device, [1]);
  assertThrows(
    () =>
      kernel.run("sums", { args: { y }, grid: { groups: 1 }, trips: 65_536 }),
    RangeError,
    "a thread would go 65536 times through loops",
  );
});

Deno.test("gradients of more ids and picks than a loop has trips are whole", async () => {
  const COUNT = 140_001;
  for (const device of [devices.best!, devices.plain!]) {
    using _scope = device.scope();
    using table = new Parameter(device, new Float32Array(2 * 4), [2, 4]);
    const ids = Tensor.from(
      device,
      Uint32Array.from({ length: COUNT }, (_, i) => i % 3 === 0 ? 1 : 0),
    );
    backward(ops.sum(ops.embedding(table, ids)));
    const ones = Math.ceil(COUNT / 3);
    assertEquals(
      [...await table.grad!.read()],
      [...Array(4).fill(COUNT - ones), ...Array(4).fill(ones)],
    );

    using line = new Parameter(device, new Float32Array(3), [3]);
    backward(ops.sum(ops.gather(line, 0, ids)));
    assertEquals([...await line.grad!.read()], [COUNT - ones, ones, 0]);

    const logits = Tensor.zeros(device, [COUNT, 4]);
    const loss = await ops.crossEntropy(logits, ids).item();
    assertAlmostEquals(loss, Math.log(4), 1e-5);
  }
});

Deno.test("a table longer than a kernel can bind is read and moved in slices", async () => {
  const device = devices.best!;
  const { maxStorageBufferBindingSize: most } = device.gpu.limits;
  const COLS = 512;
  const ROWS = 64 * Math.ceil(most / (64 * 4 * COLS)) + 192;
  if (4 * ROWS * COLS > 2 ** 28) return; // it binds more than a test should take
  using _scope = device.scope();
  using table = new Parameter(device, null, [ROWS, COLS]);
  const wanted = [0, 63, ROWS - 193, ROWS - 192, ROWS - 1, ROWS, 63];
  const ids = Tensor.from(device, Uint32Array.from(wanted));
  const last = table.rows(ROWS - 64, ROWS);
  last.fill(2);
  const y = ops.embedding(table, ids);
  const rows = await y.read();
  assertEquals(
    wanted.map((_, i) => rows[COLS * i + COLS - 1]),
    [0, 0, 0, 0, 2, NaN, 0],
  );
  backward(ops.sum(y));
  const dtable = table.grad!;
  const ends = [[0, 64], [ROWS - 256, ROWS - 192], [ROWS - 192, ROWS]];
  const sums = ends.map(([first, end]) =>
    ops.sum(dtable.rows(first, end), { axis: 1 })
  );
  const [top, middle, bottom] = await readAll(sums);
  assertEquals([top[0], top[1], top[63]], [COLS, 0, 2 * COLS]);
  assertEquals([middle[62], middle[63]], [0, COLS]);
  assertEquals([bottom[0], bottom[1], bottom[191]], [COLS, 0, COLS]);

  // The same table as a head, which scores everything alike.
  last.fill(0);
  const hidden = Tensor.ones(device, [3, COLS]);
  const targets = Tensor.from(device, Uint32Array.of(0, 63, ROWS - 1));
  table.grad![Symbol.dispose]();
  table.grad = null;
  const loss = ops.linearCrossEntropy(hidden, table, targets);
  assertAlmostEquals(await loss.item(), Math.log(ROWS), 1e-4);
  backward(loss);
  const moved = await readAll(
    ends.map(([first, end]) =>
      ops.sum(table.grad!.rows(first, end), { axis: 1 })
    ),
  );
  const each = COLS / ROWS;
  const one = COLS / 3;
  assertAlmostEquals(moved[0][0], each - one, 1e-3);
  assertAlmostEquals(moved[0][1], each, 1e-5);
  assertAlmostEquals(moved[1][63], each, 1e-5);
  assertAlmostEquals(moved[2][191], each - one, 1e-3);
});
