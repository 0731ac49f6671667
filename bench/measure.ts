/**
 * How long work takes on the GPU.
 *
 * Many runs are queued, submitted once, and the clock runs from that submit to
 * the end of a small read, less what the read takes by itself (10 ms and more in
 * Deno). So neither queuing on the host nor waiting counts. The works take turns,
 * and the best turn of each counts: neighbours on a machine make it slower for a
 * while, never faster. Compare figures of one run with each other, not with
 * those of another hour.
 *
 * @module
 */

import type { Device } from "../lib/gpu/device.ts";
import { Tensor } from "../lib/tensor/tensor.ts";

/** Something to measure. */
export interface Work {
  /** What it is called in the results. */
  readonly name: string;
  /** Queues it once. Tensors it makes are released afterwards. */
  readonly run: () => void;
  /** Additions and multiplications of one run, as mathematics counts them. */
  readonly flops?: number;
  /** Bytes one run must read and write at least. */
  readonly bytes?: number;
}

/** How long something took. */
export interface Timing {
  /** What was measured. */
  readonly work: Work;
  /** Seconds of one run. */
  readonly seconds: number;
}

/** How hard to measure. */
export interface MeasureOptions {
  /** Turns of each work: 5. */
  readonly rounds?: number;
  /** Seconds a turn should take: 0.1. */
  readonly turn?: number;
}

/** A submit holds this many runs at most. */
const MOST_RUNS = 256;

/** Measures works against each other, in the order given. */
export async function measure(
  device: Device,
  works: readonly Work[],
  { rounds = 5, turn = 0.1 }: MeasureOptions = {},
): Promise<Timing[]> {
  using probe = Tensor.zeros(device, [1]);
  const take = async (run: () => void, runs: number) => {
    for (let i = 0; i < runs; i++) {
      using _scope = device.scope();
      run();
    }
    const start = performance.now();
    await probe.read();
    return (performance.now() - start) / 1000;
  };
  const idle = () => take(() => {}, 0);
  await idle();
  let wait = Math.min(await idle(), await idle());

  const turns: { work: Work; runs: number; best: number }[] = [];
  for (const work of works) {
    await take(work.run, 1); // compiles
    const seconds = Math.max(1e-6, await take(work.run, 3) - wait) / 3;
    const runs = Math.min(MOST_RUNS, Math.ceil(turn / seconds));
    turns.push({ work, runs, best: Infinity });
  }
  for (let round = 0; round < rounds; round++) {
    wait = Math.min(wait, await idle());
    for (const turn of turns) {
      turn.best = Math.min(turn.best, await take(turn.work.run, turn.runs));
    }
  }
  return turns.map(({ work, runs, best }) => ({
    work,
    seconds: Math.max(0, best - wait) / runs,
  }));
}
