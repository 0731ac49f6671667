/**
 * The op table: ops that treat each element by itself.
 *
 * Sizes are odd on purpose: they leave the last vector and workgroup part empty.
 *
 * @module
 */

import * as ops from "../../lib/ops/mod.ts";
import * as reference from "../reference.ts";
import { type Case, row } from "./case.ts";
import {
  awayFromZero,
  below,
  given,
  type Input,
  normal,
  scaled,
  signed,
} from "./inputs.ts";

/** Pairs of shapes that broadcast, and what they are for. */
const pairs: readonly (readonly [a: number[], b: number[]])[] = [
  [[], []],
  [[1], [1]],
  [[0], [0]],
  [[2, 0, 3], [3]],
  [[301], [301]],
  [[37, 23], [37, 23]],
  [[37, 23], []],
  [[], [37, 23]],
  [[2, 3, 5], [5]],
  [[5], [2, 3, 5]],
  [[2, 3, 5], [3, 1]],
  [[2, 3, 5], [2, 1, 1]],
  [[2, 1, 5], [3, 1]],
  [[1, 4], [3, 1]],
  [[3, 1, 2, 1], [4, 1, 7]],
  [[13, 37, 32], [32]],
];

const shapes: readonly number[][] = [[], [1], [0], [5], [301], [3, 37, 23]];

type Fill = (...shape: number[]) => Input;

function binary(op: "add" | "sub" | "mul" | "div" | "pow", a: Fill, b: Fill) {
  return pairs.map(([left, right]) => row(op, [a(...left), b(...right)]));
}

/** The same with whole numbers of both kinds; few shapes, they differ in dtype only. */
function integers(op: "add" | "sub" | "mul" | "div"): Case[] {
  const wanted = op === "div" ? reference.quotient : reference[op];
  // Unsigned differences stay above zero: a is at least 100, b below 50.
  const high = Uint32Array.from({ length: 69 }, (_, i) => 100 + 7919 * i);
  return [
    [signed(23, 3), signed(23, 3)],
    [signed(2, 3, 5), signed(3, 1)],
    [given(high, 23, 3), given(Uint32Array.of(7, 1, 49), 3)],
  ].map((inputs) => ({
    ...row(op, inputs),
    reference: (a, b) => wanted(a, b),
  }));
}

function unary(
  op: "neg" | "exp" | "log" | "sqrt" | "tanh" | "sigmoid" | "relu" | "silu",
  fill: Fill = normal,
): Case[] {
  return shapes.map((shape) => row(op, [fill(...shape)]));
}

const positive: Fill = (...shape) => awayFromZero(false, ...shape);
const nonzero: Fill = (...shape) => awayFromZero(true, ...shape);
const wide: Fill = (...shape) => scaled(3, ...shape);

/** A row of `to`, which has no reference of its own. */
function cast(
  from: Input,
  dtype: "f32" | "i32" | "u32",
  expected: (x: reference.Array64) => reference.Array64,
): Case {
  return {
    ...row("neg", [from], dtype),
    op: "to",
    run: (x) => ops.to(x, dtype),
    reference: expected,
  };
}

/** One row an op and shape. */
export const elementwiseCases: readonly Case[] = [
  ...binary("add", normal, normal),
  ...binary("sub", normal, normal),
  ...binary("mul", normal, normal),
  ...binary("div", normal, nonzero),
  ...binary("pow", positive, normal),
  row("add", [normal(3, 7)], 1.5),
  row("sub", [normal(3, 7)], 1.5),
  row("mul", [normal(3, 7)], -0.3),
  row("div", [normal(3, 7)], 3),
  row("pow", [positive(3, 7)], 2.5),
  row("pow", [normal(3, 7)], 2),
  row("pow", [normal(3, 7)], 3),
  row("add", [signed(5)], 7),
  row("mul", [below(1000, 5)], 7),
  ...integers("add"),
  ...integers("sub"),
  ...integers("mul"),
  ...integers("div"),

  ...unary("neg"),
  ...unary("exp"),
  ...unary("log", positive),
  ...unary("sqrt", positive),
  ...unary("tanh", wide),
  ...unary("sigmoid", wide),
  ...unary("relu", nonzero),
  ...unary("silu", wide),
  ...shapes.map((shape) => row("gelu", [wide(...shape)])),
  ...shapes.map((shape) =>
    row("gelu", [wide(...shape)], { approximate: "none" })
  ),
  row("gelu", [wide(301)], { approximate: "tanh" }),

  row("where", [below(2, 301), normal(301), normal(301)]),
  row("where", [below(3, 2, 3, 5), normal(2, 3, 5), normal(2, 3, 5)]),
  row("where", [below(2, 0), normal(0), normal(0)]),
  row("maskedFill", [normal(301), below(2, 301)], -2.5),
  row("maskedFill", [normal(2, 3, 5), below(2, 2, 3, 5)], 0),
  row("maskedFill", [normal(1), given(Uint32Array.of(1), 1)], -1e9),

  cast(scaled(100, 301), "f32", (x) => x),
  cast(scaled(100, 301), "i32", reference.trunc),
  cast(awayFromZero(false, 2, 7), "u32", reference.trunc),
  cast(signed(301), "f32", (x) => x),
  cast(below(1 << 24, 301), "f32", (x) => x),
  cast(below(1 << 24, 301), "i32", (x) => x),
];
