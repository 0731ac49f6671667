/**
 * Putting short texts side by side in rows of one length.
 *
 * @module
 */

/**
 * Puts items of given lengths into as few rows of `capacity` as best-fit
 * decreasing finds: the longest first, each into the fullest row it fits, of
 * equally full ones the one that became so first. Gives the items of each row
 * by their places in `lengths`; items of length 0 are left out.
 *
 * ```ts
 * import { bestFitDecreasing } from "@shaderloom/shaderloom";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(bestFitDecreasing([2, 4, 3, 1], 5), [[1, 3], [2, 0]]);
 * ```
 *
 * @throws {RangeError} On an item longer than a row.
 */
export function bestFitDecreasing(
  lengths: ArrayLike<number>,
  capacity: number,
): number[][] {
  const items = Array.from(lengths, (length, item) => ({ length, item }))
    .filter(({ length }) => length > 0)
    .sort((a, b) => b.length - a.length);
  if (items.length > 0 && items[0].length > capacity) {
    throw new RangeError(
      `Cannot put ${items[0].length} tokens into a row of ${capacity}`,
    );
  }

  const rows: number[][] = [];
  // Rows by the space they have left, which only changes by leaving a queue.
  const queues: Queue[] = [];
  for (const { length, item } of items) {
    let space = length;
    while (space < capacity && !(queues[space]?.length > 0)) space++;
    const row = space < capacity ? queues[space].take() : [];
    if (space === capacity) rows.push(row);
    row.push(item);
    if (space > length) (queues[space - length] ??= new Queue()).add(row);
  }
  return rows;
}

/** Rows in the order in which they came. */
class Queue {
  readonly #rows: number[][] = [];
  #taken = 0;

  get length(): number {
    return this.#rows.length - this.#taken;
  }

  add(row: number[]): void {
    this.#rows.push(row);
  }

  take(): number[] {
    return this.#rows[this.#taken++];
  }
}
