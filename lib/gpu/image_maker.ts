/**
 * Makes images and fills them from buffers.
 *
 * @module
 */

import { Image, IMAGE_WIDTH, type ImageSize, TEXEL_BYTES } from "./image.ts";
import type { Span } from "./pool.ts";
import type { Queue } from "./queue.ts";

/** How a matrix lies in blocks of columns, one block after another. */
export interface ImageBlocks {
  /** Bytes of a stored row. */
  readonly row: number;
  /** Bytes of it in a block, of which it is a multiple. */
  readonly block: number;
}

/**
 * Texels at the end of a line that keep the rows of a matrix from lying powers of
 * two apart, where they would drive each other from a cache.
 */
const SPARE = 4;
const COPY_BYTES = 256; // rows are copied in multiples of this

/**
 * The textures of a device's images, and the commands that fill them. But for the
 * width of one long row no size is ever a power of two: Mesa compiles a kernel
 * again for every combination of image sizes that are and that are not.
 */
export class ImageMaker {
  readonly #gpu: GPUDevice;
  readonly #queue: Queue;
  /** Texels along an axis, one of which is added where it is a power of two. */
  readonly #longest: number;
  /** Dropped, while commands may still name them. */
  #dropped: Image[] = [];
  #zeros: GPUBuffer | null = null;
  #made = 0;

  /** Makes images on a GPU, filled by the commands of a queue. */
  constructor(gpu: GPUDevice, queue: Queue) {
    this.#gpu = gpu;
    this.#queue = queue;
    this.#longest = gpu.limits.maxTextureDimension2D - 1;
  }

  /** The most bytes an image can hold. */
  get most(): number {
    return TEXEL_BYTES * IMAGE_WIDTH * this.#longest;
  }

  /** Texels in a line of a copy by rows, or 0 where it can have none; see `Images`. */
  lineOf({ bytes }: Pick<Span, "bytes">, rowBytes: number): number {
    const line = rowBytes / TEXEL_BYTES;
    const fits = rowBytes % COPY_BYTES === 0 &&
      line + SPARE <= this.#longest &&
      roundUp(bytes / rowBytes) <= this.#longest;
    return fits ? line : 0;
  }

  /** Whether a copy can lie in blocks, each a line for every row. */
  takes({ bytes }: Pick<Span, "bytes">, { row, block }: ImageBlocks): boolean {
    return row % COPY_BYTES === 0 && block % TEXEL_BYTES === 0 &&
      row % block === 0 && bytes / block <= this.#longest;
  }

  /** The size of a copy with so many texels in a line. */
  sizeOf({ bytes }: Span, line: number = 0): ImageSize {
    const lines = Math.ceil(bytes / TEXEL_BYTES / (line || IMAGE_WIDTH));
    return {
      width: line ? noPowerOfTwo(line + SPARE) : IMAGE_WIDTH,
      height: noPowerOfTwo(line ? roundUp(lines) : lines),
    };
  }

  /** The size of a copy in blocks. */
  sizeInBlocks({ bytes }: Span, { block }: ImageBlocks): ImageSize {
    return {
      width: noPowerOfTwo(block / TEXEL_BYTES),
      height: noPowerOfTwo(bytes / block),
    };
  }

  /** An image of a size, which holds anything. */
  make(size: ImageSize): Image {
    if (size.height > this.#longest + 1) {
      throw new RangeError(
        `Cannot make an image of ${
          size.height * size.width * TEXEL_BYTES
        } bytes: the adapter holds at most ${this.most} in one texture`,
      );
    }
    return new Image(this.#gpu, size, -1 - this.#made++);
  }

  /** Queues a copy of memory to an image, by lines of so many texels or of 1024. */
  fill(
    { texture }: Image,
    { storage, offset, bytes }: Span,
    line: number = 0,
  ): void {
    const texels = Math.ceil(bytes / TEXEL_BYTES);
    const width = line || IMAGE_WIDTH;
    const target = { texture, texels, width };
    const { id, buffer } = storage;
    this.#queue.copyToTexture({ id, buffer, offset }, target);
    if (line === 0) return;
    const rows = texels / line;
    for (let row = rows; row < roundUp(rows); row++) {
      const target = { texture, texels: line, width, row };
      this.#queue.copyToTexture(
        { buffer: this.#zerosFor(line), offset: 0 },
        target,
      );
    }
  }

  /** Queues a copy of a matrix to an image, in blocks. */
  fillBlocks(
    { texture }: Image,
    { storage: { id, buffer }, offset, bytes }: Span,
    { row: bytesPerRow, block }: ImageBlocks,
  ): void {
    const width = block / TEXEL_BYTES;
    const rows = bytes / bytesPerRow;
    for (let i = 0; i < bytesPerRow / block; i++) {
      this.#queue.copyToTexture(
        { id, buffer, offset: offset + i * block },
        { texture, texels: width * rows, width, bytesPerRow, row: i * rows },
      );
    }
  }

  /** Takes an image back, which commands may still name. */
  drop(image: Image): void {
    this.#dropped.push(image);
  }

  /** Gives back what was dropped, once all commands that name it are submitted. */
  sweep(): void {
    if (this.#dropped.length === 0) return;
    for (const image of this.#dropped) image[Symbol.dispose]();
    this.#dropped = [];
  }

  /** A buffer that begins with at least so many texels of zeros. */
  #zerosFor(texels: number): GPUBuffer {
    const size = TEXEL_BYTES * texels;
    if (this.#zeros === null || this.#zeros.size < size) {
      const usage = GPUBufferUsage.COPY_SRC;
      this.#zeros = this.#gpu.createBuffer({ label: "zeros", size, usage });
    }
    return this.#zeros;
  }
}

/** The least multiple of four from a number on. */
function roundUp(number: number): number {
  return 4 * Math.ceil(number / 4);
}

/** The least number from this one on, and from 3, that is no power of two. */
function noPowerOfTwo(number: number): number {
  const least = Math.max(3, number);
  return (least & (least - 1)) === 0 ? least + 1 : least;
}
