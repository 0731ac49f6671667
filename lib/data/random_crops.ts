/**
 * Batches from random places, as nanoGPT takes them.
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

/** The size of batches, and where chance comes from. */
export interface RandomCropsOptions {
  /** Rows in a batch. */
  readonly batchSize: number;
  /** Tokens in a row. */
  readonly blockSize: number;
  /** Chooses the places; the sampler's alone, so `fork()` a shared one. */
  readonly random: Random;
}

/** Where a {@linkcode RandomCrops} stands, and in which data; fit for JSON. */
export interface RandomCropsState {
  /** Which sampler this is. */
  readonly sampler: "random crops";
  /** How many tokens there are. */
  readonly tokens: number;
  /** A hash of the tokens. */
  readonly fingerprint: number;
  /** Rows in a batch. */
  readonly batchSize: number;
  /** Tokens in a row. */
  readonly blockSize: number;
  /** Where the random numbers stand. */
  readonly random: RandomState;
}

/**
 * Cuts batches from random places in a text, with replacement, without end.
 *
 * ```ts
 * import { Random, RandomCrops } from "@shaderloom/shaderloom";
 *
 * const tokens = Uint16Array.from({ length: 100 }, (_, i) => i);
 * const random = new Random(1);
 * const sizes = { batchSize: 4, blockSize: 8 };
 * const crops = new RandomCrops(tokens, { ...sizes, random });
 * const { inputs, targets } = crops.next(); // [4, 8] each
 * ```
 */
export class RandomCrops {
  readonly #tokens: Tokens;
  readonly #batchSize: number;
  readonly #blockSize: number;
  readonly #random: Random;
  #fingerprint?: number;

  /** Needs at least `blockSize + 1` tokens, which it does not copy. */
  constructor(
    tokens: Tokens,
    { batchSize, blockSize, random }: RandomCropsOptions,
  ) {
    checkSizes({ batchSize, blockSize });
    checkLength(tokens, blockSize);
    this.#tokens = tokens;
    this.#batchSize = batchSize;
    this.#blockSize = blockSize;
    this.#random = random;
  }

  /** The next batch. */
  next(): Batch {
    const places = this.#tokens.length - this.#blockSize;
    const starts = Array.from(
      { length: this.#batchSize },
      () => this.#random.integer(places),
    );
    return cutBatch(this.#tokens, starts, this.#blockSize);
  }

  /** Where the sampler stands. */
  get state(): RandomCropsState {
    return { ...this.#settings(), random: this.#random.state };
  }

  /** Moves to a saved place; refuses one from other data or settings. */
  set state(state: RandomCropsState) {
    checkSame("random crops", state, this.#settings());
    this.#random.state = state.random;
  }

  #settings(): Omit<RandomCropsState, "random"> {
    return {
      sampler: "random crops",
      tokens: this.#tokens.length,
      fingerprint: this.#fingerprint ??= fingerprint(this.#tokens),
      batchSize: this.#batchSize,
      blockSize: this.#blockSize,
    };
  }
}
