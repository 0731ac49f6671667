/**
 * Batches of texts of which a part is learned, epoch after epoch.
 *
 * @module
 */

import type { Random, RandomState } from "../random.ts";
import { type Batch, checkSizes } from "./batch.ts";
import { Epochs, type EpochsState } from "./epochs.ts";
import {
  type LearnedSequence,
  packSequences,
  padSequences,
  placesOf,
  targetsOf,
} from "./learned_sequences.ts";
import { bestFitDecreasing } from "./packing.ts";
import { checkSame, fingerprint } from "./sampler_state.ts";

/** The size and order of batches. */
export interface SequenceBatchesOptions {
  /** Rows in a batch; the last of an epoch may have fewer. */
  readonly batchSize: number;
  /** Tokens in a row at most: no sequence may have more than one beyond. */
  readonly blockSize: number;
  /** Whether several texts share a row, none seeing another. (Default false.) */
  readonly packing?: boolean;
  /** Whether rows of like length go together, which saves padding. (Default false.) */
  readonly groupByLength?: boolean;
  /** The id after the end of a text. (Default 0.) */
  readonly padId?: number;
  /** Orders each epoch, and is the sampler's alone, so `fork()` a shared one; without it the texts keep their order. */
  readonly random?: Random;
}

/** Where {@linkcode SequenceBatches} stand, in which data; fit for JSON. */
export interface SequenceBatchesState {
  /** Which sampler this is. */
  readonly sampler: "sequence batches";
  /** How many sequences there are. */
  readonly sequences: number;
  /** A hash of their ids and of what is learned. */
  readonly fingerprint: number;
  /** Rows in a batch. */
  readonly batchSize: number;
  /** Tokens in a row at most. */
  readonly blockSize: number;
  /** Whether several texts share a row. */
  readonly packing: boolean;
  /** Whether rows of like length go together. */
  readonly groupByLength: boolean;
  /** Whether epochs are shuffled. */
  readonly shuffle: boolean;
  /** Epochs completed before this one. */
  readonly epoch: number;
  /** Batches taken in this epoch. */
  readonly index: number;
  /** Where the random numbers stood before this epoch was ordered. */
  readonly random: RandomState | null;
}

/** Rows are as long as the longest, in so many: fewer lengths, fewer buffers. */
const MULTIPLE = 8;

/**
 * Goes through all texts, again and again: a row for each, filled up to the
 * longest of the batch, or packed rows of one length, best fit first.
 *
 * ```ts
 * import { SequenceBatches } from "@shaderloom/shaderloom";
 * import { assertEquals } from "@std/assert";
 *
 * const text = (...ids: number[]) => ({
 *   ids: Uint32Array.from(ids),
 *   learned: Uint8Array.from(ids, (_, i) => i > 1 ? 1 : 0),
 * });
 * const batches = new SequenceBatches([text(1, 2, 3), text(4, 5, 6, 7)], {
 *   batchSize: 1,
 *   blockSize: 5,
 *   packing: true,
 * });
 * const { inputs, starts } = batches.next();
 * assertEquals([...inputs], [4, 5, 6, 1, 2]);
 * assertEquals([...starts!], [0, 0, 0, 3, 3]);
 * ```
 */
export class SequenceBatches {
  /** The texts of each row, by their places. */
  readonly rows: readonly (readonly number[])[];

  readonly #sequences: readonly LearnedSequence[];
  readonly #options: Required<Omit<SequenceBatchesOptions, "random">>;
  readonly #random: Random | null;
  readonly #lengths: Uint32Array; // of each row
  readonly #epochs: Epochs;
  #fingerprint?: number;

  /**
   * Needs a text or more.
   *
   * @throws {RangeError} On no texts, one that is longer than a row, or one with
   * nothing to learn.
   */
  constructor(
    sequences: readonly LearnedSequence[],
    {
      random,
      packing = false,
      groupByLength = false,
      padId = 0,
      ...sizes
    }: SequenceBatchesOptions,
  ) {
    const { batchSize, blockSize } = sizes;
    checkSizes({ batchSize, blockSize });
    checkSequences(sequences, blockSize);
    this.#sequences = sequences;
    this.#options = { batchSize, blockSize, packing, groupByLength, padId };
    this.#random = random ?? null;
    const places = sequences.map(placesOf);
    this.rows = packing
      ? bestFitDecreasing(places, blockSize)
      : places.map((_, i) => [i]);
    this.#lengths = Uint32Array.from(
      this.rows,
      (row) => row.reduce((sum, i) => sum + places[i], 0),
    );
    const order = { batchSize, groupByLength, random: this.#random };
    this.#epochs = new Epochs(this.#lengths, order);
  }

  /** Epochs completed before the one that the next batch belongs to. */
  get epoch(): number {
    return this.#epochs.epoch;
  }

  /** Which batch of its epoch comes next, from 0. */
  get index(): number {
    return this.#epochs.index;
  }

  /** Batches in an epoch. */
  get batches(): number {
    return this.#epochs.batches;
  }

  /** The next batch; after the last of an epoch, the first of the next. */
  next(): Batch {
    return this.#batchOf(this.#epochs.next());
  }

  /** Every text once: batches of like lengths, in an order that does not change. */
  *all(): Generator<Batch, void, void> {
    const { batchSize } = this.#options;
    const order = [...this.rows.keys()]
      .sort((a, b) => this.#lengths[b] - this.#lengths[a]);
    for (let first = 0; first < order.length; first += batchSize) {
      yield this.#batchOf(order.slice(first, first + batchSize));
    }
  }

  /** Where the sampler stands. */
  get state(): SequenceBatchesState {
    return { ...this.#settings(), ...this.#epochs.state };
  }

  /** Moves to a saved place; refuses one from other data or settings. */
  set state(state: SequenceBatchesState) {
    checkSame("sequence batches", state, this.#settings());
    this.#epochs.state = state;
  }

  #settings(): Omit<SequenceBatchesState, keyof EpochsState> {
    const { padId: _, ...settings } = this.#options;
    return {
      sampler: "sequence batches",
      sequences: this.#sequences.length,
      fingerprint: this.#fingerprint ??= fingerprintOf(this.#sequences),
      ...settings,
      shuffle: this.#random !== null,
    };
  }

  #batchOf(rows: readonly number[]): Batch {
    const { blockSize, packing, padId } = this.#options;
    const longest = packing
      ? this.#lengths.reduce((most, length) => Math.max(most, length))
      : Math.max(...rows.map((row) => this.#lengths[row]));
    const even = MULTIPLE * Math.ceil(longest / MULTIPLE);
    const time = Math.min(even, blockSize);
    const texts = rows.map((row) =>
      this.rows[row].map((i) => this.#sequences[i])
    );
    return packing
      ? packSequences(texts, { time, padId })
      : padSequences(texts.flat(), { time, padId });
  }
}

function checkSequences(
  sequences: readonly LearnedSequence[],
  blockSize: number,
): void {
  if (sequences.length === 0) {
    throw new RangeError("Cannot make batches: there are no texts");
  }
  sequences.forEach((sequence, i) => {
    const which = () =>
      `text ${i + 1} of ${sequences.length}, of ${sequence.ids.length} tokens,`;
    if (placesOf(sequence) > blockSize) {
      throw new RangeError(
        `Cannot make batches: ${which()} is longer than a row of ${blockSize} and a target`,
      );
    }
    if (targetsOf(sequence) === 0) {
      throw new RangeError(
        `Cannot make batches: ${which()} has nothing to learn`,
      );
    }
  });
}

function fingerprintOf(sequences: readonly LearnedSequence[]): number {
  return fingerprint(Uint32Array.from(
    sequences.flatMap(({ ids, learned }) => [
      fingerprint(ids),
      fingerprint(Uint32Array.from(learned)),
    ]),
  ));
}
