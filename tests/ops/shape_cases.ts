/**
 * The op table: ops that move numbers and change none.
 *
 * @module
 */

import * as ops from "../../lib/ops/mod.ts";
import * as reference from "../reference.ts";
import { type Case, row } from "./case.ts";
import { below, type Input, normal, signed } from "./inputs.ts";

function concat(axis: number, ...inputs: Input[]): Case {
  return {
    ...row("reshape", inputs, axis),
    op: "concat",
    run: (...parts) => ops.concat(parts, axis),
    reference: (...parts) => reference.concat(parts, axis),
  };
}

function gather(axis: number, x: Input, index: Input): Case {
  return {
    ...row("reshape", [x, index], axis),
    op: "gather",
    run: (x, index) => ops.gather(x, axis, index),
    reference: (x, index) => reference.gather(x, axis, index),
  };
}

/** One row an op and shape. */
export const shapeCases: readonly Case[] = [
  row("reshape", [normal(2, 3, 5)], [30]),
  row("reshape", [normal(2, 3, 5)], [5, 6]),
  row("reshape", [normal(2, 3, 5)], [-1, 3]),
  row("reshape", [normal(2, 3, 5)], [2, 1, -1, 1]),
  row("reshape", [normal(1)], []),
  row("reshape", [normal()], [1, 1]),
  row("reshape", [normal(0, 3)], [3, 0]),
  row("reshape", [below(9, 6)], [2, 3]),

  row("transpose", [normal(37, 23)], 0, 1),
  row("transpose", [normal(2, 3, 5)], 0, 2),
  row("transpose", [normal(2, 3, 5)], -1, -2),
  row("transpose", [normal(2, 3, 5)], 1, 1),
  row("transpose", [normal(1, 301)], 0, 1),
  row("transpose", [normal(2, 3, 37, 5)], 1, 2),
  row("transpose", [below(9, 3, 5)], 0, 1),
  row("transpose", [normal(0, 3)], 0, 1),

  row("permute", [normal(2, 3, 4)], [2, 0, 1]),
  row("permute", [normal(2, 3, 4)], [0, 1, 2]),
  row("permute", [normal(2, 3, 4, 5)], [3, 1, 0, 2]),
  row("permute", [normal(2, 3, 4, 5)], [0, -2, 1, -1]),
  row("permute", [normal(2, 3, 4, 3, 2)], [4, 2, 0, 3, 1]),
  row("permute", [normal(2, 3, 2, 4, 3, 2)], [5, 3, 1, 4, 2, 0]),
  row("permute", [normal(301)], [0]),
  row("permute", [signed(3, 5)], [1, 0]),

  row("slice", [normal(301)], 0, 13, 50),
  row("slice", [normal(37, 23)], 1, 0, 1),
  row("slice", [normal(37, 23)], 0, 36, 37),
  row("slice", [normal(2, 5, 3)], 1, 1, 4),
  row("slice", [normal(2, 5, 3)], -1, 0, 3),
  row("slice", [normal(2, 5, 3)], 1, 2, 2),
  row("slice", [below(9, 5, 3)], 0, 1, 4),

  concat(0, normal(3), normal(5)),
  concat(0, normal(3)),
  concat(1, normal(2, 3), normal(2, 1), normal(2, 37)),
  concat(-1, normal(2, 3, 5), normal(2, 3, 2)),
  concat(0, normal(2, 3), normal(0, 3), normal(1, 3)),
  concat(1, normal(2, 3, 23), normal(2, 4, 23)),
  concat(0, below(9, 3), below(9, 4)),

  row("expand", [normal(1)], [301]),
  row("expand", [normal()], [2, 3]),
  row("expand", [normal(2, 1)], [2, 5]),
  row("expand", [normal(2, 1)], [3, 2, 4]),
  row("expand", [normal(1, 3, 1, 5)], [2, 3, 4, 5]),
  row("expand", [normal(37, 23)], [37, 23]),

  gather(0, normal(7), below(7, 5)),
  gather(1, normal(3, 5), below(5, 3, 1)),
  gather(1, normal(3, 5), below(5, 2, 7)),
  gather(-1, normal(2, 3, 37), below(37, 2, 3, 23)),
  gather(1, normal(2, 5, 3), below(5, 2, 9, 3)),
];
