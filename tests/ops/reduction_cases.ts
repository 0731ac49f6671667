/**
 * The op table: reductions, and the normalizations built on them.
 *
 * @module
 */

import { type Case, deep, row } from "./case.ts";
import { below, type Input, normal, scaled } from "./inputs.ts";

/** An input, the axis that goes, and how many elements lie along it. */
const along: readonly (readonly [Input, axis: number, depth: number])[] = [
  [normal(1), 0, 1],
  [normal(301), 0, 301],
  [normal(301), -1, 301],
  [normal(3, 1), 1, 1],
  [normal(3, 37), 0, 3],
  [normal(3, 37), 1, 37],
  [normal(37, 23), -2, 37],
  [normal(2, 5, 3), 0, 2],
  [normal(2, 5, 3), 1, 5],
  [normal(2, 37, 301), 1, 37],
  [normal(2, 3, 2, 23), -2, 2],
  [normal(2, 3, 5000), -1, 5000],
  [normal(1030, 3), 0, 1030],
];

const everything: readonly number[][] = [[], [1], [301], [37, 23], [
  3,
  5,
  1001,
]];

/** A workgroup a row comes to more than fit on one axis of a dispatch. */
const MANY = 70001;

/** GPT-2's vocabulary. */
const VOCABULARY = 50257;

/** One row an op and shape. */
export const reductionCases: readonly Case[] = [
  ...(["sum", "mean", "max", "argmax"] as const).flatMap((op) => [
    ...along.map(([input, axis, depth]) => deep(depth, op, [input], { axis })),
    ...everything.map((shape) =>
      deep(shape.reduce((a, b) => a * b, 1), op, [normal(...shape)])
    ),
    row(op, [normal(2, 5, 3)], { axis: 1, keepDims: true }),
    row(op, [normal(2, 5, 3)], { axis: -1, keepDims: true }),
    row(op, [normal(2, 5, 3)], { keepDims: true }),
    row(op, [normal(MANY, 3)], { axis: 1 }),
  ]),
  deep(2 ** 20 + 1, "sum", [normal(2 ** 20 + 1)]),
  row("argmax", [normal(2, VOCABULARY)], { axis: -1 }),
  row("sum", [normal(0)]),
  row("sum", [normal(3, 0)], { axis: 1 }),
  row("sum", [normal(0, 3)], { axis: 1 }),

  ...(["softmax", "logSoftmax"] as const).flatMap((op) => [
    row(op, [scaled(3, 1)]),
    row(op, [scaled(3, 7, 1)]),
    row(op, [scaled(3, 301)]),
    row(op, [scaled(3, 2, 3, 37)]),
    row(op, [scaled(3, 5, 1030)]),
    row(op, [scaled(3, 0, 5)]),
    row(op, [scaled(3, 2, VOCABULARY)]),
    row(op, [scaled(3, MANY, 3)]),
    row(op, [scaled(3, 37, 23)], { axis: 0 }),
    row(op, [scaled(3, 2, 37, 3)], { axis: 1 }),
    row(op, [scaled(3, 2, 5, 3)], { axis: -2 }),
  ]),

  row("layerNorm", [normal(1, 2), normal(2), normal(2)]),
  row("layerNorm", [normal(301), normal(301), normal(301)]),
  row("layerNorm", [normal(3, 4, 301), normal(301), normal(301)]),
  row("layerNorm", [normal(2, 13, 32), normal(32), normal(32)]),
  row("layerNorm", [normal(2, 13, 32), normal(32)], null),
  row("layerNorm", [normal(37, 23), normal(23), normal(23)], 1e-2),
  row("layerNorm", [normal(300, 65), normal(65), normal(65)]),
  row("layerNorm", [normal(70, 128), normal(128), normal(128)]),
  row("layerNorm", [normal(3, 768), normal(768)], null),
  row("layerNorm", [normal(0, 32), normal(32), normal(32)]),
  row("layerNorm", [normal(2, 1600), normal(1600), normal(1600)]),
  row("layerNorm", [normal(0, 7), normal(7), normal(7)]),
  deep(MANY, "layerNorm", [normal(MANY, 3), normal(3), normal(3)]),

  row("crossEntropy", [scaled(3, 1, 2), below(2, 1)]),
  row("crossEntropy", [scaled(3, 5, 301), below(301, 5)]),
  row("crossEntropy", [scaled(3, 2, 13, 61), below(61, 2, 13)]),
  row("crossEntropy", [scaled(3, 301), below(301)]),
  row("crossEntropy", [scaled(3, 3, VOCABULARY), below(VOCABULARY, 3)]),
  row("crossEntropy", [scaled(3, MANY, 3), below(3, MANY)]),
  row("crossEntropy", [scaled(3, 37, 5), below(5, 37)], { ignoreIndex: 2 }),

  ...([
    [[1, 4], 3],
    [[5, 16], 301],
    [[2, 13, 32], 65],
    [[7], 5],
    [[37, 9], 23],
    [[3, 16], VOCABULARY],
  ] as const).map(([shape, vocabulary]) =>
    row("linearCrossEntropy", [
      normal(...shape),
      normal(vocabulary, shape.at(-1)!),
      below(vocabulary, ...shape.slice(0, -1)),
    ])
  ),
  row(
    "linearCrossEntropy",
    [normal(301, 12), normal(37, 12), below(37, 301)],
    { chunk: 128, ignoreIndex: 3 },
  ),
];
