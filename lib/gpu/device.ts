/**
 * The GPU: memory, commands, and the scopes that give memory back.
 *
 * Work is queued, never awaited. The one way to wait is to read.
 *
 * @module
 */

import {
  type AdapterSummary,
  findAdapter,
  plainLimits,
  requestGpu,
  subgroupSize,
  summary,
} from "./adapter.ts";
import { formatBytes, GpuError, MEMORY_ADVICE } from "./error.ts";
import { Failure } from "./failure.ts";
import { expectImages } from "./image_check.ts";
import { Images } from "./images.ts";
import { prepareMesa } from "./mesa.ts";
import { Clock } from "./clock.ts";
import { Pool, type Shortage, type Span, type Storage } from "./pool.ts";
import { Profiler } from "./profiler.ts";
import {
  type NewKernel,
  openPrecompiler,
  type Precompiler,
} from "./precompiler.ts";
import { type Dispatch, Queue } from "./queue.ts";
import { Scope } from "./scope.ts";
import { Tuning } from "./tuning.ts";

/** How to open a {@linkcode Device}. */
export interface DeviceOptions {
  /** 1: log each submit. 2: log each kernel. */
  debug?: number;
  /** Whether to use subgroup operations where the adapter has them. */
  subgroups?: boolean;
  /**
   * Whether kernels will be so short that waking threads for them takes longer
   * than their share of the work, as in writing with a model of few parameters:
   * Mesa's software driver then computes on one thread. The first device of a
   * process decides.
   */
  oneThread?: boolean;
}

/** Counts since the device was opened. */
export interface Counters {
  /** Kernels run. */
  readonly dispatches: number;
  /** Times work was handed to the GPU. */
  readonly submits: number;
  /** Buffers made. */
  readonly buffers: number;
  /** Bind groups held. */
  readonly bindGroups: number;
  /** The most bytes bound at once. */
  readonly largestBinding: number;
  /** Milliseconds the host spent recording what it submitted. */
  readonly recording: number;
}

const STORAGE_USAGE = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC |
  GPUBufferUsage.COPY_DST;
const READ_USAGE = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
/**
 * Bytes from where kernels read copies in images if lanes are few: Mesa then puts
 * each number that a lane loads from a buffer into a vector in memory, and waits
 * to have that back. See docs/decisions/0021.
 */
const COPIED = 1 << 15;
/** For which commands wait to be submitted together, in milliseconds. */
const MOMENT = 150;

/** Milliseconds that the reason of a failed wait may take to come. */
const REASON = 20;

/**
 * A GPU and the work queued on it.
 *
 * ```ts
 * import { Device, Tensor } from "@shaderloom/shaderloom";
 * import { assertEquals } from "@std/assert";
 *
 * using device = await Device.open();
 * const x = Tensor.from(device, Float32Array.of(1, 2, 3));
 * assertEquals([...await x.read()], [1, 2, 3]);
 * ```
 */
export class Device implements Disposable {
  /** The WebGPU device. */
  readonly gpu: GPUDevice;
  /** What it can do at most. */
  readonly limits: GPUSupportedLimits;
  /** What the adapter says of itself. */
  readonly info: GPUAdapterInfo;
  /** What runs the kernels. */
  readonly adapter: AdapterSummary;
  /** Lanes of a subgroup if all have the same number and may be used, else 0. */
  readonly subgroupSize: number;
  /** Which way of computing to take for which shapes. */
  readonly tuning: Tuning = new Tuning();
  /** Copies of memory that kernels read as textures. */
  readonly images: Images;
  readonly #debug: number;
  readonly #memory: Pool;
  readonly #readBacks: Pool;
  readonly #queue: Queue;
  readonly #scopes: Scope[] = [];
  readonly #failure = new Failure();
  #precompiler: Precompiler | null = null;
  #closed = false;

  /**
   * Opens the fastest adapter with every limit it offers. Throws a
   * {@linkcode GpuError} when there is none, or it is known to compute wrongly.
   */
  static async open(options: DeviceOptions = {}): Promise<Device> {
    const { subgroups = true, oneThread } = options;
    prepareMesa(oneThread);
    const adapter = await findAdapter();
    if (adapter === null) {
      throw new GpuError(
        "Cannot open a device: no WebGPU adapter was found; `deno task doctor` says what is missing",
      );
    }
    const request = () => requestGpu(adapter, subgroups);
    const gpu = await request();
    await expectImages(gpu, adapter.info);
    const device = new Device(gpu, adapter.info, options);
    device.#precompiler = await openPrecompiler(device.adapter, request);
    return device;
  }

  /** Wraps a WebGPU device the caller already has. */
  constructor(
    gpu: GPUDevice,
    info: GPUAdapterInfo = gpu.adapterInfo,
    options: DeviceOptions = {},
  ) {
    this.gpu = gpu;
    this.limits = plainLimits(gpu.limits);
    this.info = info;
    this.adapter = summary(info);
    this.subgroupSize = subgroupSize(gpu, info);
    this.#debug = options.debug ?? 0;
    this.#memory = new Pool(
      gpu,
      STORAGE_USAGE,
      (shortage) => this.#failure.report(this.#explain(shortage)),
    );
    this.#readBacks = new Pool(gpu, READ_USAGE);
    this.#queue = new Queue(gpu);
    this.images = new Images(gpu, this.#queue);
    if (this.prefersBroadcast && this.subgroupSize < 16) {
      this.images.least = COPIED;
    }
    gpu.addEventListener("uncapturederror", (event) => {
      const { message } = (event as GPUUncapturedErrorEvent).error;
      event.preventDefault();
      this.#failure.report(message.trim());
    });
    gpu.lost.then(({ reason, message }) => {
      if (reason !== "destroyed") {
        this.#failure.report(`the device was lost: ${message}`);
      }
    });
  }

  /**
   * Whether handing values round a subgroup beats workgroup memory: so on
   * software adapters, where lanes are few and every load is costly.
   */
  get prefersBroadcast(): boolean {
    return this.adapter.software && this.subgroupSize > 0 &&
      this.subgroupSize <= 16;
  }

  /** What the device was granted beyond the core of WebGPU. */
  get features(): GPUSupportedFeatures {
    return this.gpu.features;
  }

  /** Bytes held by live tensors. */
  get bytesInUse(): number {
    return this.#memory.bytesInUse;
  }

  /** The most {@linkcode bytesInUse} has been. */
  get bytesPeak(): number {
    return this.#memory.bytesPeak;
  }

  /** Bytes of GPU memory held, by live tensors or waiting to be used again. */
  get bytesReserved(): number {
    return this.#memory.bytesReserved;
  }

  /** Bytes of the largest buffer made. */
  get largestBuffer(): number {
    return this.#memory.largest;
  }

  /** Counts since the device was opened. */
  get counters(): Counters {
    return {
      dispatches: this.#queue.dispatches,
      submits: this.#queue.submits,
      buffers: this.#memory.buffersMade + this.#readBacks.buffersMade,
      bindGroups: this.#queue.bindGroups,
      largestBinding: this.#queue.largestBinding,
      recording: this.#queue.recording,
    };
  }

  /** Opens a scope: tensors made until it closes are released with it. */
  scope(): Scope {
    return new Scope(this.#scopes);
  }

  /** The innermost open scope, if any. */
  get currentScope(): Scope | undefined {
    return this.#scopes.at(-1);
  }

  /**
   * Takes memory for `what`. Its contents are whatever was there. Memory that
   * `stays` is not rounded up to a size that is easily used again.
   */
  allocate(
    bytes: number,
    what: () => string = () => "a buffer",
    options: { stays?: boolean } = {},
  ): Storage {
    this.#expectOpen();
    const most = this.limits.maxBufferSize;
    if (bytes > most) {
      throw new RangeError(
        `Cannot allocate ${bytes} bytes for ${what()}: ${this.adapter.name} holds at most ${most} in one buffer; ${MEMORY_ADVICE}`,
      );
    }
    return this.#memory.acquire(bytes, what, options);
  }

  /** Takes memory back. Queued work that uses it still runs first. */
  recycle(storage: Storage): void {
    this.images.forget(storage.id);
    this.#memory.release(storage);
  }

  /** Gives memory that no tensor holds back to the GPU. */
  trim(): void {
    this.images.twins.dropAll();
    this.flush();
    this.#queue.forget();
    this.#memory.trim();
    this.#readBacks.trim();
  }

  /** Fills memory from the host, after the work queued so far. */
  write(
    { storage, offset }: Pick<Span, "storage" | "offset">,
    data: ArrayBufferView<ArrayBuffer>,
  ): void {
    if (data.byteLength === 0) return; // Deno panics on an empty write.
    this.images.forget(storage.id);
    // Writes go before commands that are recorded but not submitted.
    if (this.#queue.names(storage)) this.flush();
    this.#queue.write({ buffer: storage.buffer, offset }, inWords(data));
  }

  /** Queues writing zeros over memory, from and of a multiple of four bytes. */
  clear({ storage, offset, bytes }: Omit<Span, "span">): void {
    this.#expectOpen();
    this.images.forget(storage.id);
    this.#queue.clear({ ...storage, offset }, bytes);
  }

  /** Queues a copy of memory to other memory, by multiples of four bytes. */
  copy(
    { storage, offset, bytes }: Omit<Span, "span">,
    to: Pick<Span, "storage" | "offset">,
  ): void {
    this.#expectOpen();
    this.images.forget(to.storage.id);
    const place = { ...to.storage, offset: to.offset };
    this.#queue.copy({ ...storage, offset }, place, bytes);
  }

  /** Queues a run of a pipeline. */
  dispatch(run: Dispatch): void {
    this.#expectOpen();
    this.#failure.check();
    for (const { id, writable } of run.storage) {
      if (writable) this.images.forget(id);
    }
    if (this.#debug >= 2) {
      console.debug(`${run.pipeline.label} [${run.groups}]`);
    }
    this.#queue.dispatch(run);
    // A software driver computes on threads of its own, so while the host is busy
    // with new kernels it may have what there is. A submission waits for the one
    // before it, though.
    if (
      this.adapter.software && this.#queue.age > MOMENT &&
      !this.#precompiler?.gathers
    ) this.flush();
  }

  /** Takes note of a kernel that was queued for the first time. */
  queuedFirst(kernel: NewKernel): void {
    if (this.#precompiler?.add(kernel)) this.flush();
  }

  /** Submits what is queued, without waiting for it. */
  flush(): void {
    this.#failure.check();
    this.#precompiler?.start();
    this.#queue.flush();
    this.images.sweep();
    if (this.#debug >= 1) {
      console.debug(`submit: ${(this.bytesInUse / 2 ** 20).toFixed(1)} MiB`);
    }
  }

  /** Waits until everything queued is done, and the memory it took is free. */
  async idle(): Promise<void> {
    this.flush();
    this.gpu.queue.submit([]); // writes too, which no command follows
    await this.gpu.queue.onSubmittedWorkDone();
  }

  /**
   * Times every kernel until the profiler is disposed of; null where the adapter
   * has no clock. What is computed stays the same.
   */
  async profile(): Promise<Profiler | null> {
    if (!this.features.has("timestamp-query")) return null;
    await this.idle();
    const clock = await Clock.of(this.gpu);
    const profiler = new Profiler(this.gpu, clock, () => {
      if (this.#queue.timer !== profiler) return;
      this.flush();
      this.#queue.timer = null;
    });
    this.#queue.timer = profiler;
    return profiler;
  }

  /**
   * Copies memory to the host, all of it in one wait. The copies are queued now
   * and awaited here.
   */
  async read(
    spans: readonly Pick<Span, "storage" | "offset" | "bytes">[],
  ): Promise<ArrayBuffer[]> {
    const padded = spans.map(({ bytes }) => Math.ceil(bytes / 8) * 8);
    const total = padded.reduce((sum, bytes) => sum + bytes, 0);
    if (total === 0) return spans.map(() => new ArrayBuffer(0));
    this.#expectOpen();
    const target = this.#readBacks.acquire(total);
    let at = 0;
    for (const [i, { storage, offset, bytes }] of spans.entries()) {
      const { id, buffer } = storage;
      const copied = Math.ceil(bytes / 4) * 4;
      const to = { buffer: target.buffer, offset: at };
      if (copied > 0) this.#queue.copy({ id, buffer, offset }, to, copied);
      at += padded[i];
    }
    this.flush();
    const waits = performance.now();
    try {
      await target.buffer.mapAsync(GPUMapMode.READ, 0, total);
    } catch (error) {
      // Why comes by another way, and may come later.
      await new Promise((resolve) => setTimeout(resolve, REASON));
      this.#failure.check();
      throw error;
    }
    this.#queue.timer?.awaited(waits);
    this.#failure.check();
    const mapped = target.buffer.getMappedRange(0, total);
    at = 0;
    const copies = spans.map(({ bytes }, i) => {
      const copy = mapped.slice(at, at + bytes);
      at += padded[i];
      return copy;
    });
    target.buffer.unmap();
    this.#readBacks.release(target);
    return copies;
  }

  /** Closes the device. Throws what went wrong if nothing else has yet. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#precompiler?.[Symbol.dispose]();
    this.gpu.destroy();
    this.#failure.check();
  }

  /** Runs `make`, and blames `label` for what WebGPU objects to in it. */
  blame<T>(label: string, make: () => T): T {
    this.gpu.pushErrorScope("validation");
    try {
      return make();
    } finally {
      this.gpu.popErrorScope().then((error) => {
        if (error === null) return;
        this.#failure.report(
          `Cannot compile ${label}: ${error.message.trim()}`,
        );
      });
    }
  }

  #expectOpen(): void {
    if (this.#closed) {
      throw new GpuError(
        `Cannot compute on ${this.adapter.name}: it is closed`,
      );
    }
  }

  #explain({ what, asked, inUse, reserved }: Shortage): string {
    const { adapter, limits } = this;
    const after = this.#queue.latest && `, after ${this.#queue.latest}`;
    return `Cannot allocate ${
      formatBytes(asked)
    } for ${what}${after}: ${adapter.name} is out of memory, with ${
      formatBytes(inUse)
    } in use, ${formatBytes(reserved)} held and ${
      formatBytes(limits.maxBufferSize)
    } allowed in one buffer; ${MEMORY_ADVICE}`;
  }
}

/** Data whose length is a multiple of four, as WebGPU wants to write it. */
function inWords(data: ArrayBufferView<ArrayBuffer>) {
  if (data.byteLength % 4 === 0) return data;
  const words = new Uint8Array(Math.ceil(data.byteLength / 4) * 4);
  words.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return words;
}
