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

/** An image that serves one stretch of memory after another. */
interface Scratch {
  image: Image;
  /** What it holds a copy of, as long as that is as it was. */
  holds: Pick<Span, "storage" | "offset" | "bytes"> | null;
}

/** Enough for two products that share a factor. */
const MOST_SCRATCH = 3;

/**
 * The images of a device: scratch ones, which later copies overwrite, and twins,
 * which stay beside the memory they were copied from.
 *
 * Both are forgotten as soon as that memory is written or given back, so that one
 * which is found may be read without a question.
 */
export class Images {
  readonly #gpu: GPUDevice;
  readonly #queue: Queue;
  /** The one asked for longest ago first. */
  #scratch: Scratch[] = [];
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
    for (const { image } of this.#scratch) bytes += image.bytes;
    for (const twins of this.#twins.values()) {
      for (const twin of twins.values()) bytes += twin.bytes;
    }
    return bytes;
  }

  /**
   * Copies of what stretches of memory, at most three, then hold; later calls
   * overwrite them. What the last calls copied is not copied again, and copies
   * that are asked for together end one pass instead of several.
   */
  copies(spans: readonly Span[]): Image[] {
    const asked: Scratch[] = [];
    for (const span of spans) {
      const found = this.#scratch.find((scratch) => isCopy(scratch, span));
      if (found !== undefined) asked.push(found);
    }
    const images = spans.map((span) => {
      let scratch = asked.find((scratch) => isCopy(scratch, span));
      if (scratch === undefined) {
        scratch = this.#scratchFor(span.bytes, asked);
        asked.push(scratch);
        const { storage, offset, bytes } = span;
        scratch.holds = { storage, offset, bytes };
        this.#fill(scratch.image, span);
      }
      return scratch.image;
    });
    const others = this.#scratch.filter((scratch) => !asked.includes(scratch));
    this.#scratch = [...others, ...asked];
    return images;
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

  /** Forgets the copies of memory that is about to change, by its id. */
  forget(id: number): void {
    for (const scratch of this.#scratch) {
      if (scratch.holds?.storage.id === id) scratch.holds = null;
    }
    if (this.#twins.size > 0) this.#dropTwins(id);
  }

  #dropTwins(id: number): void {
    const twins = this.#twins.get(id);
    if (twins === undefined) return;
    this.#dropped.push(...twins.values());
    this.#twins.delete(id);
  }

  /** Drops all twins. */
  dropAllTwins(): void {
    for (const id of [...this.#twins.keys()]) this.#dropTwins(id);
  }

  /** Gives back what was dropped, once all commands that name it are submitted. */
  sweep(): void {
    if (this.#dropped.length === 0) return;
    for (const image of this.#dropped) image[Symbol.dispose]();
    this.#dropped = [];
  }

  /** The one asked for longest ago that is large enough, and not `taken`. */
  #scratchFor(bytes: number, taken: readonly Scratch[]): Scratch {
    const free = this.#scratch.filter((scratch) => !taken.includes(scratch));
    const fitting = free.find(({ image }) => image.bytes >= bytes);
    if (fitting !== undefined) return fitting;
    const made = { image: this.#make(bytes), holds: null };
    if (this.#scratch.length >= MOST_SCRATCH) {
      // The largest gives way, so that no more are large than are needed at once.
      const [largest] = free.sort((a, b) => b.image.bytes - a.image.bytes);
      this.#dropped.push(largest.image);
      this.#scratch.splice(this.#scratch.indexOf(largest), 1);
    }
    this.#scratch.push(made);
    return made;
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

function isCopy({ holds }: Scratch, { storage, offset, bytes }: Span): boolean {
  return holds !== null && holds.storage === storage &&
    holds.offset === offset && holds.bytes === bytes;
}

function placeOf({ offset, bytes }: Span): string {
  return `${offset} ${bytes}`;
}
