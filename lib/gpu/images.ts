/**
 * Copies of memory that kernels read as textures.
 *
 * Software adapters read texels several times as fast as buffers.
 *
 * @module
 */

import { Image, IMAGE_WIDTH, TEXEL_BYTES } from "./image.ts";
import type { Span } from "./pool.ts";
import type { Queue } from "./queue.ts";

/**
 * The images of a device: scratch ones, which the next copy overwrites, and
 * twins, which stay beside the memory they were copied from.
 *
 * A twin holds what its memory holds: it is dropped as soon as that memory is
 * written or given back, so that one which is found may be read without a
 * question.
 */
export class Images {
  readonly #gpu: GPUDevice;
  readonly #queue: Queue;
  readonly #scratch = new Map<string, Image>();
  /** By memory, then by the place in it. */
  readonly #twins = new Map<number, Map<string, Image>>();
  /** Dropped, while commands may still name them. */
  #dropped: Image[] = [];
  #made = 0;

  /** Makes images on a GPU, filled by the commands of a queue. */
  constructor(gpu: GPUDevice, queue: Queue) {
    this.#gpu = gpu;
    this.#queue = queue;
  }

  /** The most bytes an image can hold. */
  get most(): number {
    return TEXEL_BYTES * IMAGE_WIDTH * this.#gpu.limits.maxTextureDimension2D;
  }

  /** Bytes of all images. */
  get bytes(): number {
    let bytes = 0;
    for (const image of this.#scratch.values()) bytes += image.bytes;
    for (const twins of this.#twins.values()) {
      for (const twin of twins.values()) bytes += twin.bytes;
    }
    return bytes;
  }

  /**
   * A copy of what a stretch of memory then holds. There is one image per
   * `slot`, which the next call overwrites.
   */
  copy(slot: string, span: Span): Image {
    let image = this.#scratch.get(slot);
    if (image === undefined || image.bytes < span.bytes) {
      if (image !== undefined) this.#dropped.push(image);
      image = this.#make(span.bytes);
      this.#scratch.set(slot, image);
    }
    this.#fill(image, span);
    return image;
  }

  /** The twin of a stretch of memory, if it has one. */
  twinOf(span: Span): Image | undefined {
    return this.#twins.get(span.storage.id)?.get(placeOf(span));
  }

  /**
   * An image that holds what a stretch of memory holds, until that is written or
   * released: worth its bytes where the memory is read many times.
   */
  twin(span: Span): Image {
    const found = this.twinOf(span);
    if (found !== undefined) return found;
    const image = this.#make(span.bytes);
    this.#fill(image, span);
    const { storage: { id } } = span;
    let twins = this.#twins.get(id);
    if (twins === undefined) this.#twins.set(id, twins = new Map());
    twins.set(placeOf(span), image);
    return image;
  }

  /** Drops the twins of memory that is about to change, by its id. */
  dropTwins(id: number): void {
    const twins = this.#twins.get(id);
    if (twins === undefined) return;
    this.#dropped.push(...twins.values());
    this.#twins.delete(id);
  }

  /** Drops all twins. */
  dropAllTwins(): void {
    for (const id of [...this.#twins.keys()]) this.dropTwins(id);
  }

  /** Gives back what was dropped, once all commands that name it are submitted. */
  sweep(): void {
    if (this.#dropped.length === 0) return;
    for (const image of this.#dropped) image[Symbol.dispose]();
    this.#dropped = [];
  }

  #make(bytes: number): Image {
    if (bytes > this.most) {
      throw new RangeError(
        `Cannot make an image of ${bytes} bytes: the adapter holds at most ${this.most} in one texture`,
      );
    }
    return new Image(this.#gpu, bytes, -1 - this.#made++);
  }

  #fill({ texture }: Image, { storage, offset, bytes }: Span): void {
    this.#queue.copyToTexture(storage.buffer, offset, {
      texture,
      texels: Math.ceil(bytes / TEXEL_BYTES),
      width: IMAGE_WIDTH,
    });
  }
}

function placeOf({ offset, bytes }: Span): string {
  return `${offset} ${bytes}`;
}
