/**
 * GPU memory that is used again instead of being made again.
 *
 * @module
 */

/** A span of GPU memory, shared by every tensor that views it. */
export interface Storage {
  /** A number no other storage of the device has. */
  readonly id: number;
  /** The memory itself. */
  readonly buffer: GPUBuffer;
  /** Its size, at least what was asked for. */
  readonly bytes: number;
  /** How many tensors hold it. */
  holders: number;
}

/** A stretch of memory. */
export interface Span {
  /** The memory. */
  readonly storage: Storage;
  /** Bytes from the start of the memory to its own. */
  readonly offset: number;
  /** How many bytes of the memory are its own. */
  readonly bytes: number;
  /** How many bytes a kernel may touch: its own, and what pads them. */
  readonly span: number;
}

/** Memory that the GPU did not have. */
export interface Shortage {
  /** What was to lie there. */
  readonly what: string;
  /** Bytes asked for. */
  readonly asked: number;
  /** Bytes handed out before. */
  readonly inUse: number;
  /** Bytes of all buffers made before. */
  readonly reserved: number;
}

/**
 * Hands out buffers and takes them back.
 *
 * Sizes are rounded up to a quarter of a power of two, so that work on shapes
 * which vary a little still meets the same buffers, at most a quarter too large.
 */
export class Pool {
  readonly #gpu: GPUDevice;
  readonly #usage: number;
  readonly #onShortage: (shortage: Shortage) => void;
  /** By size, the newest first: the oldest is taken next, so that equal work
   * meets equal buffers however they came back. */
  readonly #free = new Map<number, Storage[]>();
  #made = 0;

  /** Bytes handed out now. */
  bytesInUse = 0;
  /** The most {@linkcode bytesInUse} has been. */
  bytesPeak = 0;
  /** Bytes of all buffers that exist, in use or waiting. */
  bytesReserved = 0;
  /** Bytes of the largest buffer made. */
  largest = 0;

  /** Makes buffers of one usage, and says if the GPU has no memory for one. */
  constructor(
    gpu: GPUDevice,
    usage: number,
    onShortage: (shortage: Shortage) => void = () => {},
  ) {
    this.#gpu = gpu;
    this.#usage = usage;
    this.#onShortage = onShortage;
  }

  /** How many buffers were made since the start. */
  get buffersMade(): number {
    return this.#made;
  }

  /**
   * Takes memory that waits, or makes it, to hold `what`. What is to stay may be
   * asked for to the byte: it is not rounded up for the sake of use again.
   */
  acquire(
    bytes: number,
    what: () => string = () => "a buffer",
    { stays = false }: { stays?: boolean } = {},
  ): Storage {
    const size = stays
      ? Math.max(256, Math.ceil(bytes / 256) * 256)
      : sizeClass(bytes);
    this.bytesInUse += size;
    this.bytesPeak = Math.max(this.bytesPeak, this.bytesInUse);
    const waiting = this.#free.get(size)?.pop();
    if (waiting !== undefined) return waiting;
    this.bytesReserved += size;
    this.largest = Math.max(this.largest, size);
    const buffer = this.#make(size, what);
    return { id: this.#made++, buffer, bytes: size, holders: 0 };
  }

  /** Takes memory back. Work already queued that uses it still runs first. */
  release(storage: Storage): void {
    this.bytesInUse -= storage.bytes;
    const waiting = this.#free.get(storage.bytes);
    if (waiting === undefined) {
      this.#free.set(storage.bytes, [storage]);
      return;
    }
    let at = waiting.length;
    while (at > 0 && waiting[at - 1].id < storage.id) at--;
    waiting.splice(at, 0, storage);
  }

  /** Gives the memory that waits back to the GPU. */
  trim(): void {
    for (const waiting of this.#free.values()) {
      for (const { buffer, bytes } of waiting) {
        buffer.destroy();
        this.bytesReserved -= bytes;
      }
    }
    this.#free.clear();
  }

  #make(size: number, what: () => string): GPUBuffer {
    const shortage = {
      asked: size,
      inUse: this.bytesInUse - size,
      reserved: this.bytesReserved - size,
    };
    this.#gpu.pushErrorScope("out-of-memory");
    const buffer = this.#gpu.createBuffer({ size, usage: this.#usage });
    this.#gpu.popErrorScope().then((error) => {
      if (error !== null) this.#onShortage({ ...shortage, what: what() });
    });
    return buffer;
  }
}

function sizeClass(bytes: number): number {
  const step = 2 ** Math.max(8, Math.floor(Math.log2(Math.max(1, bytes))) - 2);
  return Math.max(256, Math.ceil(bytes / step) * step);
}
