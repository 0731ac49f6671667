/**
 * Images that stay beside the memory they were copied from.
 *
 * @module
 */

import type { Image } from "./image.ts";
import type { ImageBlocks, ImageMaker } from "./image_maker.ts";
import type { Span } from "./pool.ts";

/**
 * The twins of a device's memory: images of it that stay until it is written or
 * released, worth their bytes where it is read many times.
 */
export class Twins {
  readonly #maker: ImageMaker;
  /** By memory, then by the place in it. */
  readonly #twins = new Map<number, Map<string, Image>>();

  /** Keeps what a maker makes. */
  constructor(maker: ImageMaker) {
    this.#maker = maker;
  }

  /** Bytes of all twins. */
  get bytes(): number {
    let bytes = 0;
    for (const twins of this.#twins.values()) {
      for (const twin of twins.values()) bytes += twin.bytes;
    }
    return bytes;
  }

  /** Whether a twin can lie in blocks, each a line for every row. */
  takes(span: Pick<Span, "bytes">, blocks: ImageBlocks): boolean {
    return this.#maker.takes(span, blocks);
  }

  /** The twin of a stretch of memory that lies so, if it has one. */
  of(span: Span, blocks: ImageBlocks | null = null): Image | undefined {
    return this.#twins.get(span.storage.id)?.get(placeOf(span, blocks));
  }

  /**
   * The same, made where there is none. In blocks that are each read by a
   * workgroup it is read twice as fast, as memory is fastest where it is read in
   * its order.
   */
  make(span: Span, blocks: ImageBlocks | null = null): Image {
    const found = this.of(span, blocks);
    if (found !== undefined) return found;
    const { storage: { id } } = span;
    const maker = this.#maker;
    const image = maker.make(
      blocks ? maker.sizeInBlocks(span, blocks) : maker.sizeOf(span),
    );
    if (blocks) maker.fillBlocks(image, span, blocks);
    else maker.fill(image, span);
    let twins = this.#twins.get(id);
    if (twins === undefined) this.#twins.set(id, twins = new Map());
    twins.set(placeOf(span, blocks), image);
    return image;
  }

  /** Drops the twins of memory that is about to change, by its id. */
  drop(id: number): void {
    const twins = this.#twins.get(id);
    if (twins === undefined) return;
    for (const twin of twins.values()) this.#maker.drop(twin);
    this.#twins.delete(id);
  }

  /** Drops all. */
  dropAll(): void {
    for (const id of [...this.#twins.keys()]) this.drop(id);
  }
}

function placeOf({ offset, bytes }: Span, blocks: ImageBlocks | null): string {
  return `${offset} ${bytes} ${blocks?.row} ${blocks?.block}`;
}
