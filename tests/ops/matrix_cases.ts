/**
 * The op table: products of matrices, attention and tables.
 *
 * @module
 */

import * as ops from "../../lib/ops/mod.ts";
import * as reference from "../reference.ts";
import { type Case, deep, row } from "./case.ts";
import { below, normal } from "./inputs.ts";

/** Shapes of `a` and `b` before either is transposed. */
const products: readonly (readonly [a: number[], b: number[]])[] = [
  [[1, 1], [1, 1]],
  [[1, 37], [37, 1]],
  [[37, 1], [1, 23]],
  [[3, 5], [5, 7]],
  [[37, 23], [23, 301]],
  [[64, 64], [64, 64]],
  [[65, 129], [129, 67]],
  [[128, 32], [32, 96]],
  [[2, 3, 5], [2, 5, 7]],
  [[2, 3, 19, 33], [2, 3, 33, 17]],
  [[2, 1, 3, 5], [4, 5, 7]],
  [[4, 3, 5], [5, 7]],
  [[3, 5], [4, 5, 7]],
  [[0, 5], [5, 7]],
  [[3, 0], [0, 7]],
];

const transposes = [
  {},
  { transposeA: true },
  { transposeB: true },
  { transposeA: true, transposeB: true },
];

const matmuls: readonly Case[] = transposes.flatMap((options) =>
  products.map(([a, b]) =>
    deep(Math.max(1, a.at(-1)!), "matmul", [
      normal(...options.transposeA ? exchanged(a) : a),
      normal(...options.transposeB ? exchanged(b) : b),
    ], ...Object.keys(options).length ? [options] : [])
  )
);

function exchanged(shape: readonly number[]): number[] {
  return [...shape.slice(0, -2), ...shape.slice(-2).reverse()];
}

/** Layers with a GELU, which is part of the product where columns come in fours. */
function activated(
  op: "linear" | "conv1d",
  weight: (inputs: number, outputs: number) => number[],
): Case[] {
  return [[1, 37, 24], [5, 7, 9], [70, 33, 68]].map((
    [rows, inputs, outputs],
  ) =>
    deep(
      inputs,
      op,
      [
        normal(rows, inputs),
        normal(...weight(inputs, outputs)),
        normal(outputs),
      ],
      { activation: "gelu" },
    )
  );
}

/**
 * Layers on top of a residual stream, which they are added to where they end if
 * columns come in fours; the last one is summed in parts, on GPUs.
 */
export function onResidual(
  op: "linear" | "conv1d",
  weight: (inputs: number, outputs: number) => number[],
  activation?: "gelu",
): Case[] {
  return [[1, 37, 24], [5, 7, 9], [70, 33, 68], [5, 3000, 8]].map((
    [rows, inputs, outputs],
  ) => ({
    op,
    inputs: [
      normal(rows, inputs),
      normal(...weight(inputs, outputs)),
      normal(outputs),
      normal(rows, outputs),
    ],
    rest: [{ activation, residual: true }],
    run: (x, weight, bias, residual) =>
      ops[op](x, weight, bias, { activation, residual }),
    reference: (x, weight, bias, residual) =>
      reference.add(residual, reference[op](x, weight, bias, { activation })),
    depth: inputs,
  }));
}

/** One row an op and shape. */
export const matrixCases: readonly Case[] = [
  ...matmuls,
  deep(2, "matmul", [normal(66000, 1, 2), normal(66000, 2, 3)]),
  deep(37, "matmul", [normal(513, 37), normal(37, 517)]),
  deep(37, "matmul", [normal(37, 513), normal(37, 517)], { transposeA: true }),
  deep(37, "matmul", [normal(513, 37), normal(517, 37)], { transposeB: true }),
  deep(3000, "matmul", [normal(5, 3000), normal(3000, 7)]),

  deep(37, "linear", [normal(2, 19, 37), normal(23, 37), normal(23)]),
  deep(37, "linear", [normal(2, 19, 37), normal(23, 37)]),
  deep(32, "linear", [normal(3, 13, 32), normal(96, 32), normal(96)]),
  deep(5, "linear", [normal(5), normal(7, 5), normal(7)]),
  deep(1, "linear", [normal(1, 1), normal(1, 1), normal(1)]),
  deep(16, "linear", [normal(3, 16), normal(50257, 16)]),
  deep(37, "conv1d", [normal(2, 19, 37), normal(37, 23), normal(23)]),
  deep(37, "conv1d", [normal(2, 19, 37), normal(37, 23)]),
  deep(32, "conv1d", [normal(3, 13, 32), normal(32, 96), normal(96)]),
  deep(5, "conv1d", [normal(5), normal(5, 7), normal(7)]),
  deep(301, "conv1d", [normal(70, 301), normal(301, 37), normal(37)]),
  ...activated("linear", (inputs, outputs) => [outputs, inputs]),
  ...activated("conv1d", (inputs, outputs) => [inputs, outputs]),
  ...onResidual("linear", (inputs, outputs) => [outputs, inputs]),
  ...onResidual("conv1d", (inputs, outputs) => [inputs, outputs]),
  ...onResidual("conv1d", (inputs, outputs) => [inputs, outputs], "gelu"),

  row("attention", [normal(1, 1, 3)], 1),
  row("attention", [normal(2, 7, 3 * 12)], 3),
  row("attention", [normal(3, 13, 3 * 32)], 2),
  row("attention", [normal(2, 16, 3 * 32)], 1),
  row("attention", [normal(1, 33, 3 * 5)], 5),
  row("attention", [normal(1, 65, 3 * 64)], 2),
  row("attention", [normal(1, 64, 3 * 64)], 4),
  row("attention", [normal(1, 37, 3 * 80)], 1),
  row("attention", [normal(1, 130, 3 * 16)], 1),
  row("attention", [normal(1, 9, 3 * 128)], 1),
  row("attention", [normal(300, 2, 3 * 6)], 3),

  row("embedding", [normal(1, 1), below(1, 1)]),
  row("embedding", [normal(7, 13), below(7, 5)]),
  row("embedding", [normal(7, 13), below(7, 3, 11)]),
  row("embedding", [normal(7, 13), below(7)]),
  row("embedding", [normal(7, 13), below(7, 0)]),
  row("embedding", [normal(61, 32), below(61, 3, 13)]),
  row("embedding", [normal(50257, 3), below(50257, 37)]),
  deep(300, "embedding", [normal(3, 5), below(3, 1000)]),
];
