/**
 * The loss in chunks is the loss at once, whatever the chunk, and bit for bit the
 * same each time.
 */

import { assert, assertEquals } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import * as ops from "../../lib/ops/mod.ts";
import { Random } from "../../lib/random.ts";
import { backward } from "../../lib/tensor/backward.ts";
import { Parameter } from "../../lib/tensor/parameter.ts";
import { noGrad } from "../../lib/tensor/tape.ts";
import { readAll, Tensor } from "../../lib/tensor/tensor.ts";
import { bothDevices } from "../both_devices.ts";
import { relativeDistance } from "./case.ts";

const devices = bothDevices();
const [ROWS, COLS, VOCABULARY] = [300, 20, 67];
const IGNORED = -100 >>> 0;

type Loss = (hidden: Tensor, weight: Tensor, targets: Tensor) => Tensor;

const atOnce: Loss = (hidden, weight, targets) =>
  ops.crossEntropy(ops.linear(hidden, weight), targets);

function inChunks(chunk?: number): Loss {
  return (hidden, weight, targets) =>
    ops.linearCrossEntropy(hidden, weight, targets, { chunk });
}

/** Targets of which some are ignored, and the one at `strange` makes no sense. */
function targetsOf(device: Device, strange?: number): Tensor {
  const numbers = Uint32Array.from(
    { length: ROWS },
    (_, i) => i % 7 === 0 ? IGNORED : i * i % VOCABULARY,
  );
  if (strange !== undefined) numbers[strange] = VOCABULARY;
  return Tensor.from(device, numbers);
}

/** The loss and its gradients, scaled as if by a loss scale. */
async function lossAndGradients(device: Device, loss: Loss, scale = 1) {
  using _scope = device.scope();
  using owned = new DisposableStack();
  const random = new Random(5);
  const [hidden, weight] = [ROWS, VOCABULARY].map((rows) =>
    owned.use(new Parameter(device, random.normal(rows * COLS), [rows, COLS]))
  );
  const y = loss(hidden, weight, targetsOf(device));
  backward(y, scale);
  return await readAll([y, hidden.grad!, weight.grad!]);
}

Deno.test("the loss in chunks is the loss at once, and so are its gradients", async () => {
  for (const device of [devices.best!, devices.plain!]) {
    const expected = await lossAndGradients(device, atOnce, 0.25);
    for (const chunk of [128, 256, undefined]) {
      const actual = await lossAndGradients(device, inChunks(chunk), 0.25);
      for (const [i, values] of actual.entries()) {
        const distance = relativeDistance(values, expected[i]);
        assert(distance < 2e-6, `chunk ${chunk}: ${i} is off by ${distance}`);
      }
      assertEquals(
        await lossAndGradients(device, inChunks(chunk), 0.25),
        actual,
        "the same bits again",
      );
    }
  }
});

Deno.test("a target outside the vocabulary makes the loss not a number", async () => {
  for (const device of [devices.best!, devices.plain!]) {
    using _scope = device.scope();
    const hidden = Tensor.ones(device, [ROWS, COLS]);
    const weight = Tensor.ones(device, [VOCABULARY, COLS]);
    const score = inChunks(128);
    const sound = await score(hidden, weight, targetsOf(device)).item();
    assert(Math.abs(sound - Math.log(VOCABULARY)) < 1e-5, `it is ${sound}`);
    for (const strange of [0, 130, ROWS - 1]) {
      const targets = targetsOf(device, strange);
      assertEquals(await score(hidden, weight, targets).item(), NaN);
    }
    const none = Tensor.full(device, [ROWS], IGNORED, "u32");
    assertEquals(await score(hidden, weight, none).item(), NaN);
  }
});

Deno.test("rows that are ignored get no gradient, nor do all if all are", async () => {
  const device = devices.best!;
  const [, dhidden] = await lossAndGradients(device, inChunks(128));
  for (let row = 0; row < ROWS; row++) {
    const some = dhidden.subarray(COLS * row, COLS * (row + 1)).some((d) => d);
    assertEquals(some, row % 7 !== 0, `row ${row}`);
  }
  using _scope = device.scope();
  using weight = new Parameter(device, new Float32Array(60), [3, COLS]);
  const none = Tensor.full(device, [2], IGNORED, "u32");
  backward(
    ops.linearCrossEntropy(Tensor.ones(device, [2, COLS]), weight, none),
  );
  assertEquals(await weight.grad!.read(), new Float32Array(60));
});

Deno.test("the loss of a large vocabulary takes a chunk of memory, not all", async () => {
  using device = await Device.open();
  using _scope = device.scope();
  const [rows, vocabulary, cols] = [512, 50257, 4];
  const hidden = Tensor.ones(device, [rows, cols]);
  const weight = Tensor.ones(device, [vocabulary, cols]);
  const targets = Tensor.zeros(device, [rows], "u32");
  const before = device.bytesInUse;
  const loss = noGrad(() => ops.linearCrossEntropy(hidden, weight, targets));
  const most = device.adapter.software ? 2 ** 25 : 1.25 * 96 * 2 ** 20;
  const taken = device.bytesPeak - before;
  assert(taken <= most, `it took ${taken} bytes more`);
  assert(Math.abs(await loss.item() - Math.log(vocabulary)) < 1e-4);
});
