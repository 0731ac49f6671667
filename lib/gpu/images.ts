/**
 * Copies of memory that kernels read as textures.
 *
 * Software adapters read texels several times as fast as buffers.
 *
 * @module
 */

import { Image, IMAGE_WIDTH, type ImageSize, TEXEL_BYTES } from "./image.ts";
import type { Span } from "./pool.ts";
import type { Queue } from "./queue.ts";

/** An image that serves one stretch of memory after another. */
interface Scratch {
  image: Image;
  /** What it holds a copy of, as long as that is as it was. */
  holds: Pick<Span, "storage" | "offset" | "bytes"> | null;
  /** Texels of its lines that are in use, or 0 where they are of 1024. */
  line: number;
}

/** How a matrix lies in a twin: a block of columns after another. */
export interface ImageBlocks {
  /** Bytes of a stored row. */
  readonly row: number;
  /** Bytes of it in a block, of which it is a multiple. */
  readonly block: number;
}

/** Of one width; enough for two products that share a factor. */
const MOST_SCRATCH = 3;
const MOST_IN_ALL = 24; // of any width
/**
 * Texels at the end of a line that keep the rows of a matrix from lying powers of
 * two apart, where they would drive each other from a cache.
 */
const SPARE = 4;
const COPY_BYTES = 256; // rows are copied in multiples of this

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
  #zeros: GPUBuffer | null = null;
  #made = 0;

  /** Makes images on a GPU, filled by the commands of a queue. */
  constructor(gpu: GPUDevice, queue: Queue) {
    this.#gpu = gpu;
    this.#queue = queue;
  }

  /** The most bytes an image can hold. */
  get most(): number {
    return TEXEL_BYTES * IMAGE_WIDTH * this.#longest;
  }

  /** Texels along an axis, one of which `sizeOf` may add. */
  get #longest(): number {
    return this.#gpu.limits.maxTextureDimension2D - 1;
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
   * Texels in a line of a copy whose lines are rows of `rowBytes` bytes, or 0
   * where there can be none: its lines are then of 1024, one after another. Zeros
   * follow the last row until the number of lines is a multiple of four.
   */
  lineOf({ bytes }: Pick<Span, "bytes">, rowBytes: number): number {
    const line = rowBytes / TEXEL_BYTES;
    const fits = rowBytes % COPY_BYTES === 0 &&
      line + SPARE <= this.#longest &&
      roundUp(bytes / rowBytes) <= this.#longest;
    return fits ? line : 0;
  }

  /**
   * Copies of what stretches of memory, at most three, then hold; later calls
   * overwrite them. What the last calls copied is not copied again, and copies
   * that are asked for together end one pass instead of several. `lines` says
   * how many texels of each are a line, as `lineOf` has it.
   */
  copies(spans: readonly Span[], lines: readonly number[] = []): Image[] {
    const asked: Scratch[] = [];
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
        scratch = this.#scratchFor(sizeOf(span, line), asked);
        asked.push(scratch);
        const { storage, offset, bytes } = span;
        scratch.holds = { storage, offset, bytes };
        scratch.line = line;
        this.#fill(scratch.image, span, line);
      }
      return scratch.image;
    });
    const others = this.#scratch.filter((scratch) => !asked.includes(scratch));
    this.#scratch = [...others, ...asked];
    return images;
  }

  /** Whether a twin can lie in blocks, each a line for every row. */
  takes({ bytes }: Pick<Span, "bytes">, { row, block }: ImageBlocks): boolean {
    return row % COPY_BYTES === 0 && block % TEXEL_BYTES === 0 &&
      row % block === 0 && bytes / block <= this.#longest;
  }

  /** The twin of a stretch of memory that lies so, if it has one. */
  twinOf(span: Span, blocks: ImageBlocks | null = null): Image | undefined {
    return this.#twins.get(span.storage.id)?.get(placeOf(span, blocks));
  }

  /**
   * An image that holds what a stretch of memory holds, until that is written or
   * released: worth its bytes where the memory is read many times. In blocks that
   * are each read by a workgroup it is read twice as fast, as memory is fastest
   * where it is read in its order.
   */
  twin(span: Span, blocks: ImageBlocks | null = null): Image {
    const found = this.twinOf(span, blocks);
    if (found !== undefined) return found;
    const { storage: { id } } = span;
    const size = blocks ? sizeInBlocks(span, blocks) : sizeOf(span);
    const image = this.#make(size);
    if (blocks) this.#fillBlocks(image, span, blocks);
    else this.#fill(image, span);
    let twins = this.#twins.get(id);
    if (twins === undefined) this.#twins.set(id, twins = new Map());
    twins.set(placeOf(span, blocks), image);
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
  #scratchFor(size: ImageSize, taken: readonly Scratch[]): Scratch {
    const alike = this.#scratch.filter(({ image }) =>
      image.size.width === size.width
    );
    const free = alike.filter((scratch) => !taken.includes(scratch));
    const fitting = free.find(({ image }) => image.size.height >= size.height);
    if (fitting !== undefined) return fitting;
    const made = { image: this.#make(size), holds: null, line: 0 };
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
    this.#dropped.push(scratch.image);
    this.#scratch.splice(this.#scratch.indexOf(scratch), 1);
  }

  #make(size: ImageSize): Image {
    if (size.height > this.#gpu.limits.maxTextureDimension2D) {
      throw new RangeError(
        `Cannot make an image of ${
          size.height * size.width * TEXEL_BYTES
        } bytes: the adapter holds at most ${this.most} in one texture`,
      );
    }
    return new Image(this.#gpu, size, -1 - this.#made++);
  }

  #fill(
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

  #fillBlocks(
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

/**
 * The size of a copy with so many texels in a line. But for the width of one long
 * row it is never a power of two: Mesa compiles a kernel again for every
 * combination of image sizes that are and that are not.
 */
function sizeOf({ bytes }: Span, line: number = 0): ImageSize {
  const lines = Math.ceil(bytes / TEXEL_BYTES / (line || IMAGE_WIDTH));
  return {
    width: line ? noPowerOfTwo(line + SPARE) : IMAGE_WIDTH,
    height: noPowerOfTwo(line ? roundUp(lines) : lines),
  };
}

/** The size of a copy in blocks, never a power of two for the same reason. */
function sizeInBlocks({ bytes }: Span, { block }: ImageBlocks): ImageSize {
  return {
    width: noPowerOfTwo(block / TEXEL_BYTES),
    height: noPowerOfTwo(bytes / block),
  };
}

/** The least number from this one on, and from 3, that is no power of two. */
function noPowerOfTwo(number: number): number {
  const least = Math.max(3, number);
  return (least & (least - 1)) === 0 ? least + 1 : least;
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

function placeOf({ offset, bytes }: Span, blocks: ImageBlocks | null): string {
  return `${offset} ${bytes} ${blocks?.row} ${blocks?.block}`;
}
