/**
 * Gradients by finite differences, accurate because everything is a double.
 *
 * @module
 */

import type { Array64 } from "./array.ts";

/** Which derivative of a function to take. */
export interface Slope {
  /** Which of the inputs moves. */
  readonly input: number;
  /** The one element of it that moves, or how far each does. */
  readonly along: number | ArrayLike<number>;
  /** What the outputs are multiplied by before they are summed. */
  readonly dy: Array64;
}

/** The derivative of `dy · f(inputs)`, by central difference. */
export function slope(
  f: (...inputs: Array64[]) => Array64,
  inputs: readonly Array64[],
  { input, along, dy }: Slope,
): number {
  const step = 1e-5;
  const start = inputs[input].data;
  const [up, down] = [step, -step].map((length) => {
    const data = start.slice();
    if (typeof along === "number") data[along] += length;
    else {
      for (let i = 0; i < data.length; i++) data[i] += length * along[i];
    }
    const { shape } = inputs[input];
    return f(...inputs.toSpliced(input, 1, { data, shape })).data;
  });
  let sum = 0;
  for (let i = 0; i < up.length; i++) sum += dy.data[i] * (up[i] - down[i]);
  return sum / (2 * step);
}
