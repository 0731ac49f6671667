/**
 * The op table: rows of a batch that are several documents side by side.
 *
 * @module
 */

import { anglesPerPosition } from "../../lib/nn/rotary.ts";
import * as ops from "../../lib/ops/mod.ts";
import { turnsFor } from "../../lib/ops/rope.ts";
import type { Random } from "../../lib/random.ts";
import * as reference from "../reference.ts";
import { type Case, half, row } from "./case.ts";
import { type Input, normal, scaled } from "./inputs.ts";

/** Where documents begin, drawn for each row: about one in `every` positions. */
function starts(every: number, batch: number, time: number): Input {
  const draw = (random: Random) => {
    const starts = new Uint32Array(batch * time);
    for (let at = 0; at < starts.length; at++) {
      const t = at % time;
      const begins = t === 0 || random.integer(every) === 0;
      starts[at] = begins ? t : starts[at - 1];
    }
    return starts;
  };
  return { shape: [batch, time], fill: draw };
}

/** Documents of these lengths, in every row. */
function lengths(batch: number, ...lengths: number[]): Input {
  const first = (document: number) =>
    lengths.slice(0, document).reduce((sum, length) => sum + length, 0);
  const row = lengths.flatMap((length, i) => Array(length).fill(first(i)));
  const all = Array.from({ length: batch }, () => row).flat();
  return { shape: [batch, row.length], fill: () => Uint32Array.from(all) };
}

function attention(
  starts: Input,
  qkv: Input,
  heads: number,
  keyValueHeads = heads,
): Case {
  return {
    ...row("attention", [qkv, starts], heads, { keyValueHeads }),
    run: (qkv, starts) => ops.attention(qkv, heads, { keyValueHeads, starts }),
    reference: (qkv, starts) =>
      reference.attention(qkv, heads, { keyValueHeads, starts }),
  };
}

function rope(
  starts: Input,
  { heads, pairs, size, start = 0 }: {
    readonly heads: number;
    readonly pairs: number;
    readonly size: number;
    readonly start?: number;
  },
): Case {
  const [batch, time] = starts.shape;
  const angles = anglesPerPosition({ size, theta: 1e4, scaling: null });
  const inputs = [heads, pairs, pairs].map((n) =>
    normal(batch, time, n * size)
  );
  return {
    ...row("neg", [...inputs, starts], { size, start }),
    op: "rope",
    run: (q, k, v, starts) => {
      const turns = turnsFor(q.device, angles, start + time);
      return ops.rope(q, k, v, { turns, start, starts });
    },
    reference: (q, k, v, starts) =>
      reference.rope(q, k, v, { angles, start, starts }),
  };
}

/** One row an op and shape. */
export const documentCases: readonly Case[] = [
  attention(lengths(1, 1), normal(1, 1, 3), 1),
  attention(lengths(2, 1, 1, 1, 1, 1), normal(2, 5, 12), 2),
  attention(starts(3, 2, 7), normal(2, 7, 3 * 12), 3),
  attention(starts(5, 3, 13), normal(3, 13, 3 * 32), 2),
  attention(lengths(2, 16), normal(2, 16, 3 * 32), 1),
  attention(lengths(2, 8, 8, 16, 1), normal(2, 33, 3 * 5), 5),
  attention(lengths(1, 17, 15, 33), normal(1, 65, 3 * 64), 2),
  attention(starts(9, 1, 37), normal(1, 37, 3 * 80), 1),
  attention(lengths(1, 1, 128, 1), normal(1, 130, 3 * 16), 1),
  attention(starts(40, 2, 130), normal(2, 130, 3 * 7), 1),
  attention(lengths(1, 2, 6, 1), normal(1, 9, 3 * 128), 1),
  attention(starts(4, 2, 13), normal(2, 13, 8 * 8), 4, 2),
  attention(starts(20, 1, 70), normal(1, 70, 16 * 16), 12, 2),
  attention(starts(10, 1, 37), normal(1, 37, 5 * 80), 3, 1),

  rope(lengths(1, 1), { heads: 1, pairs: 1, size: 2 }),
  rope(starts(4, 2, 13), { heads: 3, pairs: 3, size: 6 }),
  rope(starts(5, 2, 13), { heads: 4, pairs: 2, size: 16 }),
  rope(lengths(2, 3, 70, 60), { heads: 2, pairs: 1, size: 8 }),
  rope(starts(20, 1, 70), { heads: 6, pairs: 1, size: 10, start: 60 }),
];

/** The same of numbers that lie in memory as f16. */
export const documentHalfCases: readonly Case[] = [
  half([0], attention(starts(4, 2, 13), scaled(0.5, 2, 13, 8 * 8), 4, 2)),
  half([0], attention(starts(9, 2, 37), scaled(0.5, 2, 37, 3 * 7), 1)),
  half([0, 1, 2], rope(starts(4, 2, 13), { heads: 3, pairs: 3, size: 6 })),
  half([0, 1, 2], rope(starts(20, 1, 70), { heads: 6, pairs: 2, size: 16 })),
];
