/**
 * What the op table feeds to ops. Each kind of input says its shape and how to
 * fill it, so that a row of the table is one line.
 *
 * @module
 */

import type { Random } from "../../lib/random.ts";
import { count } from "../reference.ts";

/** Numbers of one dtype. */
export type Numbers =
  | Float32Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>;

/** A tensor to be. Only floats have gradients. */
export interface Input {
  readonly shape: readonly number[];
  readonly fill: (random: Random, count: number) => Numbers;
}

/** Normally distributed floats. */
export function normal(...shape: number[]): Input {
  return { shape, fill: (random, count) => random.normal(count) };
}

/** Normally distributed floats, times `scale`. */
export function scaled(scale: number, ...shape: number[]): Input {
  return { shape, fill: (random, count) => random.normal(count, scale) };
}

/** Floats of at least 1/4, and their signs if `signed`. */
export function awayFromZero(signed: boolean, ...shape: number[]): Input {
  return {
    shape,
    fill: (random, count) =>
      random.normal(count).map((v) =>
        (signed && v < 0 ? -1 : 1) * (0.25 + Math.abs(v))
      ),
  };
}

/** Whole numbers in [0, below). */
export function below(below: number, ...shape: number[]): Input {
  return {
    shape,
    fill: (random, count) =>
      Uint32Array.from({ length: count }, () => random.integer(below)),
  };
}

/** Whole numbers between -50 and 50, but not 0. */
export function signed(...shape: number[]): Input {
  return {
    shape,
    fill: (random, count) =>
      Int32Array.from(
        { length: count },
        () => (1 + random.integer(50)) * (random.integer(2) ? 1 : -1),
      ),
  };
}

/** These numbers. */
export function given(numbers: Numbers, ...shape: number[]): Input {
  if (count(shape) !== numbers.length) {
    throw new RangeError(
      `Cannot shape ${numbers.length} numbers as [${shape}]`,
    );
  }
  return { shape, fill: () => numbers };
}
