/**
 * A second device that compiles kernels before the first one comes to them.
 *
 * Mesa's software driver compiles a kernel where it first runs, one at a time on
 * a thread of each device, and keeps the result on the disk, where other devices
 * find it. So while the first device compiles the first kernels of a step, this
 * one compiles the last ones, from the end, until they meet. See
 * docs/decisions/0019.
 *
 * @module
 */

import type { AdapterSummary } from "./adapter.ts";
import type { Bound, Pipeline } from "./bind_groups.ts";
import { IMAGE_WIDTH } from "./image.ts";
import { isMesa } from "./mesa.ts";

/** A kernel that was queued for the first time. */
export interface NewKernel {
  /** Its WGSL. */
  readonly code: string;
  /** Makes its pipeline for a GPU. */
  readonly pipelineFor: (gpu: GPUDevice) => Pipeline;
  /** What it binds. */
  readonly storage: readonly Bound[];
  /** The bytes of its uniform struct, which may be overwritten later. */
  readonly uniform: Uint8Array | null;
}

/** What is known of the driver's cache. */
export interface Cache {
  /** Whether it has no kernels of ours; null as long as none was asked for. */
  empty: boolean | null;
}

/** The cache of this process's driver. */
const here: Cache = { empty: null };

const LONG = 6000; // characters of WGSL, which take a tenth of a second or more
const COMPILED = 80; // milliseconds: a kernel from the cache takes 10 to 35
const BOUND_BYTES = 1 << 16; // more than any kernel binds at least

/**
 * Opens a precompiler for Mesa's software driver, unless kernels are known to come
 * from the cache, or the adapter has no second device to give.
 */
export async function openPrecompiler(
  adapter: AdapterSummary,
  request: () => Promise<GPUDevice>,
): Promise<Precompiler | null> {
  if (!isMesa(adapter) || here.empty === false) return null;
  return await request().then((gpu) => new Precompiler(gpu), () => null);
}

/** Compiles kernels for another device of the same adapter. */
export class Precompiler implements Disposable {
  readonly #gpu: GPUDevice;
  readonly #cache: Cache;
  readonly #clock: () => number;
  /** Whether the other device was told to begin, and then has. */
  #stage: "idle" | "beginning" | "begun" = "idle";
  /** Long kernels that were gathered since, in their order. */
  #queued: NewKernel[] = [];
  readonly #buffers = new Map<number, GPUBuffer>();

  /** Compiles on a GPU of its own; the `clock` counts milliseconds. */
  constructor(
    gpu: GPUDevice,
    cache: Cache = here,
    clock: () => number = () => performance.now(),
  ) {
    this.#gpu = gpu;
    this.#cache = cache;
    this.#clock = clock;
    // The other device will say what is wrong with a kernel.
    gpu.addEventListener("uncapturederror", (event) => event.preventDefault());
  }

  /** Whether kernels are gathered that the other device should not run yet. */
  get gathers(): boolean {
    return this.#queued.length > 0;
  }

  /** Takes note of a kernel, and says whether the other device had better begin. */
  add(kernel: NewKernel): boolean {
    if (kernel.code.length < LONG || this.#cache.empty === false) return false;
    if (this.#cache.empty === null) {
      this.#cache.empty = this.#timeToCompile(kernel) >= COMPILED;
      if (!this.#cache.empty) this.#gpu.destroy();
    } else if (this.#stage === "idle") {
      this.#stage = "beginning";
      return true;
    } else {
      const { uniform } = kernel;
      this.#queued.push({ ...kernel, uniform: uniform && uniform.slice() });
    }
    return false;
  }

  /** Starts to compile: the other device is about to run what it has. */
  start(): void {
    if (this.#stage === "beginning") {
      this.#stage = "begun";
      return;
    }
    this.#stage = "idle";
    const kernels = this.#queued;
    if (kernels.length === 0) return;
    this.#queued = [];
    const whole = kernels.reduce((sum, { code }) => sum + code.length, 0);
    const last: NewKernel[] = [];
    for (let wanted = whole / 2; wanted > 0;) {
      const kernel = kernels.pop()!;
      last.push(kernel);
      wanted -= kernel.code.length;
    }
    this.#compile(last);
  }

  /** Closes the GPU. */
  [Symbol.dispose](): void {
    this.#gpu.destroy();
  }

  #timeToCompile(kernel: NewKernel): number {
    const began = this.#clock();
    this.#compile([kernel]);
    this.#gpu.queue.submit([]); // which waits for the submission before it
    return this.#clock() - began;
  }

  /** Submits runs of no workgroups, for which Mesa compiles like for any other. */
  #compile(kernels: readonly NewKernel[]): void {
    const gpu = this.#gpu;
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const { pipelineFor, storage, uniform } of kernels) {
      const pipeline = pipelineFor(gpu);
      const entries: GPUBindGroupEntry[] = storage.map(
        ({ binding, width }) => ({
          binding,
          resource: width === undefined
            ? { buffer: this.#bufferFor(binding) }
            : this.#imageFor(width),
        }),
      );
      if (uniform !== null) entries.push(this.#uniformFor(pipeline, uniform));
      const { layout } = pipeline;
      pass.setPipeline(pipeline.gpu);
      const group = gpu.createBindGroup({ layout, entries });
      pass.setBindGroup(0, group, uniform === null ? [] : [0]);
      pass.dispatchWorkgroups(0);
    }
    pass.end();
    gpu.queue.submit([encoder.finish()]);
  }

  /** Mesa compiles for the values that decide how often a loop runs. */
  #uniformFor(
    { uniform }: Pipeline,
    bytes: Uint8Array,
  ): GPUBindGroupEntry {
    const { binding, size } = uniform!;
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    const buffer = this.#gpu.createBuffer({ size, usage });
    this.#gpu.queue.writeBuffer(buffer, 0, bytes as Uint8Array<ArrayBuffer>);
    return { binding, resource: { buffer } };
  }

  #bufferFor(binding: number): GPUBuffer {
    let buffer = this.#buffers.get(binding);
    if (buffer === undefined) {
      const usage = GPUBufferUsage.STORAGE;
      buffer = this.#gpu.createBuffer({ size: BOUND_BYTES, usage });
      this.#buffers.set(binding, buffer);
    }
    return buffer;
  }

  /** Mesa compiles for widths and heights that are powers of two, or are not. */
  #imageFor(width: number): GPUTextureView {
    const size = [width === IMAGE_WIDTH ? 4 : 3, 3];
    const usage = GPUTextureUsage.STORAGE_BINDING;
    return this.#gpu.createTexture({ size, format: "rgba32float", usage })
      .createView();
  }
}
