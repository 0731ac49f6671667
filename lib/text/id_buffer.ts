/**
 * Ids under construction.
 *
 * @module
 */

/** An array of ids that grows at its end. */
export class IdBuffer {
  #ids: Uint32Array<ArrayBuffer>;
  #length = 0;

  /** An empty buffer with room for some ids. */
  constructor(capacity: number) {
    this.#ids = new Uint32Array(Math.max(16, Math.ceil(capacity)));
  }

  /** Adds an id. */
  push(id: number): void {
    this.#reserve(1);
    this.#ids[this.#length++] = id;
  }

  /** Adds ids. */
  append(ids: ArrayLike<number>): void {
    this.#reserve(ids.length);
    this.#ids.set(ids, this.#length);
    this.#length += ids.length;
  }

  /** The ids, in an array of exactly their number. */
  toArray(): Uint32Array<ArrayBuffer> {
    return this.#ids.slice(0, this.#length);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#ids.length) return;
    const larger = new Uint32Array(
      Math.max(2 * this.#ids.length, this.#length + count),
    );
    larger.set(this.#ids);
    this.#ids = larger;
  }
}
