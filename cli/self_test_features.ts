/**
 * Self-tests of what only some adapters offer.
 *
 * @module
 */

import type { Device } from "../lib/gpu/device.ts";
import { Kernel } from "../lib/gpu/kernel.ts";
import { product } from "../lib/ops/product.ts";
import { Random } from "../lib/random.ts";
import { Parameter } from "../lib/tensor/parameter.ts";
import { Tensor } from "../lib/tensor/tensor.ts";
import { compare, type Verdict } from "./verdict.ts";
import halfSource from "./self_test_f16.wgsl" with { type: "text" };
import subgroupSource from "./self_test_subgroup.wgsl" with { type: "text" };

const subgroupKernel = new Kernel("self_test_subgroup", subgroupSource);
const halfKernel = new Kernel("self_test_f16", halfSource);

/** What threads of a subgroup tell each other. */
export async function lanes(device: Device): Promise<Verdict> {
  const size = device.subgroupSize;
  const from = size - 1;
  const rows = 9;
  const values = new Random(5).normal(rows * size);
  using _scope = device.scope();
  const x = Tensor.from(device, values);
  const y = Tensor.zeros(device, [4 * x.size]);
  subgroupKernel.run("lanes", {
    args: { x, y },
    grid: { groups: rows },
    constants: { BLOCK: size, FROM: from },
  });
  const seen = await y.read();
  return compare(
    [...values].flatMap((_, i) => {
      const start = i - i % size;
      const row = values.subarray(start, start + size);
      const sum = row.reduce((total, value) => total + value, 0);
      const where = `of thread ${i}`;
      return [
        [`the lane ${where}`, seen[4 * i], i % size, 0],
        [`subgroupAdd ${where}`, seen[4 * i + 1], sum, 1e-4],
        [`subgroupMax ${where}`, seen[4 * i + 2], Math.max(...row), 0],
        [`subgroupBroadcast ${where}`, seen[4 * i + 3], row[from], 0],
      ] as const;
    }),
  );
}

/** Half precision, on a device that was granted `shader-f16`. */
export async function halves(device: Device): Promise<Verdict> {
  const values = new Random(7).normal(257).map((v) => Math.f16round(v));
  const size = values.length - 1;
  using _scope = device.scope();
  const x = Tensor.from(device, values);
  const y = Tensor.zeros(device, [4 * size]);
  const z = Tensor.zeros(device, [size]);
  const grid = { threads: size };
  halfKernel.run("halves", { args: { x, y, size }, grid });
  halfKernel.run("product", { args: { x, y: z, size }, grid });
  const [pairs, sums] = [await y.read(), await z.read()];
  return compare([
    ...Array.from({ length: size }, (_, i) => {
      const [a, b] = [values[i], values[i + 1]];
      const row = (what: string, k: number, exact: number) =>
        [
          what,
          pairs[4 * i + k],
          exact,
          2 ** -9 * Math.abs(exact) + 2 ** -14,
        ] as const;
      return [
        row(`${a} + ${b}`, 0, a + b),
        row(`${a} * ${b}`, 1, a * b),
        row(`${a} / ${b}`, 2, a / b),
        [`fma of ${a} and ${b}`, pairs[4 * i + 3], a * b + a, 2 ** -7] as const,
      ];
    }).flat(),
    ...Array.from({ length: size }, (_, r) => {
      let sum = 0;
      for (let j = 0; j < size; j++) sum += values[j] * values[(j + r) % size];
      return [`sum ${r} in halves`, sums[r], sum, 2] as const;
    }),
  ]);
}

/** Weights as training in half precision keeps and multiplies them. */
export async function halfWeights(device: Device): Promise<Verdict> {
  const [rows, depth, cols] = [5, 61, 24];
  const random = new Random(8);
  using _scope = device.scope();
  const data = random.normal(depth * cols);
  data.set([0, 1e5, -1e5, 65504, 2 ** -14, 3e-6, 1e-9], 0);
  using weight = new Parameter(device, data, [depth, cols]);
  const x = random.normal(rows * depth).map((v) => Math.f16round(v));
  // The large ones above would drown all others.
  for (let row = 0; row < rows; row++) x[row * depth] = 0;
  const y = product(
    Tensor.from(device, Float16Array.from(x), [rows, depth]),
    weight.as("f16"),
    { dtype: "f32" },
  );
  const [kept, made] = [await weight.as("f16").read(), await y.read()];
  return compare([
    ...Array.from(data, (v, i) => {
      const exact = Math.max(-65504, Math.min(65504, v));
      const unit = 2 ** -10 * Math.abs(exact) + 2 ** -24;
      return [`${v} as a half`, kept[i], exact, unit] as const;
    }),
    ...Array.from(made, (value, i) => {
      const [row, col] = [Math.floor(i / cols), i % cols];
      let sum = 0;
      for (let k = 1; k < depth; k++) {
        sum += x[row * depth + k] * kept[k * cols + col];
      }
      return [`[${row}, ${col}] of halves`, value, sum, 1e-3] as const;
    }),
  ]);
}
