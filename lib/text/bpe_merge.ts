/**
 * Byte-pair encoding proper: which pairs merge, and merging them in a word.
 *
 * @module
 */

import { PriorityQueue } from "./priority_queue.ts";

/** Ids must stay below this for a pair of them to be one exact number. */
export const ID_LIMIT = 2 ** 24;

/** The rank of a pair that does not merge. */
export const NO_RANK: number = -1;

/** A pair of ids as one number. */
export function pairKey(left: number, right: number): number {
  return left * ID_LIMIT + right;
}

/** Pairs of ids in the order in which they merge, and what each becomes. */
export class Merges {
  readonly #ranks = new Map<number, number>();
  readonly #merged: number[] = [];

  /** The number of merges. */
  get size(): number {
    return this.#merged.length;
  }

  /** Adds the next merge, or returns false if the pair has one already. */
  add(left: number, right: number, merged: number): boolean {
    const key = pairKey(left, right);
    if (this.#ranks.has(key)) return false;
    this.#ranks.set(key, this.#merged.length);
    this.#merged.push(merged);
    return true;
  }

  /** The rank of a pair, or {@linkcode NO_RANK} if it does not merge. */
  rank(left: number, right: number): number {
    return this.#ranks.get(pairKey(left, right)) ?? NO_RANK;
  }

  /** The id that the pair of a rank becomes. */
  merged(rank: number): number {
    return this.#merged[rank];
  }
}

/**
 * Merges the ids of a word: always the pair of the lowest rank, the leftmost
 * first.
 */
export function mergeWord(ids: readonly number[], merges: Merges): number[] {
  return ids.length <= SHORT
    ? mergeShortWord([...ids], merges)
    : mergeLongWord(ids, merges);
}

// In bytes. Measured on English letters: below 10 looking through the pairs takes
// a third of the heap's time, from 48 on it takes more.
const SHORT = 32;

/** O(n²), by looking through the pairs each time. */
function mergeShortWord(ids: number[], merges: Merges): number[] {
  const ranks: number[] = []; // of the pairs that begin at each place
  for (let place = 0; place < ids.length - 1; place++) {
    ranks.push(merges.rank(ids[place], ids[place + 1]));
  }
  while (true) {
    let first = -1;
    for (let place = 0; place < ranks.length; place++) {
      if (ranks[place] === NO_RANK) continue;
      if (first < 0 || ranks[place] < ranks[first]) first = place;
    }
    if (first < 0) return ids;

    ids[first] = merges.merged(ranks[first]);
    ids.splice(first + 1, 1);
    ranks.splice(first, 1);
    if (first > 0) {
      ranks[first - 1] = merges.rank(ids[first - 1], ids[first]);
    }
    if (first < ranks.length) {
      ranks[first] = merges.rank(ids[first], ids[first + 1]);
    }
  }
}

/**
 * O(n log n): the word is a linked list and its pairs wait in a heap, where one
 * that has changed since it was put there is passed over.
 */
function mergeLongWord(word: readonly number[], merges: Merges): number[] {
  const length = word.length;
  const ids = [...word];
  const next = new Int32Array(length).map((_, place) => place + 1);
  const previous = new Int32Array(length).map((_, place) => place - 1);
  const ranks = new Int32Array(length).fill(NO_RANK); // of the pairs
  const queue = new PriorityQueue(); // places, by rank
  const enqueue = (place: number) => {
    const right = next[place];
    const rank = right < length ? merges.rank(ids[place], ids[right]) : NO_RANK;
    ranks[place] = rank;
    if (rank !== NO_RANK) queue.push(place, rank);
  };

  for (let place = 0; place < length; place++) enqueue(place);
  while (queue.size > 0) {
    const place = queue.first!;
    const rank = queue.priority!;
    queue.shift();
    if (ranks[place] !== rank) continue;

    const right = next[place];
    ids[place] = merges.merged(rank);
    ids[right] = GONE;
    ranks[right] = NO_RANK;
    next[place] = next[right];
    if (next[place] < length) previous[next[place]] = place;
    enqueue(place);
    if (place > 0) enqueue(previous[place]);
  }
  return ids.filter((id) => id !== GONE);
}

const GONE = -1; // the id of a symbol that its left neighbour took in
