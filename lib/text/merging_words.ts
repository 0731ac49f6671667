/**
 * The words of a corpus while pairs of their symbols are merged.
 *
 * @module
 */

import { ID_LIMIT, pairKey } from "./bpe_merge.ts";
import { PriorityQueue } from "./priority_queue.ts";

/** A pair of neighbouring symbols and how often it occurs. */
export interface PairCount {
  /** The id of the left symbol. */
  readonly left: number;
  /** The id of the right symbol. */
  readonly right: number;
  /** How often the pair occurs in the corpus. */
  readonly count: number;
}

/**
 * Distinct words with their frequencies, as linked lists of symbols.
 *
 * Counts are kept up to date pair by pair, so a merge costs as much as the
 * places it changes, not as the corpus. The queue holds the count that a pair had
 * when it was put there; one that has shrunk since is put back when met.
 */
export class MergingWords {
  readonly #ids: number[] = []; // by place; GONE where merged away
  readonly #next: number[] = []; // the place of the next symbol, or NONE
  readonly #previous: number[] = [];
  readonly #weights: number[] = []; // how often the word of the place occurs
  readonly #pairs = new Map<number, Pair>();
  readonly #queue = new PriorityQueue(); // keys of pairs, by count
  readonly #grown = new Set<Pair>(); // pairs that the queue has too low or not

  /** Adds a word of the corpus that occurs `count` times. */
  add(word: readonly number[], count: number): void {
    const start = this.#ids.length;
    for (let i = 0; i < word.length; i++) {
      this.#ids.push(word[i]);
      this.#previous.push(i === 0 ? NONE : start + i - 1);
      this.#next.push(i === word.length - 1 ? NONE : start + i + 1);
      this.#weights.push(count);
      if (i > 0) this.#gain(start + i - 1);
    }
  }

  /**
   * Takes out the most frequent pair; among equals, the one with the lowest
   * left id, then right id. It will not come again unless it gains places.
   */
  mostFrequent(): PairCount | undefined {
    for (const { key, count } of this.#grown) this.#enqueue(key, count);
    this.#grown.clear();

    while (this.#queue.size > 0) {
      const key = this.#queue.first!;
      const queued = -this.#queue.priority!;
      this.#queue.shift();
      const count = this.#pairs.get(key)?.count ?? 0;
      if (count === queued) {
        const left = Math.floor(key / ID_LIMIT);
        return { left, right: key % ID_LIMIT, count };
      }
      this.#enqueue(key, count);
    }
    return undefined;
  }

  /** Merges a pair into a new symbol wherever it occurs, in each word from the left. */
  merge({ left, right }: PairCount, merged: number): void {
    const key = pairKey(left, right);
    const places = this.#pairs.get(key)?.places ?? [];
    this.#pairs.delete(key);

    for (const place of places.sort((a, b) => a - b)) {
      const second = this.#next[place];
      const stale = this.#ids[place] !== left || second === NONE ||
        this.#ids[second] !== right;
      if (stale) continue;

      const before = this.#previous[place];
      const after = this.#next[second];
      if (before !== NONE) this.#lose(before);
      if (after !== NONE) this.#lose(second);
      this.#ids[place] = merged;
      this.#ids[second] = GONE;
      this.#next[place] = after;
      if (after !== NONE) this.#previous[after] = place;
      if (before !== NONE) this.#gain(before);
      if (after !== NONE) this.#gain(place);
    }
  }

  /** Counts the pair that begins at a place. */
  #gain(place: number): void {
    const key = this.#keyAt(place);
    let pair = this.#pairs.get(key);
    if (pair === undefined) {
      pair = { key, count: 0, places: [] };
      this.#pairs.set(key, pair);
    }
    pair.count += this.#weights[place];
    pair.places.push(place);
    this.#grown.add(pair);
  }

  /** Discounts the pair that begins at a place, which is found stale later. */
  #lose(place: number): void {
    const pair = this.#pairs.get(this.#keyAt(place));
    if (pair !== undefined) pair.count -= this.#weights[place];
  }

  #keyAt(place: number): number {
    return pairKey(this.#ids[place], this.#ids[this.#next[place]]);
  }

  #enqueue(key: number, count: number): void {
    if (count > 0) this.#queue.push(key, -count);
  }
}

/** A pair and the places where it begins, or began. */
interface Pair {
  readonly key: number; // whose order is that of left ids, then right ids
  count: number;
  readonly places: number[];
}

const NONE = -1;
const GONE = -1;
