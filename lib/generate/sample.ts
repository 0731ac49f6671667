/**
 * Drawing the next token, on the GPU.
 *
 * @module
 */

import type { Device } from "../gpu/device.ts";
import { Kernel } from "../gpu/kernel.ts";
import type { Random } from "../random.ts";
import { expectFloat } from "../tensor/expect.ts";
import type { Tensor } from "../tensor/tensor.ts";
import gridSource from "../../kernels/shared/grid.wgsl" with { type: "text" };
import randomSource from "../../kernels/shared/random.wgsl" with {
  type: "text",
};
import reduceSource from "../../kernels/shared/reduce_workgroup.wgsl" with {
  type: "text",
};
import source from "../../kernels/sample.wgsl" with { type: "text" };

const kernel = new Kernel(
  "sample",
  source,
  gridSource,
  randomSource,
  reduceSource,
);

/** How to draw a token, in the names of `transformers`. */
export interface SamplingOptions {
  /** Below 1 favors likely tokens, above evens the odds; 0 takes the likeliest: 1. */
  readonly temperature?: number;
  /** Draw among this many likeliest tokens; 0 for all: 0. */
  readonly topK?: number;
  /** Draw among the fewest tokens that hold this much probability: 1. */
  readonly topP?: number;
  /** Drop tokens less than this times as likely as the likeliest: 0. */
  readonly minP?: number;
  /** Divides the score of tokens already there; 1 for none: 1. */
  readonly repetitionPenalty?: number;
}

/** The options with their defaults. Throws a `RangeError` naming all that is wrong. */
export function checkSampling(
  options: SamplingOptions,
): Required<SamplingOptions> {
  const full = {
    temperature: options.temperature ?? 1,
    topK: options.topK ?? 0,
    topP: options.topP ?? 1,
    minP: options.minP ?? 0,
    repetitionPenalty: options.repetitionPenalty ?? 1,
  };
  const { temperature, topK, topP, minP, repetitionPenalty } = full;
  const finite = Number.isFinite;
  const rules: [valid: boolean, problem: string][] = [
    [
      finite(temperature) && temperature >= 0,
      `temperature is ${temperature}, expected 0 or more`,
    ],
    [
      Number.isInteger(topK) && topK >= 0,
      `top-k is ${topK}, expected a whole number from 0`,
    ],
    [topP > 0 && topP <= 1, `top-p is ${topP}, expected above 0 and at most 1`],
    [minP >= 0 && minP <= 1, `min-p is ${minP}, expected from 0 to 1`],
    [
      finite(repetitionPenalty) && repetitionPenalty > 0,
      `repetition-penalty is ${repetitionPenalty}, expected above 0`,
    ],
  ];
  const problems = rules.filter(([valid]) => !valid).map(([, text]) => text);
  if (problems.length > 0) {
    throw new RangeError(`Cannot sample: ${problems.join("; ")}`);
  }
  return full;
}

/** What is drawn into, kept by the caller. */
export interface Drawn {
  /** u32 `[rows, capacity]`: the tokens of each row. */
  readonly tokens: Tensor;
  /** u32 `[rows]`: the last ones. */
  readonly next: Tensor;
  /** u32 `[rows, V]`: 1 where a token is there already. */
  readonly seen: Tensor;
}

/** Draws tokens for rows of logits from one stream of randomness. */
export class Sampler {
  readonly #options: Required<SamplingOptions>;
  readonly #seed: { seed_x: number; seed_y: number };

  /** Checks the options and takes a seed from `random`. */
  constructor(options: SamplingOptions, random: Random) {
    this.#options = checkSampling(options);
    this.#seed = { seed_x: random.bits(), seed_y: random.bits() };
  }

  /** Queues drawing token `step` of every row of `logits`, `[rows, V]`. */
  draw(logits: Tensor, step: number, drawn: Drawn): void {
    const [rows, cols] = logits.shape;
    const { temperature, topK, topP, minP, repetitionPenalty } = this.#options;
    expectFloat("sample from", logits);
    const BITS = digitBits(logits.device, cols);
    // All tokens once for the greatest, once for the draw, and for each cut.
    const cuts = Number(topK > 0) + Number(topP < 1);
    const passes = 2 + cuts * (1 + Math.ceil(32 / BITS));
    kernel.run("sample", {
      args: {
        logits,
        ...drawn,
        rows,
        cols,
        capacity: drawn.tokens.shape[1],
        step,
        top_k: Math.min(topK, cols),
        temperature: temperature && asNormalFloat(temperature),
        top_p: topP,
        min_p: minP,
        penalty: asNormalFloat(repetitionPenalty),
        ...this.#seed,
      },
      grid: { groups: rows },
      constants: {
        BLOCK: 2 ** BITS,
        BITS,
        PENALIZED: repetitionPenalty !== 1,
      },
      ...(logits.dtype === "f16" && { types: { Stored: "f16" } }),
      work: { flops: 0, bytes: passes * logits.bytes },
      trips: passes * (Math.ceil(cols / 2 ** BITS) + BITS + 1),
    });
  }

  /** Queues marking the first `count` tokens of every row as seen. */
  mark(count: number, { tokens, seen }: Drawn): void {
    const [rows, capacity] = tokens.shape;
    const cols = seen.shape[1];
    kernel.run("mark", {
      args: {
        tokens,
        seen,
        rows,
        cols,
        capacity,
        step: count,
        top_k: 0,
        temperature: 0,
        top_p: 1,
        min_p: 0,
        penalty: 1,
        ...this.#seed,
      },
      grid: { threads: rows * count },
    });
  }
}

/** The bits of a digit, to which the threads of a workgroup are two's power. */
function digitBits({ adapter, limits }: Device, cols: number): number {
  if (cols <= 4096) return 6;
  const wide = !adapter.software && cols > 16384 &&
    limits.maxComputeInvocationsPerWorkgroup >= 1024;
  return wide ? 10 : 8;
}

/** The nearest to a positive number that a GPU treats as neither 0 nor infinite. */
function asNormalFloat(value: number): number {
  return Math.min(Math.max(value, 2 ** -126), 2 ** 127);
}
