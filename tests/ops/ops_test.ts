/**
 * The op table: every op on awkward shapes, against plain loops over doubles.
 */

import { assertEquals } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import * as ops from "../../lib/ops/mod.ts";
import { check, describe, type Op } from "./case.ts";
import { elementwiseCases } from "./elementwise_cases.ts";
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
];

/** Ops with kernels of their own for adapters that offer subgroups. */
const twofold: readonly Op[] = [
  "attention",
  "conv1d",
  "crossEntropy",
  "layerNorm",
  "linear",
  "logSoftmax",
  "matmul",
  "softmax",
];

let device: Device;
let plainDevice: Device;

Deno.test.beforeAll(async () => {
  device = await Device.open();
  plainDevice = await Device.open({ subgroups: false });
});

Deno.test.afterAll(() => {
  device[Symbol.dispose]();
  plainDevice[Symbol.dispose]();
});

for (const tried of cases) {
  Deno.test(describe(tried), () => check(device, tried));
}

for (const tried of cases.filter(({ op }) => twofold.includes(op))) {
  Deno.test(
    `${describe(tried)} without subgroups`,
    () => check(plainDevice, tried),
  );
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
