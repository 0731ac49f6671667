/**
 * A binary heap.
 *
 * @module
 */

/** Items of which the first, in a given order, is at hand. */
export class Heap<T> {
  readonly #before: (a: T, b: T) => boolean;
  readonly #items: T[] = [];

  /** An empty heap; `before` says whether one item comes before another. */
  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  /** Adds an item. */
  push(item: T): void {
    const items = this.#items;
    const before = this.#before;
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(item, items[parent])) break;
      items[at] = items[parent];
      at = parent;
    }
    items[at] = item;
  }

  /** Removes the first item, or gives undefined when there is none. */
  pop(): T | undefined {
    const items = this.#items;
    const before = this.#before;
    const first = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return first;
    let at = 0;
    for (let child = 1; child < items.length; child = 2 * at + 1) {
      const right = child + 1;
      if (right < items.length && before(items[right], items[child])) {
        child = right;
      }
      if (!before(items[child], last)) break;
      items[at] = items[child];
      at = child;
    }
    items[at] = last;
    return first;
  }
}
