/**
 * The op table: numbers that lie in memory as f16, computed with as f32.
 *
 * Inputs are what f16 holds exactly, so that all that is off is rounded by the op.
 *
 * @module
 */

import * as ops from "../../lib/ops/mod.ts";
import * as reference from "../reference.ts";
import { type Case, deep, half, row } from "./case.ts";
import { awayFromZero, below, type Input, normal, scaled } from "./inputs.ts";
import { onResidual } from "./matrix_cases.ts";

const shapes: readonly number[][] = [[1], [5], [301], [3, 37, 23], [13, 64]];

/** Its numbers as f16 say what they are in f32, and the other way round. */
function cast(from: Input, dtype: "f32" | "f16"): Case {
  return {
    ...row("neg", [from], dtype),
    op: "to",
    run: (x) => ops.to(x, dtype),
    reference: (x) => x,
    halves: dtype === "f16" ? [] : [0],
  };
}

function embedding(table: Input, ids: Input): Case {
  return {
    ...row("embedding", [table, ids], { dtype: "f16" }),
    halves: [],
  };
}

/** One row an op and shape. */
export const halfCases: readonly Case[] = [
  ...shapes.flatMap((shape) => [
    ...[cast(normal(...shape), "f16"), cast(normal(...shape), "f32")],
    ...(["neg", "exp", "sigmoid", "relu", "silu", "gelu"] as const)
      .map((op) => half([0], row(op, [awayFromZero(true, ...shape)]))),
    // Its slope is 1 - y^2 of the y in memory, so large y leave it few digits.
    half([0], row("tanh", [scaled(0.3, ...shape)])),
    half([0], row("gelu", [normal(...shape)], { approximate: "none" })),
    half([0], row("log", [awayFromZero(false, ...shape)])),
    half([0], row("sqrt", [awayFromZero(false, ...shape)])),
    ...(["add", "sub", "mul"] as const).map((op) =>
      half([0, 1], row(op, [normal(...shape), normal(...shape)]))
    ),
    half([0, 1], row("div", [normal(...shape), awayFromZero(true, ...shape)])),
    half([0], row("add", [normal(...shape)], 1.5)),
  ]),
  half([0, 1], row("add", [normal(2, 37, 32), normal(37, 32)])),
  half([0], row("add", [normal(2, 37, 32), normal(37, 32)])), // to f32
  half([0], row("add", [normal(2, 13, 5), normal(13, 5)])),
  half([0], row("mul", [normal(2, 3, 5), normal(2, 3, 5)])),
  half([1], row("add", [normal(37, 23), normal(37, 23)])),

  ...(["softmax", "logSoftmax"] as const).flatMap((op) => [
    half([0], row(op, [scaled(3, 3, 1)])),
    half([0], row(op, [scaled(3, 37, 23)])),
    half([0], row(op, [scaled(3, 2, 3, 64)])),
    half([0], row(op, [scaled(3, 37, 12)], { axis: 0 })),
  ]),
  half([0], row("layerNorm", [normal(301), normal(301), normal(301)])),
  half([0], row("layerNorm", [normal(2, 13, 32), normal(32), normal(32)])),
  half([0], row("layerNorm", [normal(2, 13, 32), normal(32)], null)),
  half([0], row("layerNorm", [normal(41, 128), normal(128), normal(128)])),
  half([0], row("layerNorm", [normal(300, 65), normal(65), normal(65)])),
  half([0], row("crossEntropy", [scaled(3, 5, 301), below(301, 5)])),
  half([0], row("crossEntropy", [scaled(3, 2, 13, 64), below(64, 2, 13)])),
  ...([[[5, 16], 301], [[2, 13, 32], 65], [[37, 9], 23]] as const).map((
    [shape, vocabulary],
  ) =>
    half(
      [0],
      row("linearCrossEntropy", [
        normal(...shape),
        normal(vocabulary, shape.at(-1)!),
        below(vocabulary, ...shape.slice(0, -1)),
      ]),
    )
  ),
  half([0], deep(37, "linear", [normal(19, 37), normal(23, 37), normal(23)])),
  half([0], deep(32, "conv1d", [normal(70, 32), normal(32, 96), normal(96)])),
  half(
    [0],
    deep(33, "conv1d", [normal(5, 33), normal(33, 68), normal(68)], {
      activation: "gelu",
    }),
  ),
  half([0], deep(32, "linear", [normal(1, 32), normal(68, 32)])),
  ...onResidual("conv1d", (inputs, outputs) => [inputs, outputs])
    .filter(({ inputs }) => inputs[3].shape[1] % 4 === 0) // others round twice
    .flatMap((tried) => [half([0, 3], tried), half([3], tried)]),
  half([0, 1], deep(37, "matmul", [normal(2, 19, 37), normal(2, 37, 17)])),
  half([0], deep(64, "matmul", [normal(33, 64), normal(64, 64)])),
  embedding(normal(37, 32), below(37, 5, 13)),
  embedding(normal(37, 21), below(37, 301)),

  ...(["sum", "mean", "max", "argmax"] as const).flatMap((op) => [
    half([0], deep(37, op, [normal(3, 37)], { axis: 1 })),
    half([0], deep(37, op, [normal(37, 64)], { axis: 0 })),
    half([0], deep(5000, op, [normal(2, 5000)], { axis: -1 })),
    half([0], deep(301, op, [normal(301)])),
  ]),
  half([0], row("reshape", [normal(2, 3, 5)], [5, 6])),
  half([0], row("transpose", [normal(37, 23)], 0, 1)),
  half([0], row("permute", [normal(2, 3, 4, 8)], [0, 2, 1, 3])),
  half([0], row("slice", [normal(37, 23)], 1, 2, 5)),
  half([0], row("slice", [normal(37, 24)], 0, 2, 5)),
  half([0], row("expand", [normal(1, 3, 1, 5)], [2, 3, 4, 5])),
  half([0], row("expand", [normal(1, 32)], [13, 32])),
  half([0, 1], {
    ...row("reshape", [normal(2, 3), normal(2, 37)], 1),
    op: "concat",
    run: (a, b) => ops.concat([a, b], 1),
    reference: (a, b) => reference.concat([a, b], 1),
  }),
];
