/**
 * Batches to measure a model on: a sample of a text, or the whole of it.
 *
 * @module
 */

import { Random } from "../random.ts";
import {
  type Batch,
  checkLength,
  checkSizes,
  IGNORE_INDEX,
  type Tokens,
} from "./batch.ts";
import { RandomCrops } from "./random_crops.ts";

/** How large a sample, and which. */
export interface EvaluationOptions {
  /** Rows in a batch. */
  readonly batchSize: number;
  /** Tokens in a row. */
  readonly blockSize: number;
  /** How many batches: nanoGPT's `eval_iters`. */
  readonly count: number;
  /** The same seed takes the same batches. */
  readonly seed: number;
}

/** Cuts `count` batches from random places, the same ones each time. */
export function* evaluationBatches(
  tokens: Tokens,
  { batchSize, blockSize, count, seed }: EvaluationOptions,
): Generator<Batch, void, void> {
  const random = new Random(seed);
  const crops = new RandomCrops(tokens, { batchSize, blockSize, random });
  for (let i = 0; i < count; i++) yield crops.next();
}

/** The size of batches, and how far windows overlap. */
export interface StridedOptions {
  /** Rows in a batch; the last batch may have fewer. */
  readonly batchSize: number;
  /** Tokens in a row. */
  readonly blockSize: number;
  /** New targets in each window but the first. (Default `blockSize`.) */
  readonly stride?: number;
}

/**
 * Goes through a whole text once, in order: every token but the first is the
 * target of exactly one place.
 *
 * A smaller `stride` gives each prediction at least `blockSize - stride`
 * tokens to go by (except near the start), at the price of more windows. The
 * targets that an earlier window had, and those after the end of the text, are
 * {@linkcode IGNORE_INDEX}; inputs after the end are 0.
 *
 * @throws {RangeError} When the text has fewer than two tokens.
 */
export function* stridedBatches(
  tokens: Tokens,
  { batchSize, blockSize, stride = blockSize }: StridedOptions,
): Generator<Batch, void, void> {
  checkSizes({ batchSize, blockSize, stride });
  checkLength(tokens, 1);
  if (stride > blockSize) {
    throw new RangeError(
      `Cannot go through a text with stride ${stride}: blocks of ` +
        `${blockSize} would leave tokens out`,
    );
  }

  const beyond = Math.max(0, tokens.length - 1 - blockSize);
  const windows = 1 + Math.ceil(beyond / stride);
  for (let first = 0; first < windows; first += batchSize) {
    const rows = Math.min(batchSize, windows - first);
    const inputs = new Uint32Array(rows * blockSize);
    const targets = new Uint32Array(rows * blockSize).fill(IGNORE_INDEX);
    for (let row = 0; row < rows; row++) {
      const start = (first + row) * stride;
      const seen = start === 0 ? 0 : blockSize - stride;
      const block = tokens.subarray(start, start + blockSize);
      const fresh = tokens.subarray(start + 1 + seen, start + 1 + blockSize);
      inputs.set(block, row * blockSize);
      targets.set(fresh, row * blockSize + seen);
    }
    yield { inputs, targets, shape: [rows, blockSize] };
  }
}
