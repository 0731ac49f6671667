/**
 * `--profile`: what every kernel takes, as a table and as a trace.
 *
 * @module
 */

import type { Device } from "../lib/gpu/device.ts";
import type { Profiler } from "../lib/gpu/profiler.ts";
import { measureRoofline } from "../lib/gpu/roofline.ts";
import { traceOf } from "../lib/gpu/trace.ts";
import { kernelTable } from "./kernel_table.ts";

/** A stretch of work whose kernels are timed. */
export class Profiling implements Disposable {
  readonly #device: Device;
  readonly #profiler: Profiler;

  private constructor(device: Device, profiler: Profiler) {
    this.#device = device;
    this.#profiler = profiler;
  }

  /** Begins; or tells `print` why it cannot, and gives null. */
  static async start(
    device: Device,
    print: (line: string) => void,
  ): Promise<Profiling | null> {
    const profiler = await device.profile();
    if (profiler !== null) return new Profiling(device, profiler);
    print(
      `not profiled: ${device.adapter.name} has no clock (timestamp-query)`,
    );
    return null;
  }

  /** Ends: prints the table and writes the trace. */
  async finish(
    path: string,
    print: (line: string) => void,
  ): Promise<void> {
    this.#device.flush();
    const profile = await this.#profiler.read();
    if (profile.slices.length === 0) return print("not profiled: nothing ran");
    const roofline = await measureRoofline(this.#device, this.#profiler);
    this[Symbol.dispose]();
    for (const line of kernelTable(profile, roofline)) print(line);
    const trace = traceOf(profile, this.#device.adapter.name);
    Deno.writeTextFileSync(path, JSON.stringify(trace));
    print(`trace: ${path} opens in https://ui.perfetto.dev`);
  }

  /** Ends without a word. */
  [Symbol.dispose](): void {
    this.#profiler[Symbol.dispose]();
  }
}

/** Which steps of a run to profile, and where to write the trace. */
export interface ProfiledSteps {
  /** The step before the first of the run. */
  readonly start: number;
  /** The last step of the run. */
  readonly end: number;
  /** How many steps. */
  readonly count: number;
  /** The trace. */
  readonly path: string;
}

const WARM_UP = 3; // steps in which kernels are compiled and memory is made

/** Profiles some steps of a run, once it is warm. */
export class StepProfiling implements Disposable {
  readonly #device: Device;
  readonly #path: string;
  readonly #print: (line: string) => void;
  readonly #first: number;
  readonly #last: number;
  #profiling: Profiling | null = null;

  /** Prepares; nothing happens before {@linkcode StepProfiling.after}. */
  constructor(
    device: Device,
    { start, end, count, path }: ProfiledSteps,
    print: (line: string) => void,
  ) {
    this.#device = device;
    this.#path = path;
    this.#print = print;
    this.#last = Math.min(end, start + WARM_UP + count);
    this.#first = Math.max(start, this.#last - count);
  }

  /** Begins or ends after a step, if it is time. */
  async after(step: number): Promise<void> {
    if (step === this.#first) {
      this.#profiling = await Profiling.start(this.#device, this.#print);
    } else if (step === this.#last) {
      await this.#profiling?.finish(this.#path, this.#print);
      this.#profiling = null;
    }
  }

  /** Ends early, without a word. */
  [Symbol.dispose](): void {
    this.#profiling?.[Symbol.dispose]();
  }
}
