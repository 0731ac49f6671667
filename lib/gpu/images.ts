/**
 * Copies of memory that kernels read as textures.
 *
 * Software adapters read texels several times as fast as buffers.
 *
 * @module
 */

import type { Image, ImageSize } from "./image.ts";
import { ImageMaker } from "./image_maker.ts";
import type { Span } from "./pool.ts";
import type { Queue } from "./queue.ts";
import { Twins } from "./twins.ts";

/** An image that serves one stretch of memory after another. */
interface Scratch {
  image: Image;
  /** What it holds a copy of, as long as that is as it was. */
  holds: Pick<Span, "storage" | "offset" | "bytes"> | null;
  /** Texels of its lines that are in use, or 0 where they are of 1024. */
  line: number;
}

/**
 * Of one width; enough for the two factors of a product, one of the next, and
 * what its end reads.
 */
const MOST_SCRATCH = 6;
const MOST_IN_ALL = 24; // of any width

/** Which images to copy to. */
export interface CopyOptions {
  /** How many texels of each are a line, as `lineOf` has it: 0. */
  readonly lines?: readonly number[];
  /** Images that are to keep what they hold. */
  readonly taken?: readonly Image[];
}

/**
 * The images of a device: scratch ones, which later copies overwrite, and twins.
 *
 * Both are forgotten as soon as the memory they were copied from is written or
 * given back, so that one which is found may be read without a question.
 */
export class Images {
  readonly #maker: ImageMaker;
  /** The one asked for longest ago first. */
  #scratch: Scratch[] = [];

  /** Those that stay beside their memory. */
  readonly twins: Twins;
  /** Bytes from where kernels read copies of what they read once. */
  least: number = Infinity;

  /** Makes images on a GPU, filled by the commands of a queue. */
  constructor(gpu: GPUDevice, queue: Queue) {
    this.#maker = new ImageMaker(gpu, queue);
    this.twins = new Twins(this.#maker);
  }

  /** The most bytes an image can hold. */
  get most(): number {
    return this.#maker.most;
  }

  /** Bytes of all images. */
  get bytes(): number {
    let { bytes } = this.twins;
    for (const { image } of this.#scratch) bytes += image.bytes;
    return bytes;
  }

  /**
   * Texels in a line of a copy whose lines are rows of `rowBytes` bytes, or 0
   * where there can be none: its lines are then of 1024, one after another. Zeros
   * follow the last row until the number of lines is a multiple of four.
   */
  lineOf(span: Pick<Span, "bytes">, rowBytes: number): number {
    return this.#maker.lineOf(span, rowBytes);
  }

  /**
   * Copies of what stretches of memory, at most six, then hold; later calls
   * overwrite them. What the last calls copied is not copied again, and copies
   * that are asked for together end one pass instead of several.
   */
  copies(
    spans: readonly Span[],
    { lines = [], taken = [] }: CopyOptions = {},
  ): Image[] {
    const asked = this.#scratch.filter(({ image }) => taken.includes(image));
    const wanted = spans.map((span, i) => ({ span, line: lines[i] ?? 0 }));
    for (const { span, line } of wanted) {
      const found = this.#scratch.find((scratch) =>
        isCopy(scratch, span, line)
      );
      if (found !== undefined) asked.push(found);
    }
    const images = wanted.map(({ span, line }) => {
      let scratch = asked.find((scratch) => isCopy(scratch, span, line));
      if (scratch === undefined) {
        scratch = this.#scratchFor(this.#maker.sizeOf(span, line), asked);
        asked.push(scratch);
        const { storage, offset, bytes } = span;
        scratch.holds = { storage, offset, bytes };
        scratch.line = line;
        this.#maker.fill(scratch.image, span, line);
      }
      return scratch.image;
    });
    const others = this.#scratch.filter((scratch) => !asked.includes(scratch));
    this.#scratch = [...others, ...asked];
    return images;
  }

  /** Forgets the copies of memory that is about to change, by its id. */
  forget(id: number): void {
    for (const scratch of this.#scratch) {
      if (scratch.holds?.storage.id === id) scratch.holds = null;
    }
    this.twins.drop(id);
  }

  /**
   * Gives back what was dropped, once all commands that name it are submitted.
   * Equal steps then meet equal images, whichever were asked for last before.
   */
  sweep(): void {
    this.#maker.sweep();
    this.#scratch.sort((one, other) => one.image.id - other.image.id);
  }

  /** The one asked for longest ago that is large enough, and not `taken`. */
  #scratchFor(size: ImageSize, taken: readonly Scratch[]): Scratch {
    const alike = this.#scratch.filter(({ image }) =>
      image.size.width === size.width
    );
    const free = alike.filter((scratch) => !taken.includes(scratch));
    const fitting = free.find(({ image }) => image.size.height >= size.height);
    if (fitting !== undefined) return fitting;
    const made = { image: this.#maker.make(size), holds: null, line: 0 };
    if (alike.length >= MOST_SCRATCH) {
      // The largest gives way, so that no more are large than are needed at once.
      const [largest] = free.sort((a, b) => b.image.bytes - a.image.bytes);
      this.#drop(largest);
    } else if (this.#scratch.length >= MOST_IN_ALL) {
      this.#drop(this.#scratch.find((scratch) => !taken.includes(scratch))!);
    }
    this.#scratch.push(made);
    return made;
  }

  #drop(scratch: Scratch): void {
    this.#maker.drop(scratch.image);
    this.#scratch.splice(this.#scratch.indexOf(scratch), 1);
  }
}

function isCopy(
  scratch: Scratch,
  { storage, offset, bytes }: Span,
  line: number,
): boolean {
  const { holds } = scratch;
  return holds !== null && scratch.line === line && holds.storage === storage &&
    holds.offset === offset && holds.bytes === bytes;
}
