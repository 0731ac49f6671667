/**
 * Rows in batches, epoch after epoch.
 *
 * @module
 */

import type { Random, RandomState } from "../random.ts";

/** The size and order of batches. */
export interface EpochsOptions {
  /** Rows in a batch; the last of an epoch may have fewer. */
  readonly batchSize: number;
  /** Whether rows of like length go together, which saves padding. */
  readonly groupByLength: boolean;
  /** Orders each epoch; without it the rows keep their order. */
  readonly random: Random | null;
}

/** Where {@linkcode Epochs} stand; fit for JSON. */
export interface EpochsState {
  /** Epochs completed before this one. */
  readonly epoch: number;
  /** Batches taken in this epoch. */
  readonly index: number;
  /** Where the random numbers stood before this epoch was ordered. */
  readonly random: RandomState | null;
}

/** Batches among whose rows those of like length are sought. */
const GROUP = 50;

/**
 * Goes through rows of known lengths, again and again, and says which are in
 * each batch. With `random`, every epoch has an order of its own; where lengths
 * are grouped, that of the batches.
 */
export class Epochs {
  readonly #lengths: ArrayLike<number>;
  readonly #options: EpochsOptions;
  #batches: number[][] = [];
  #before: RandomState | null = null;
  #epoch = 0;
  #index = 0;

  /** Takes the length of each row, of which there must be one or more. */
  constructor(lengths: ArrayLike<number>, options: EpochsOptions) {
    this.#lengths = lengths;
    this.#options = options;
    this.#arrange();
  }

  /** Epochs completed before the one that the next batch belongs to. */
  get epoch(): number {
    return this.#index < this.batches ? this.#epoch : this.#epoch + 1;
  }

  /** Which batch of its epoch comes next, from 0. */
  get index(): number {
    return this.#index % this.batches;
  }

  /** Batches in an epoch. */
  get batches(): number {
    return this.#batches.length;
  }

  /** The rows of the next batch; after the last of an epoch, the first of the next. */
  next(): readonly number[] {
    if (this.#index === this.batches) {
      this.#epoch++;
      this.#index = 0;
      this.#arrange();
    }
    return this.#batches[this.#index++];
  }

  /** Where it stands. */
  get state(): EpochsState {
    return {
      epoch: this.#epoch,
      index: this.#index,
      random: this.#before,
    };
  }

  /** Moves to a saved place. Throws a RangeError on one that is none. */
  set state({ epoch, index, random }: EpochsState) {
    const counts = Number.isSafeInteger(epoch) && epoch >= 0 &&
      Number.isSafeInteger(index) && index >= 0 && index <= this.batches;
    if (!counts) {
      throw new RangeError(
        `Cannot restore batches: batch ${index} of epoch ${epoch} is not among their ${this.batches} batches`,
      );
    }
    if (this.#options.random) this.#options.random.state = random!;
    this.#epoch = epoch;
    this.#index = index;
    this.#arrange();
  }

  // Each epoch is ordered from the natural order, so that the random state
  // before it is all that a resumed sampler needs.
  #arrange() {
    const { batchSize, groupByLength, random } = this.#options;
    this.#before = random?.state ?? null;
    const shuffled = <T>(items: T[]) => random?.shuffle(items) ?? items;
    const order = shuffled(Array.from(this.#lengths, (_, row) => row));
    if (!groupByLength) {
      this.#batches = inGroups(order, batchSize);
      return;
    }
    const sorted = inGroups(order, GROUP * batchSize).flatMap((group) =>
      group.sort((a, b) => this.#lengths[b] - this.#lengths[a])
    );
    this.#batches = shuffled(inGroups(sorted, batchSize));
  }
}

function inGroups(rows: readonly number[], size: number): number[][] {
  return Array.from(
    { length: Math.ceil(rows.length / size) },
    (_, i) => rows.slice(i * size, (i + 1) * size),
  );
}
