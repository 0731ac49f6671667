/**
 * A binary heap of numbers.
 *
 * @module
 */

/**
 * Numbers of which the one with the lowest priority value is at hand; among
 * equals, the lowest number.
 *
 * Numbers rather than objects and a comparison: merging spends most of its time
 * here, and an engine compiles this to a few machine instructions a level.
 */
export class PriorityQueue {
  readonly #items: number[] = [];
  readonly #priorities: number[] = [];

  /** How many numbers wait. */
  get size(): number {
    return this.#items.length;
  }

  /** The first number, or undefined when there is none. */
  get first(): number | undefined {
    return this.#items[0];
  }

  /** The priority of the first number, or undefined when there is none. */
  get priority(): number | undefined {
    return this.#priorities[0];
  }

  /** Adds a number. */
  push(item: number, priority: number): void {
    const items = this.#items;
    const priorities = this.#priorities;
    let at = items.length;
    items.push(item);
    priorities.push(priority);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = priorities[parent];
      const stays = above < priority ||
        above === priority && items[parent] <= item;
      if (stays) break;
      items[at] = items[parent];
      priorities[at] = above;
      at = parent;
    }
    items[at] = item;
    priorities[at] = priority;
  }

  /** Removes the first number, if there is one. */
  shift(): void {
    const items = this.#items;
    const priorities = this.#priorities;
    const item = items.pop();
    const priority = priorities.pop();
    const length = items.length;
    if (item === undefined || priority === undefined || length === 0) return;

    let at = 0;
    for (let child = 1; child < length; child = 2 * at + 1) {
      const other = child + 1;
      const otherFirst = other < length &&
        (priorities[other] < priorities[child] ||
          priorities[other] === priorities[child] &&
            items[other] < items[child]);
      if (otherFirst) child = other;
      const stays = priority < priorities[child] ||
        priority === priorities[child] && item <= items[child];
      if (stays) break;
      items[at] = items[child];
      priorities[at] = priorities[child];
      at = child;
    }
    items[at] = item;
    priorities[at] = priority;
  }
}
