/**
 * Batches of windows that a text is divided into, epoch after epoch.
 *
 * @module
 */

import type { Random, RandomState } from "../random.ts";
import {
  type Batch,
  checkLength,
  checkSizes,
  cutBatch,
  type Tokens,
} from "./batch.ts";
import { checkSame, fingerprint } from "./sampler_state.ts";

/** The size and order of windows and batches. */
export interface SlidingWindowOptions {
  /** Rows in a batch. */
  readonly batchSize: number;
  /** Tokens in a row: the book's `max_length`. */
  readonly blockSize: number;
  /** From the start of a window to that of the next. (Default `blockSize`.) */
  readonly stride?: number;
  /** Whether each epoch has an order of its own. (Default true.) */
  readonly shuffle?: boolean;
  /** Leave out a last batch that is not full. (Default true.) */
  readonly dropLast?: boolean;
  /** Shuffles; the sampler's alone, so `fork()` a shared one. */
  readonly random?: Random;
}

/** Where a {@linkcode SlidingWindow} stands, in which data; fit for JSON. */
export interface SlidingWindowState {
  /** Which sampler this is. */
  readonly sampler: "sliding window";
  /** How many tokens there are. */
  readonly tokens: number;
  /** A hash of the tokens. */
  readonly fingerprint: number;
  /** Rows in a batch. */
  readonly batchSize: number;
  /** Tokens in a row. */
  readonly blockSize: number;
  /** From window to window. */
  readonly stride: number;
  /** Whether epochs are shuffled. */
  readonly shuffle: boolean;
  /** Whether a last batch that is not full is left out. */
  readonly dropLast: boolean;
  /** Epochs completed. */
  readonly epoch: number;
  /** Batches taken in this epoch. */
  readonly index: number;
  /** Where the random numbers stood before this epoch was shuffled. */
  readonly random: RandomState | null;
}

/**
 * Slides a window over a text and goes through all windows, again and again.
 *
 * Windows start at 0, `stride`, 2 `stride`, … as long as the window and the
 * token after it fit, as in *Build a Large Language Model (From Scratch)*.
 *
 * ```ts
 * import { Random, SlidingWindow } from "@shaderloom/shaderloom";
 *
 * const tokens = Uint16Array.from({ length: 100 }, (_, i) => i);
 * const random = new Random(1);
 * const windows = new SlidingWindow(tokens, {
 *   batchSize: 4,
 *   blockSize: 8,
 *   stride: 4,
 *   random,
 * });
 * const { inputs, targets } = windows.next(); // [4, 8] each
 * ```
 */
export class SlidingWindow {
  readonly #tokens: Tokens;
  readonly #batchSize: number;
  readonly #blockSize: number;
  readonly #stride: number;
  readonly #dropLast: boolean;
  readonly #random: Random | null;
  readonly #order: Uint32Array;
  #before: RandomState | null = null;
  #epoch = 0;
  #index = 0;
  #fingerprint?: number;

  /** Needs a text long enough for one batch, which it does not copy. */
  constructor(tokens: Tokens, {
    batchSize,
    blockSize,
    stride = blockSize,
    shuffle = true,
    dropLast = true,
    random,
  }: SlidingWindowOptions) {
    checkSizes({ batchSize, blockSize, stride });
    checkLength(tokens, blockSize);
    if (shuffle && !random) {
      throw new TypeError(
        "Cannot shuffle windows: give a `random`, or `shuffle: false`",
      );
    }
    const windows = Math.ceil((tokens.length - blockSize) / stride);
    if (dropLast && windows < batchSize) {
      throw new RangeError(
        `Cannot fill a batch of ${batchSize} windows: ${tokens.length} ` +
          `tokens give ${windows} of ${blockSize} with stride ${stride}; use ` +
          `more text, a smaller batch or dropLast: false`,
      );
    }
    this.#tokens = tokens;
    this.#batchSize = batchSize;
    this.#blockSize = blockSize;
    this.#stride = stride;
    this.#dropLast = dropLast;
    this.#random = shuffle && random ? random : null;
    this.#order = new Uint32Array(windows);
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
    const full = this.#order.length / this.#batchSize;
    return this.#dropLast ? Math.floor(full) : Math.ceil(full);
  }

  /** The next batch; after the last of an epoch, the first of the next. */
  next(): Batch {
    if (this.#index === this.batches) {
      this.#epoch++;
      this.#index = 0;
      this.#arrange();
    }
    const from = this.#batchSize * this.#index++;
    const chosen = this.#order.subarray(from, from + this.#batchSize);
    const starts = Array.from(chosen, (window) => window * this.#stride);
    return cutBatch(this.#tokens, starts, this.#blockSize);
  }

  /** Where the sampler stands. */
  get state(): SlidingWindowState {
    return {
      ...this.#settings(),
      epoch: this.#epoch,
      index: this.#index,
      random: this.#before,
    };
  }

  /** Moves to a saved place; refuses one from other data or settings. */
  set state(state: SlidingWindowState) {
    checkSame("a sliding window", state, this.#settings());
    const { epoch, index, random } = state;
    const counts = Number.isSafeInteger(epoch) && epoch >= 0 &&
      Number.isSafeInteger(index) && index >= 0 && index <= this.batches;
    if (!counts) {
      throw new RangeError(
        `Cannot restore a sliding window: batch ${index} of epoch ${epoch} ` +
          `is not among its ${this.batches} batches`,
      );
    }
    if (this.#random) this.#random.state = random as RandomState;
    this.#epoch = epoch;
    this.#index = index;
    this.#arrange();
  }

  #settings(): Omit<SlidingWindowState, "epoch" | "index" | "random"> {
    return {
      sampler: "sliding window",
      tokens: this.#tokens.length,
      fingerprint: this.#fingerprint ??= fingerprint(this.#tokens),
      batchSize: this.#batchSize,
      blockSize: this.#blockSize,
      stride: this.#stride,
      shuffle: this.#random !== null,
      dropLast: this.#dropLast,
    };
  }

  // Each epoch is shuffled from the natural order, so that the random state
  // before it is all that a resumed sampler needs.
  #arrange() {
    for (let i = 0; i < this.#order.length; i++) this.#order[i] = i;
    this.#before = this.#random?.state ?? null;
    this.#random?.shuffle(this.#order);
  }
}
