/**
 * Batches of examples of classes, epoch after epoch.
 *
 * @module
 */

import type { Random } from "../random.ts";
import {
  type ClassBatch,
  type ClassExample,
  padExamples,
  type PadOptions,
} from "./class_examples.ts";
import { Epochs, type EpochsState } from "./epochs.ts";
import { checkSame, fingerprint } from "./sampler_state.ts";

/** The size and order of batches. */
export interface ClassBatchesOptions extends PadOptions {
  /** Rows in a batch; the last of an epoch may have fewer. */
  readonly batchSize: number;
  /** Whether rows of like length go together, which saves padding: not. */
  readonly groupByLength?: boolean;
  /** Orders each epoch; the sampler's alone, so `fork()` a shared one. */
  readonly random: Random;
}

/** Where {@linkcode ClassBatches} stand, in which data; fit for JSON. */
export interface ClassBatchesState extends EpochsState {
  /** Which sampler this is. */
  readonly sampler: "class batches";
  /** How many examples there are. */
  readonly examples: number;
  /** A hash of their ids and classes. */
  readonly fingerprint: number;
  /** Rows in a batch. */
  readonly batchSize: number;
  /** Whether rows of like length go together. */
  readonly groupByLength: boolean;
}

/** Goes through all examples, again and again, each epoch in an order of its own. */
export class ClassBatches {
  readonly #examples: readonly ClassExample[];
  readonly #options: ClassBatchesOptions;
  readonly #epochs: Epochs;
  #fingerprint?: number;

  /** Needs one example or more. */
  constructor(examples: readonly ClassExample[], options: ClassBatchesOptions) {
    const { batchSize, groupByLength = false, random } = options;
    if (!(Number.isSafeInteger(batchSize) && batchSize > 0)) {
      throw new RangeError(
        `Cannot make batches: batchSize is ${batchSize}, expected a whole number from 1`,
      );
    }
    if (examples.length === 0) {
      throw new RangeError("Cannot make batches: there are no examples");
    }
    this.#examples = examples;
    this.#options = options;
    const lengths = examples.map(({ ids }) => ids.length);
    this.#epochs = new Epochs(lengths, { batchSize, groupByLength, random });
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
  next(): ClassBatch {
    const rows = this.#epochs.next();
    return padExamples(rows.map((row) => this.#examples[row]), this.#options);
  }

  /** Where the sampler stands. */
  get state(): ClassBatchesState {
    return { ...this.#settings(), ...this.#epochs.state };
  }

  /** Moves to a saved place; refuses one from other data or settings. */
  set state(state: ClassBatchesState) {
    checkSame("class batches", state, this.#settings());
    this.#epochs.state = state;
  }

  #settings(): Omit<ClassBatchesState, keyof EpochsState> {
    const { batchSize, groupByLength = false } = this.#options;
    return {
      sampler: "class batches",
      examples: this.#examples.length,
      fingerprint: this.#fingerprint ??= fingerprintOf(this.#examples),
      batchSize,
      groupByLength,
    };
  }
}

function fingerprintOf(examples: readonly ClassExample[]): number {
  return fingerprint(Uint32Array.from(
    examples.flatMap(({ ids, label }) => [fingerprint(ids), label]),
  ));
}
