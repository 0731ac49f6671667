/**
 * Settles how to compute, by trying.
 *
 * @module
 */

import type { Device } from "./device.ts";
import type { Profiler } from "./profiler.ts";
import { readChoices, writeChoices } from "./tuning_file.ts";
import type { Trial, TrialResult, Tunable } from "./tuning.ts";

/** Where choices are kept from one start to the next. */
export interface TuningStore {
  /** What was written last, or null. */
  read(): string | null;
  /** Keeps a text. */
  write(text: string): void;
}

/** How to tune. */
export interface TuneOptions {
  /** The classes to settle: those a device has met. */
  readonly open?: ReadonlyMap<string, Tunable>;
  /** Where choices are kept; without it they last as long as the device. */
  readonly store?: TuningStore;
  /** The runtime, whose compiler the choices depend on, such as `Deno 2.9.6`. */
  readonly runtime?: string;
  /** Takes a line for each choice and each candidate that failed. */
  readonly log?: (line: string) => void;
}

/** What tuning came to. */
export interface TuneReport {
  /** Classes whose choice was known. */
  readonly known: number;
  /** Classes settled by trying. */
  readonly tried: number;
}

const WARM_RUNS = 2;
const TIMED_RUNS = 5;
const PATIENCE = 20; // milliseconds
const LOOKED_AT = 1 << 22; // bytes at either end of a result

/**
 * Settles every open class of shapes: by a choice that was kept, or else by
 * timing the candidates on the GPU's clock. A candidate that fails, or whose
 * result is not the reference's, is dropped. Where there is no clock, everything
 * stays as it is.
 */
export async function tune(
  device: Device,
  { open = device.tuning.open, store, runtime = "", log = () => {} }:
    TuneOptions = {},
): Promise<TuneReport> {
  const met = [...open];
  if (met.length === 0) return { known: 0, tried: 0 };
  const origin = { runtime, adapter: device.info };
  const kept = readChoices(store?.read() ?? null, origin, log);
  const rest = met.filter(([key, { candidates }]) => {
    const choice = kept.get(key);
    const known = choice !== undefined && candidates.includes(choice);
    if (known) device.tuning.settle(key, choice);
    return !known;
  });
  const known = met.length - rest.length;
  if (rest.length === 0) return { known, tried: 0 };
  if (!device.features.has("timestamp-query")) {
    log(`not tuned: ${device.adapter.name} has no clock`);
    return { known, tried: 0 };
  }
  const contests: Contest[] = [];
  for (const [key, tunable] of rest) {
    const right = await sound(device, key, tunable, log);
    contests.push({ key, tunable, right });
  }
  using profiler = (await device.profile())!;
  for (const contest of contests) {
    const choice = await fastest(device, profiler, contest, log);
    device.tuning.settle(contest.key, choice);
    kept.set(contest.key, choice);
  }
  device.trim(); // what trials took may be more than the work will
  store?.write(writeChoices(kept, origin));
  return { known, tried: rest.length };
}

/** A class of shapes and the candidates that are right. */
interface Contest {
  readonly key: string;
  readonly tunable: Tunable;
  readonly right: readonly string[];
}

/** The fastest candidate that is right, or the first of all if none is. */
async function fastest(
  device: Device,
  profiler: Profiler,
  { key, tunable, right }: Contest,
  log: (line: string) => void,
): Promise<string> {
  using _scope = device.scope();
  using trial = tunable.trial(device);
  device.flush();
  await profiler.read();
  const runs: { candidate: string; dispatches: number }[] = [];
  // Taking turns, so that what slows the GPU for a while slows all of them.
  for (let round = 0; round < WARM_RUNS + TIMED_RUNS; round++) {
    for (const candidate of right) {
      const before = device.counters.dispatches;
      trial.run(candidate)[Symbol.dispose]();
      const dispatches = device.counters.dispatches - before;
      runs.push({ candidate, dispatches });
    }
    device.flush();
  }
  const { slices } = await profiler.read();
  const best = new Map<string, number>();
  let at = 0;
  for (const [run, { candidate, dispatches }] of runs.entries()) {
    const time = slices.slice(at, at + dispatches)
      .reduce((sum, { duration }) => sum + duration, 0);
    at += dispatches;
    if (run < WARM_RUNS * right.length) continue;
    best.set(candidate, Math.min(time, best.get(candidate) ?? Infinity));
  }
  const ranked = [...best].toSorted(([, a], [, b]) => a - b);
  const [[choice] = tunable.candidates] = ranked;
  const times = ranked.map(([name, time]) => `${name} ${time.toFixed(0)} us`);
  log(`${key}: ${choice} (${times.join(", ")})`);
  return choice;
}

/** The candidates that give what the reference gives. */
async function sound(
  device: Device,
  key: string,
  tunable: Tunable,
  log: (line: string) => void,
): Promise<string[]> {
  const { candidates, reference, tolerance } = tunable;
  using _scope = device.scope();
  // Inputs are as large as the work: all that succeed share them.
  let trial: Trial | null = null;
  using _last = { [Symbol.dispose]: () => trial?.[Symbol.dispose]() };
  const attempt = async (candidate: string) => {
    try {
      trial ??= tunable.trial(device);
      return await numbers(device, trial.run(candidate));
    } catch (error) {
      trial?.[Symbol.dispose]();
      trial = null;
      const [line] = (error as Error).message.split("\n");
      log(`${key}: dropped ${candidate}, which fails: ${line}`);
      await aftermath(device);
      return null;
    }
  };
  const expected = await attempt(reference);
  if (expected === null) return [];
  const scale = farthest(expected, new Float32Array(expected.length)) || 1;
  const right: string[] = [];
  for (const candidate of candidates) {
    const actual = candidate === reference
      ? expected
      : await attempt(candidate);
    if (actual === null) continue;
    const error = farthest(expected, actual) / scale;
    if (error <= tolerance) right.push(candidate);
    else {
      const share = error.toExponential(1);
      log(`${key}: dropped ${candidate}, which is off by ${share}`);
    }
  }
  return right;
}

/** The numbers of a result: its beginning and its end, if it is long. */
async function numbers(
  device: Device,
  result: TrialResult,
): Promise<Float32Array | Float16Array> {
  try {
    const { storage, offset, bytes } = result;
    const spans = bytes <= 2 * LOOKED_AT ? [{ storage, offset, bytes }] : [
      { storage, offset, bytes: LOOKED_AT },
      { storage, offset: offset + bytes - LOOKED_AT, bytes: LOOKED_AT },
    ];
    const read = await new Blob(await device.read(spans)).arrayBuffer();
    return result.dtype === "f16"
      ? new Float16Array(read)
      : new Float32Array(read);
  } finally {
    result[Symbol.dispose]();
  }
}

/** Lets the errors that follow from an error pass. */
async function aftermath(device: Device): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, PATIENCE));
  try {
    device.flush();
  } catch {
    // It is the candidate's, which is dropped.
  }
}

/** The largest difference; NaN, which is below nothing, if there is one. */
function farthest(
  expected: ArrayLike<number>,
  actual: ArrayLike<number>,
): number {
  let most = actual.length === expected.length ? 0 : NaN;
  for (let i = 0; i < expected.length; i++) {
    const distance = Math.abs(actual[i] - expected[i]);
    if (!(distance <= most)) most = distance;
  }
  return most;
}
