/**
 * The words of a corpus while pairs of their symbols are merged.
 *
 * @module
 */

import { pairKey } from "./bpe_merge.ts";
import { Heap } from "./heap.ts";

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
 * places it changes, not as the corpus. The heap holds the count that a pair had
 * when it was put there; one that has shrunk since is put back when met.
 */
export class MergingWords {
  readonly #ids: number[] = []; // by place; GONE where merged away
  readonly #next: number[] = []; // the place of the next symbol, or NONE
  readonly #previous: number[] = [];
  readonly #weights: number[] = []; // how often the word of the place occurs
  readonly #pairs = new Map<number, Pair>();
  readonly #queue = new Heap<PairCount>(mergesBefore);
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
    for (const { left, right, count } of this.#grown) {
      if (count > 0) this.#queue.push({ left, right, count });
    }
    this.#grown.clear();

    for (let top = this.#queue.pop(); top; top = this.#queue.pop()) {
      const { left, right } = top;
      const count = this.#pairs.get(pairKey(left, right))?.count ?? 0;
      if (count === top.count) return top;
      if (count > 0) this.#queue.push({ left, right, count });
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
    const left = this.#ids[place];
    const right = this.#ids[this.#next[place]];
    const key = pairKey(left, right);
    let pair = this.#pairs.get(key);
    if (pair === undefined) {
      pair = { left, right, count: 0, places: [] };
      this.#pairs.set(key, pair);
    }
    pair.count += this.#weights[place];
    pair.places.push(place);
    this.#grown.add(pair);
  }

  /** Discounts the pair that begins at a place, which is found stale later. */
  #lose(place: number): void {
    const right = this.#ids[this.#next[place]];
    const pair = this.#pairs.get(pairKey(this.#ids[place], right));
    if (pair !== undefined) pair.count -= this.#weights[place];
  }
}

/** A pair and the places where it begins, or began. */
interface Pair {
  readonly left: number;
  readonly right: number;
  count: number;
  readonly places: number[];
}

const NONE = -1;
const GONE = -1;

function mergesBefore(a: PairCount, b: PairCount): boolean {
  if (a.count !== b.count) return a.count > b.count;
  return a.left !== b.left ? a.left < b.left : a.right < b.right;
}
