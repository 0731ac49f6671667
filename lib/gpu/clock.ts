/**
 * The GPU's clock, in microseconds.
 *
 * @module
 */

const APART = 50; // milliseconds between the two looks at the clock
const TOLERANCE = 0.2;

/** Timestamps on their way to the host. */
export class SavedTimes implements Disposable {
  readonly #resolved: GPUBuffer;
  readonly #readable: GPUBuffer;

  /** Of a buffer that queries were resolved into, and its readable copy. */
  constructor(resolved: GPUBuffer, readable: GPUBuffer) {
    this.#resolved = resolved;
    this.#readable = readable;
  }

  /** Waits for them, once. */
  async read(): Promise<BigUint64Array> {
    await this.#readable.mapAsync(GPUMapMode.READ);
    const ticks = new BigUint64Array(this.#readable.getMappedRange().slice(0));
    this[Symbol.dispose]();
    return ticks;
  }

  /** Gives the memory back. */
  [Symbol.dispose](): void {
    this.#resolved.destroy();
    this.#readable.destroy();
  }
}

/**
 * Turns timestamps into microseconds.
 *
 * WebGPU promises nanoseconds. Deno passes on what the driver counts, which on
 * some GPUs is ticks of 10 to 80 nanoseconds, so the length of a tick is measured
 * against the host's clock once.
 */
export class Clock {
  readonly #gpu: GPUDevice;
  #tick = 1; // nanoseconds
  #zero: bigint | null = null; // ticks; some drivers count from 1970

  private constructor(gpu: GPUDevice) {
    this.#gpu = gpu;
  }

  /** The clock of a device that has timestamps and nothing to do. */
  static async of(gpu: GPUDevice): Promise<Clock> {
    const clock = new Clock(gpu);
    const first = await clock.#look();
    await new Promise((resolve) => setTimeout(resolve, APART));
    const second = await clock.#look();
    // A look happened between two moments, so that a tick has a shortest and a
    // longest length. Nanoseconds are believed unless they are out of the question.
    const ticks = second.gpu - first.gpu;
    if (!(ticks > 0)) return clock;
    const shortest = (second.before - first.after) / ticks;
    const longest = (second.after - first.before) / ticks;
    if (shortest > 1 + TOLERANCE || longest < 1 - TOLERANCE) {
      clock.#tick = (second.before - first.before) / ticks;
    }
    return clock;
  }

  /** Nanoseconds of a tick. */
  get tick(): number {
    return this.#tick;
  }

  /** Has an encoder save the first queries of a set, to be read once. */
  resolve(
    encoder: GPUCommandEncoder,
    stamps: GPUQuerySet,
    queries: number,
  ): SavedTimes {
    const size = 8 * queries;
    const resolved = this.#gpu.createBuffer({
      size,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
    const readable = this.#gpu.createBuffer({
      size,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    encoder.resolveQuerySet(stamps, 0, queries, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, readable, 0, size);
    return new SavedTimes(resolved, readable);
  }

  /** Waits for what {@linkcode Clock.resolve} saved, and disposes of it. */
  async read(saved: SavedTimes): Promise<Float64Array> {
    const ticks = await saved.read();
    this.#zero ??= ticks[0];
    const zero = this.#zero;
    return Float64Array.from(
      Array.from(ticks, (tick) => Number(tick - zero) * this.#tick / 1000),
    );
  }

  /** A moment by the GPU's clock, and moments of the host's round it, in nanoseconds. */
  async #look(): Promise<{ before: number; after: number; gpu: number }> {
    const stamps = this.#gpu.createQuerySet({ type: "timestamp", count: 2 });
    const encoder = this.#gpu.createCommandEncoder();
    encoder.beginComputePass({
      timestampWrites: {
        querySet: stamps,
        beginningOfPassWriteIndex: 0,
        endOfPassWriteIndex: 1,
      },
    }).end();
    const saved = this.resolve(encoder, stamps, 2);
    const before = 1e6 * performance.now();
    this.#gpu.queue.submit([encoder.finish()]);
    const [, end] = await this.read(saved);
    const after = 1e6 * performance.now();
    stamps.destroy();
    return { before, after, gpu: 1000 * end };
  }
}
