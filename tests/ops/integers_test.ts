/**
 * Whole numbers: what is exact must come out exact, signs and overflow included.
 */

import { assertEquals } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import * as ops from "../../lib/ops/mod.ts";
import { Random } from "../../lib/random.ts";
import { type HostArray, Tensor } from "../../lib/tensor/tensor.ts";

const ROWS = 37;
const COLS = 301;

/** Random words as the type of `like` reads them. */
function words(like: "i32" | "u32", seed: number): HostArray {
  const random = new Random(seed);
  const bits = Uint32Array.from({ length: ROWS * COLS }, () => random.bits());
  return like === "u32" ? bits : new Int32Array(bits.buffer);
}

/** Numbers wrapped to 32 bits, as the type of `like` reads them. */
function wrap(like: "i32" | "u32", values: readonly number[]): number[] {
  return values.map((value) => like === "i32" ? value | 0 : value >>> 0);
}

for (const dtype of ["i32", "u32"] as const) {
  Deno.test(`arithmetic and reductions of ${dtype} are exact`, async () => {
    using device = await Device.open();
    using _scope = device.scope();
    const [a, b] = [words(dtype, 1), words(dtype, 2)];
    const x = Tensor.from(device, a, [ROWS, COLS]);
    const y = Tensor.from(device, b, [ROWS, COLS]);
    const rows = Array.from(
      { length: ROWS },
      (_, row) => [...a.subarray(row * COLS, (row + 1) * COLS)],
    );
    const pairs = [...a].map((left, i) => [left, b[i]]);

    const expected: [Tensor, number[]][] = [
      [ops.add(x, y), wrap(dtype, pairs.map(([l, r]) => l + r))],
      [ops.sub(x, y), wrap(dtype, pairs.map(([l, r]) => l - r))],
      [ops.mul(x, y), wrap(dtype, pairs.map(([l, r]) => Math.imul(l, r)))],
      [ops.div(x, y), pairs.map(([l, r]) => Math.trunc(l / r) + 0)],
      [
        ops.sum(x, { axis: 1 }),
        rows.map((row) => wrap(dtype, [row.reduce((s, v) => s + v)])[0]),
      ],
      [ops.max(x, { axis: 1 }), rows.map((row) => Math.max(...row))],
      [
        ops.argmax(x, { axis: 1 }),
        rows.map((row) => row.indexOf(Math.max(...row))),
      ],
      [ops.max(x), [Math.max(...a)]],
    ];
    for (const [tensor, values] of expected) {
      assertEquals([...await tensor.read()], values);
    }
  });
}
