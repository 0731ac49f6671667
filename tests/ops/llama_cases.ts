/**
 * The op table: what Llama adds.
 *
 * @module
 */

import { anglesPerPosition, type RopeScaling } from "../../lib/nn/rotary.ts";
import * as ops from "../../lib/ops/mod.ts";
import { turnsFor } from "../../lib/ops/rope.ts";
import * as reference from "../reference.ts";
import { type Case, deep, half, row } from "./case.ts";
import { normal, scaled } from "./inputs.ts";

const MANY = 70001;

/** The sizes of a row of `rope`. */
interface Turned {
  readonly batch: number;
  readonly time: number;
  readonly heads: number;
  readonly pairs: number;
  readonly size: number;
  readonly start?: number;
  readonly scaling?: RopeScaling;
}

function rope(
  { batch, time, heads, pairs, size, start = 0, scaling = null }: Turned,
): Case {
  const angles = anglesPerPosition({ size, theta: 1e4, scaling });
  const positions = start + time;
  const inputs = [heads, pairs, pairs].map((n) =>
    normal(batch, time, n * size)
  );
  return {
    ...row("neg", inputs, { size, start, scaling }),
    op: "rope",
    run: (q, k, v) =>
      ops.rope(q, k, v, {
        turns: turnsFor(q.device, angles, positions),
        start,
      }),
    reference: (q, k, v) => reference.rope(q, k, v, { angles, start }),
  };
}

const llama3 = {
  type: "llama3",
  factor: 8,
  lowFreqFactor: 1,
  highFreqFactor: 4,
  originalMaxPositionEmbeddings: 64,
} as const;

/** One row an op and shape. */
export const llamaCases: readonly Case[] = [
  row("rmsNorm", [normal(1, 2), normal(2)]),
  row("rmsNorm", [normal(301), normal(301)]),
  row("rmsNorm", [normal(3, 4, 301), normal(301)]),
  row("rmsNorm", [normal(2, 13, 32), normal(32)]),
  row("rmsNorm", [normal(37, 23), normal(23)], 1e-2),
  row("rmsNorm", [normal(300, 65), normal(65)]),
  row("rmsNorm", [normal(2, 1600), normal(1600)]),
  row("rmsNorm", [normal(0, 7), normal(7)]),
  deep(MANY, "rmsNorm", [normal(MANY, 3), normal(3)]),

  row("attention", [normal(2, 13, 8 * 8)], 4, { keyValueHeads: 2 }),
  row("attention", [normal(2, 7, 8 * 5)], 6, { keyValueHeads: 1 }),
  row("attention", [normal(1, 70, 16 * 16)], 12, { keyValueHeads: 2 }),
  row("attention", [normal(1, 37, 5 * 80)], 3, { keyValueHeads: 1 }),

  ...[[1], [0], [5], [301], [3, 37, 23], [13, 64]].map((shape) =>
    row("swiglu", [scaled(3, ...shape), normal(...shape)])
  ),

  rope({ batch: 1, time: 1, heads: 1, pairs: 1, size: 2 }),
  rope({ batch: 2, time: 13, heads: 3, pairs: 3, size: 6 }),
  rope({ batch: 2, time: 13, heads: 4, pairs: 2, size: 16 }),
  rope({ batch: 1, time: 70, heads: 6, pairs: 1, size: 10, start: 60 }),
  rope({ batch: 2, time: 3, heads: 2, pairs: 2, size: 64, start: 131069 }),
  rope({ batch: 0, time: 3, heads: 2, pairs: 1, size: 8 }),
  rope({
    ...{ batch: 1, time: 5, heads: 2, pairs: 1, size: 32, start: 4000 },
    scaling: llama3,
  }),
  rope({
    ...{ batch: 1, time: 5, heads: 2, pairs: 1, size: 8, start: 1000 },
    scaling: { type: "linear", factor: 4 },
  }),
];

/** The same of numbers that lie in memory as f16. */
export const llamaHalfCases: readonly Case[] = [
  half(
    [0],
    row("attention", [scaled(0.5, 2, 13, 8 * 8)], 4, {
      keyValueHeads: 2,
    }),
  ),
  half([0], row("rmsNorm", [normal(301), normal(301)])),
  half([0], row("rmsNorm", [normal(2, 13, 32), normal(32)])),
  half([0], row("rmsNorm", [normal(300, 65), normal(65)])),
  half([0, 1], row("swiglu", [normal(301), normal(301)])),
  half([0, 1], row("swiglu", [scaled(3, 13, 64), normal(13, 64)])),
  half(
    [0, 1, 2],
    rope({ batch: 2, time: 13, heads: 3, pairs: 3, size: 6 }),
  ),
  half(
    [0, 1, 2],
    rope({ batch: 1, time: 70, heads: 6, pairs: 2, size: 16, start: 60 }),
  ),
];
