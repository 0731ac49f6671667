/**
 * When every kernel ran, by the GPU's own clock, and what the host did meanwhile.
 *
 * @module
 */

import type { Clock, SavedTimes } from "./clock.ts";
import type { Dispatch, Timer, Work } from "./queue.ts";

/** One dispatch: times in microseconds on the host's clock. */
export interface Slice extends Work {
  /** `kernel.entry`. */
  readonly label: string;
  /** When it began. */
  readonly start: number;
  /** How long it took. */
  readonly duration: number;
  /** Bytes of all it binds: what is said of it if no `bytes` are known. */
  readonly bound: number;
}

/** What the host did: times in microseconds. */
export interface HostSpan {
  /** Recording commands, handing them over, or waiting for a read. */
  readonly name: "encode" | "submit" | "await";
  /** When it began. */
  readonly start: number;
  /** How long it took. */
  readonly duration: number;
}

/** Everything that was seen since profiling began. */
export interface Profile {
  /** Every dispatch, in order. */
  readonly slices: readonly Slice[];
  /** What the host did, in order. */
  readonly spans: readonly HostSpan[];
}

/** A dispatch whose times are still on the GPU. */
export type Pending = Work & { readonly label: string; readonly bound: number };

/** The dispatches of one submit. */
interface Batch {
  readonly runs: readonly Pending[];
  readonly stamps: SavedTimes;
  readonly submitted: number;
}

const MOST_QUERIES = 4096; // in one set; wgpu allows no more

/**
 * Has the dispatches of a queue leave timestamps, each in a pass of its own:
 * Deno takes them only where a pass begins and ends.
 *
 * One set of queries serves all submits; each resolves what it used into a
 * buffer of its own, and nothing is read before {@linkcode Profiler.read}.
 */
export class Profiler implements Timer, Disposable {
  readonly #gpu: GPUDevice;
  readonly #clock: Clock;
  readonly #stamps: GPUQuerySet;
  readonly #end: () => void;
  #runs: Pending[] = [];
  #resolved: SavedTimes | null = null;
  #batches: Batch[] = [];
  #spans: HostSpan[] = [];
  #shift = -Infinity; // from the GPU's clock to the host's

  /** Profiles with a clock that was set; `end` is called when it is disposed of. */
  constructor(gpu: GPUDevice, clock: Clock, end: () => void) {
    this.#gpu = gpu;
    this.#clock = clock;
    this.#end = end;
    this.#stamps = gpu.createQuerySet({
      label: "profiler",
      type: "timestamp",
      count: MOST_QUERIES,
    });
  }

  /** Whether what was recorded must be submitted before more is. */
  get full(): boolean {
    return 2 * this.#runs.length >= MOST_QUERIES;
  }

  /** Where the pass of the next dispatch leaves its times. */
  stamp({ pipeline, storage, work }: Dispatch): GPUComputePassTimestampWrites {
    const first = 2 * this.#runs.length;
    const bound = storage.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#runs.push({ ...work, label: pipeline.label, bound });
    return {
      querySet: this.#stamps,
      beginningOfPassWriteIndex: first,
      endOfPassWriteIndex: first + 1,
    };
  }

  /** Adds to an encoder, about to be submitted, what saves the times. */
  resolve(encoder: GPUCommandEncoder): void {
    const queries = 2 * this.#runs.length;
    if (queries === 0) return;
    this.#resolved = this.#clock.resolve(encoder, this.#stamps, queries);
  }

  /**
   * Hands commands over that were recorded since `began`, in milliseconds, and
   * notes how long either took.
   */
  submit(began: number, hand: () => void): void {
    const start = performance.now();
    hand();
    const end = performance.now();
    this.#note("encode", began, start);
    this.#note("submit", start, end);
    if (this.#resolved === null) return;
    this.#batches.push({
      runs: this.#runs,
      stamps: this.#resolved,
      submitted: start,
    });
    this.#runs = [];
    this.#resolved = null;
  }

  /** Notes that the host waited since `start`, in milliseconds. */
  awaited(start: number): void {
    this.#note("await", start, performance.now());
  }

  /**
   * What was submitted since this was last asked. Waits for it.
   *
   * The two clocks are laid against each other so that nothing begins before it
   * was submitted, and something begins at once.
   */
  async read(): Promise<Profile> {
    const batches = this.#batches;
    const spans = this.#spans;
    this.#batches = [];
    this.#spans = [];
    const times = await Promise.all(
      batches.map(({ stamps }) => this.#clock.read(stamps)),
    );
    for (const [i, { submitted }] of batches.entries()) {
      this.#shift = Math.max(this.#shift, 1000 * submitted - times[i][0]);
    }
    const slices = batches.flatMap(({ runs, submitted }, i) =>
      runs.map((run, n) => ({
        ...run,
        // The first one's sum may be rounded to just before it was submitted.
        start: Math.max(1000 * submitted, times[i][2 * n] + this.#shift),
        // Clocks of some GPUs step back now and then.
        duration: Math.max(0, times[i][2 * n + 1] - times[i][2 * n]),
      }))
    );
    return { slices, spans };
  }

  /** Ends profiling. What was not read is lost. */
  [Symbol.dispose](): void {
    this.#end();
    for (const { stamps } of this.#batches) stamps[Symbol.dispose]();
    this.#batches = [];
    this.#stamps.destroy();
  }

  #note(name: HostSpan["name"], start: number, end: number): void {
    const duration = 1000 * (end - start);
    this.#spans.push({ name, start: 1000 * start, duration });
  }
}
