/**
 * How long work takes on the GPU, by the GPU's own clock.
 *
 * Every turn is timed by the timestamps of its compute passes, so neither
 * queuing on the host nor waiting for a read (10 ms and more in Deno) counts. The
 * works take turns, and the shortest turn of each counts: neighbours on a machine
 * make it slower for a while, never faster. Compare figures of one run with each
 * other, not with those of another hour.
 *
 * @module
 */

import { Clock } from "../lib/gpu/clock.ts";
import { Device } from "../lib/gpu/device.ts";
import { GpuError } from "../lib/gpu/error.ts";

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

const ROUNDS = 8;
const BUDGET = 0.5; // seconds for all turns of a work
const SHORTEST = 1e-3; // seconds of a turn; shorter runs are repeated in it
const MOST_RUNS = 64; // in a turn
const MOST_TURNS = 16; // of a work in a round
const CAPACITY = 2048; // passes between two reads of the clock

/** A device whose passes are timed. */
export class Stopwatch implements Disposable {
  /** The device to make tensors on. */
  readonly device: Device;
  readonly #tick: number; // nanoseconds
  readonly #stamps: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #readable: GPUBuffer;
  #running = false;
  #taken = 0;

  /** Opens a device with a clock. */
  static async open(): Promise<Stopwatch> {
    const device = await Device.open();
    if (device.features.has("timestamp-query")) {
      const { tick } = await Clock.of(device.gpu);
      return new Stopwatch(device, tick);
    }
    device[Symbol.dispose]();
    throw new GpuError("Cannot measure: the adapter has no clock");
  }

  /** Times the passes of a device that has timestamps. */
  private constructor(device: Device, tick: number) {
    this.device = device;
    this.#tick = tick;
    const { gpu } = device;
    const size = 2 * 8 * CAPACITY;
    this.#stamps = gpu.createQuerySet({
      type: "timestamp",
      count: 2 * CAPACITY,
    });
    this.#resolved = gpu.createBuffer({
      size,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
    this.#readable = gpu.createBuffer({
      size,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    this.#stampPasses();
  }

  /** Measures works against each other; results come in the order given. */
  async measure(works: readonly Work[]): Promise<Timing[]> {
    const entrants: {
      work: Work;
      runs: number;
      turns: number;
      best: number;
    }[] = [];
    for (const work of works) {
      await this.#time(work, 1, 1); // compiles
      const [seconds] = (await this.#time(work, 1, 3)).sort((a, b) => a - b);
      const runs = Math.min(MOST_RUNS, Math.ceil(SHORTEST / seconds));
      const fit = Math.floor(BUDGET / ROUNDS / (runs * seconds));
      const turns = Math.min(MOST_TURNS, Math.max(2, fit));
      entrants.push({ work, runs, turns, best: Infinity });
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const entrant of entrants) {
        const { work, runs, turns, best } = entrant;
        const seconds = await this.#time(work, runs, turns);
        entrant.best = Math.min(best, ...seconds.map((s) => s / runs));
      }
    }
    return entrants.map(({ work, best }) => ({ work, seconds: best }));
  }

  /** Closes the device. */
  [Symbol.dispose](): void {
    this.device[Symbol.dispose]();
  }

  /** Seconds of each turn, first pass or copy to last pass; all that fit. */
  async #time(work: Work, runs: number, turns: number): Promise<number[]> {
    this.device.flush();
    this.#taken = 0;
    this.#running = true;
    const ends: number[] = [];
    for (let turn = 0; turn < turns; turn++) {
      for (let run = 0; run < runs; run++) {
        using _scope = this.device.scope();
        work.run();
      }
      this.device.flush();
      const passes = this.#taken - (ends.at(-1) ?? 0);
      ends.push(this.#taken);
      if (this.#taken + passes > CAPACITY) break;
    }
    this.#running = false;
    const stamps = await this.#read();
    return ends.map((end, turn) => {
      const first = turn === 0 ? 0 : ends[turn - 1];
      return Number(stamps[2 * end - 1] - stamps[2 * first]) * this.#tick / 1e9;
    });
  }

  async #read(): Promise<BigUint64Array> {
    const { gpu } = this.device;
    const count = 2 * this.#taken;
    const encoder = gpu.createCommandEncoder();
    encoder.resolveQuerySet(this.#stamps, 0, count, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#readable, 0, 8 * count);
    gpu.queue.submit([encoder.finish()]);
    await this.#readable.mapAsync(GPUMapMode.READ, 0, 8 * count);
    const bytes = this.#readable.getMappedRange(0, 8 * count).slice(0);
    this.#readable.unmap();
    return new BigUint64Array(bytes);
  }

  /** Has each pass that begins while the clock runs leave two timestamps. */
  #stampPasses(): void {
    const { gpu } = this.device;
    const createEncoder = gpu.createCommandEncoder.bind(gpu);
    gpu.createCommandEncoder = (descriptor) => {
      const encoder = createEncoder(descriptor);
      const beginPass = encoder.beginComputePass.bind(encoder);
      const copyToTexture = encoder.copyBufferToTexture.bind(encoder);
      let fresh = true;
      encoder.beginComputePass = (descriptor) => {
        fresh = false;
        if (!this.#running) return beginPass(descriptor);
        const first = 2 * this.#taken++;
        return beginPass({
          timestampWrites: {
            querySet: this.#stamps,
            beginningOfPassWriteIndex: first,
            endOfPassWriteIndex: first + 1,
          },
        });
      };
      encoder.copyBufferToTexture = (source, destination, size) => {
        // Only passes have times, so an empty one says when a first copy begins.
        if (fresh) encoder.beginComputePass().end();
        copyToTexture(source, destination, size);
      };
      return encoder;
    };
  }
}
