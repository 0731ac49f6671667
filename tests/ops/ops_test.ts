/**
 * The op table: every op on awkward shapes, against plain loops over doubles.
 */

import { assertEquals } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import * as ops from "../../lib/ops/mod.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";
import { check, describe, type Op } from "./case.ts";
import { documentCases, documentHalfCases } from "./document_cases.ts";
import { elementwiseCases } from "./elementwise_cases.ts";
import { halfCases } from "./half_cases.ts";
import { llamaCases, llamaHalfCases } from "./llama_cases.ts";
import { matrixCases } from "./matrix_cases.ts";
import { reductionCases } from "./reduction_cases.ts";
import { shapeCases } from "./shape_cases.ts";

/** Ops that no reference can predict, and the test that looks after them. */
const tested = { dropout: "dropout_test.ts" };

const cases = [
  ...elementwiseCases,
  ...reductionCases,
  ...matrixCases,
  ...shapeCases,
  ...llamaCases,
  ...documentCases,
];

/** Ops with kernels of their own for adapters that offer subgroups. */
const twofold: readonly Op[] = [
  "attention",
  "conv1d",
  "crossEntropy",
  "embedding",
  "layerNorm",
  "linear",
  "linearCrossEntropy",
  "logSoftmax",
  "matmul",
  "rmsNorm",
  "softmax",
];

/**
 * Ops that read nothing from images, wherever they run; products do, where they
 * are larger, see ../gpu/texels_test.ts.
 */
const unread: readonly Op[] = [
  "argmax",
  "concat",
  "conv1d",
  "expand",
  "gather",
  "linear",
  "maskedFill",
  "matmul",
  "max",
  "permute",
  "pow",
  "reshape",
  "slice",
  "to",
  "transpose",
  "where",
];

let device: Device;
let plainDevice: Device;
let imageDevice: Device;

Deno.test.beforeAll(async () => {
  device = await Device.open();
  plainDevice = await Device.open({ subgroups: false });
  imageDevice = await Device.open();
  imageDevice.images.least = 0; // so that the smallest tensors are copied too
  poison(device);
  poison(plainDevice);
  poison(imageDevice);
});

Deno.test.afterAll(() => {
  device[Symbol.dispose]();
  plainDevice[Symbol.dispose]();
  imageDevice[Symbol.dispose]();
});

/**
 * Fills the memory that waits to be used again with NaN: an op that reads what
 * it did not write, even to multiply it by zero, then gives itself away.
 */
function poison(device: Device) {
  using _scope = device.scope();
  for (let power = 6; power <= 18; power++) {
    for (const quarters of [4, 5, 6, 7]) {
      for (let copy = 0; copy < 8; copy++) {
        Tensor.full(device, [quarters * 2 ** power / 4], NaN);
      }
    }
  }
}

for (const tried of cases) {
  Deno.test(describe(tried), () => check(device, tried));
}

for (const tried of cases.filter(({ op }) => twofold.includes(op))) {
  Deno.test(
    `${describe(tried)} without subgroups`,
    () => check(plainDevice, tried),
  );
}

for (const tried of cases.filter(({ op }) => !unread.includes(op))) {
  Deno.test(
    `${describe(tried)} from images`,
    () => check(imageDevice, tried),
  );
}

/** Whether the adapter computes with 16-bit floats. */
const hasHalves = (await navigator.gpu.requestAdapter())?.features.has(
  "shader-f16",
) ?? false;

for (const tried of [...halfCases, ...llamaHalfCases, ...documentHalfCases]) {
  Deno.test({
    name: hasHalves
      ? describe(tried)
      : `${describe(tried)}: the adapter has no 16-bit floats`,
    ignore: !hasHalves,
    fn: () => check(device, tried),
  });
  if (!twofold.includes(tried.op)) continue;
  Deno.test({
    name: `${describe(tried)} without subgroups`,
    ignore: !hasHalves,
    fn: () => check(plainDevice, tried),
  });
}

Deno.test("every op has a row", () => {
  const inTable = new Set<string>(cases.map(({ op }) => op));
  const functions = Object.entries(ops).filter(([, value]) =>
    typeof value === "function"
  );
  const missing = functions.map(([name]) => name).filter((name) =>
    !inTable.has(name) && !(name in tested)
  );
  assertEquals(missing, []);
});
