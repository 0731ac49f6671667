/**
 * The commands that wait to be submitted, together.
 *
 * @module
 */

import { BindGroups, type Bound, type Pipeline } from "./bind_groups.ts";
import type { Storage } from "./pool.ts";

/** What a formula asks of one run, however it is computed. */
export interface Work {
  /** Additions and multiplications. */
  readonly flops?: number;
  /** Bytes read and written at least. */
  readonly bytes?: number;
}

/** A place in a buffer. */
export interface Place {
  /** The number of the storage; left out where only the queue or the host knows it. */
  readonly id?: number;
  /** Its buffer. */
  readonly buffer: GPUBuffer;
  /** Bytes from the start of the buffer. */
  readonly offset: number;
}

/** A texture to copy into. */
export interface CopyTarget {
  /** The texture, of 16 bytes a texel. */
  readonly texture: GPUTexture;
  /** Texels to copy. */
  readonly texels: number;
  /** Texels of a row. */
  readonly width: number;
  /** Bytes from one row to the next where they come from: those of a row. */
  readonly bytesPerRow?: number;
  /** The row to begin at: 0. */
  readonly row?: number;
}

/** One run of one pipeline. */
export interface Dispatch {
  /** What to run. */
  readonly pipeline: Pipeline;
  /** What it binds. */
  readonly storage: readonly Bound[];
  /** The bytes of its uniform struct. */
  readonly uniform: Uint8Array | null;
  /** Workgroups along x, y and z. */
  readonly groups: readonly [number, number, number];
  /** What the formula asks, if the op says so. */
  readonly work?: Work;
}

/** What wants to know when every dispatch ran. */
export interface Timer {
  /** Whether what was recorded must be submitted before more is. */
  readonly full: boolean;
  /** Where the pass of a dispatch leaves its times. */
  stamp(run: Dispatch): GPUComputePassTimestampWrites;
  /** Adds to an encoder, about to be submitted, what saves the times. */
  resolve(encoder: GPUCommandEncoder): void;
  /** Hands over commands recorded since `began`, in milliseconds. */
  submit(began: number, hand: () => void): void;
  /** Notes that the host waited since `start`, in milliseconds. */
  awaited(start: number): void;
}

const UNIFORM_BYTES = 1 << 20;
/**
 * Bytes written that wait for a submission at most: until then they lie in memory of
 * their own, which those written later use again.
 */
const WRITTEN_BYTES = 1 << 20;

/**
 * Records dispatches into one encoder and one pass until {@linkcode Queue.flush}
 * submits them.
 *
 * The uniform structs of all dispatches lie in one buffer that is written once
 * per submit; a dynamic offset picks each out. Steps of training repeat and the
 * pool repeats with them, so after the first steps every bind group is cached.
 */
export class Queue {
  readonly #gpu: GPUDevice;
  readonly #uniforms: GPUBuffer;
  readonly #aligned: number; // bytes
  readonly #uniformData = new Uint8Array(UNIFORM_BYTES);
  readonly #offset = new Uint32Array(1);
  readonly #bindGroups: BindGroups;
  /** By a storage's number, before which submit commands last read or wrote it. */
  readonly #named: number[] = [];
  #uniformUsed = 0;
  #written = 0; // bytes
  #encoder: GPUCommandEncoder | null = null;
  #pass: GPUComputePassEncoder | null = null;
  #last: Pipeline | null = null;
  #began = 0;

  /** The latest dispatch, `kernel.entry`. */
  latest = "";
  /** Times every dispatch, if set. */
  timer: Timer | null = null;
  /** Milliseconds spent recording, from a submit's first command to its last. */
  recording = 0;
  /** How many dispatches were recorded since the start. */
  dispatches = 0;
  /** How many times work was submitted since the start. */
  submits = 0;

  /** Records for one device. */
  constructor(gpu: GPUDevice) {
    this.#gpu = gpu;
    this.#aligned = gpu.limits.minUniformBufferOffsetAlignment;
    this.#uniforms = gpu.createBuffer({
      label: "uniforms",
      size: UNIFORM_BYTES,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    this.#bindGroups = new BindGroups(gpu, this.#uniforms);
  }

  /** How many bind groups are cached. */
  get bindGroups(): number {
    return this.#bindGroups.size;
  }

  /** The most bytes bound at once. */
  get largestBinding(): number {
    return this.#bindGroups.largest;
  }

  /** Milliseconds since the first of the recorded commands, 0 if there is none. */
  get age(): number {
    return this.#encoder === null ? 0 : performance.now() - this.#began;
  }

  /** Whether recorded commands read or write a storage. */
  names({ id }: Storage): boolean {
    return this.#named[id] === this.submits;
  }

  /** Records a run of a pipeline. */
  dispatch(run: Dispatch): void {
    const { pipeline, storage, uniform, groups } = run;
    if (this.timer?.full) this.flush();
    const offset = uniform === null ? 0 : this.#place(uniform);
    const group = this.#bindGroups.get(pipeline, storage);
    if (this.timer !== null) {
      this.#endPass();
      const timestampWrites = this.timer.stamp(run);
      this.#pass = this.#commands().beginComputePass({ timestampWrites });
    }
    this.#pass ??= this.#commands().beginComputePass();
    if (this.#last !== pipeline) this.#pass.setPipeline(pipeline.gpu);
    this.#last = pipeline;
    if (pipeline.uniform === null) this.#pass.setBindGroup(0, group);
    else {
      this.#offset[0] = offset;
      this.#pass.setBindGroup(0, group, this.#offset, 0, 1);
    }
    this.#pass.dispatchWorkgroups(...groups);
    for (const { id } of storage) {
      if (id >= 0) this.#named[id] = this.submits; // textures are below
    }
    this.latest = pipeline.label;
    this.dispatches++;
  }

  /** Writes from the host, before all commands that are not yet submitted. */
  write({ buffer, offset }: Place, data: ArrayBufferView<ArrayBuffer>): void {
    this.#gpu.queue.writeBuffer(buffer, offset, data);
    this.#written += data.byteLength;
    if (this.#written >= WRITTEN_BYTES) this.#hand([]);
  }

  /** Records a copy of `bytes` bytes from one place to another. */
  copy(from: Place, to: Place, bytes: number): void {
    this.#endPass();
    for (const { id } of [from, to]) this.#name(id);
    this.#commands().copyBufferToBuffer(
      from.buffer,
      from.offset,
      to.buffer,
      to.offset,
      bytes,
    );
  }

  /** Records writing zeros to `bytes` bytes. */
  clear({ id, buffer, offset }: Place, bytes: number): void {
    this.#endPass();
    this.#name(id);
    this.#commands().clearBuffer(buffer, offset, bytes);
  }

  /** Records a copy to a texture, row after row. */
  copyToTexture(
    { id, buffer, offset }: Place,
    { texture, texels, width, bytesPerRow = 16 * width, row = 0 }: CopyTarget,
  ): void {
    this.#endPass();
    this.#name(id);
    const rows = Math.floor(texels / width);
    const rest = texels % width;
    // Deno takes half as long over objects as over arrays.
    const copyRows = (first: number, size: GPUExtent3DDict) =>
      this.#commands().copyBufferToTexture(
        { buffer, offset: offset + first * bytesPerRow, bytesPerRow },
        { texture, origin: { y: row + first } },
        size,
      );
    if (rows > 0) copyRows(0, { width, height: rows });
    if (rest > 0) copyRows(rows, { width: rest });
  }

  /** Submits what is recorded. */
  flush(): void {
    this.#endPass();
    const encoder = this.#encoder;
    if (encoder === null) return;
    this.timer?.resolve(encoder);
    this.recording += performance.now() - this.#began;
    if (this.timer === null) this.#submit(encoder);
    else this.timer.submit(this.#began, () => this.#submit(encoder));
    this.#encoder = null;
    this.#uniformUsed = 0;
    this.submits++;
  }

  /** Forgets the bind groups, because buffers they name are to be destroyed. */
  forget(): void {
    this.#bindGroups.forget();
  }

  /** Puts a uniform struct where a dispatch can bind it, and says where. */
  #place(data: Uint8Array): number {
    const size = Math.ceil(data.length / this.#aligned) * this.#aligned;
    if (this.#uniformUsed + size > UNIFORM_BYTES) this.flush();
    const offset = this.#uniformUsed;
    this.#uniformData.set(data, offset);
    this.#uniformUsed += size;
    return offset;
  }

  #submit(encoder: GPUCommandEncoder): void {
    if (this.#uniformUsed > 0) {
      this.#gpu.queue.writeBuffer(
        this.#uniforms,
        0,
        this.#uniformData,
        0,
        this.#uniformUsed,
      );
    }
    this.#hand([encoder.finish()]);
  }

  #hand(commands: GPUCommandBuffer[]): void {
    this.#gpu.queue.submit(commands);
    this.#written = 0;
  }

  /** Takes note that recorded commands read or write a storage. */
  #name(id: number | undefined): void {
    if (id !== undefined) this.#named[id] = this.submits;
  }

  #commands(): GPUCommandEncoder {
    if (this.#encoder === null) {
      this.#began = performance.now();
      this.#encoder = this.#gpu.createCommandEncoder();
    }
    return this.#encoder;
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = null;
    this.#last = null;
  }
}
