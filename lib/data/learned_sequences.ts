/**
 * Texts of which a part is learned, as rows of a batch.
 *
 * @module
 */

import { type Batch, IGNORE_INDEX } from "./batch.ts";

/** A text as ids, and which of them a model is to learn to write. */
export interface LearnedSequence {
  /** The ids. `[length]` */
  readonly ids: Uint32Array;
  /** 1 where the id is to be learned, 0 where it is only read. `[length]` */
  readonly learned: Uint8Array;
}

/** How rows are filled up. */
export interface PaddingOptions {
  /** Tokens in a row, none of whose sequences may be longer. */
  readonly time: number;
  /** The id after the end of a text, which no target is. */
  readonly padId: number;
}

/** The places a sequence takes in a row: its last id is only a target. */
export function placesOf({ ids }: LearnedSequence): number {
  return ids.length - 1;
}

/** How many targets a sequence has: its learned ids, but for the first. */
export function targetsOf({ learned }: LearnedSequence): number {
  return learned.subarray(1).reduce((sum, one) => sum + one, 0);
}

/**
 * A batch with a row for each sequence. Targets that are not learned, and those
 * of padding, are {@linkcode IGNORE_INDEX}: the last target of a text that ends
 * with an end-of-text is that token, and what pads it is not learned.
 *
 * @throws {RangeError} On a sequence longer than a row, or one with nothing to learn.
 */
export function padSequences(
  sequences: readonly LearnedSequence[],
  options: PaddingOptions,
): Batch {
  return layOut(sequences.map((sequence) => [sequence]), options);
}

/**
 * A batch whose rows each hold several sequences, one after another, with
 * `starts` so that none is seen from another.
 *
 * @throws {RangeError} As {@linkcode padSequences} does.
 */
export function packSequences(
  rows: readonly (readonly LearnedSequence[])[],
  options: PaddingOptions,
): Batch {
  const { time } = options;
  const batch = layOut(rows, options);
  const starts = new Uint32Array(batch.inputs.length);
  rows.forEach((sequences, row) => {
    let start = 0;
    for (const sequence of sequences) {
      const end = start + placesOf(sequence);
      starts.fill(start, row * time + start, row * time + end);
      start = end;
    }
    starts.fill(start, row * time + start, (row + 1) * time); // the padding
  });
  return { ...batch, starts };
}

function layOut(
  rows: readonly (readonly LearnedSequence[])[],
  { time, padId }: PaddingOptions,
): Batch {
  const inputs = new Uint32Array(rows.length * time).fill(padId);
  const targets = new Uint32Array(rows.length * time).fill(IGNORE_INDEX);
  const lengths = new Uint32Array(rows.length);
  rows.forEach((sequences, row) => {
    let at = row * time;
    for (const sequence of sequences) {
      const { ids, learned } = sequence;
      const places = placesOf(sequence);
      if (at + places > (row + 1) * time) {
        throw new RangeError(
          `Cannot fill a row of ${time} tokens: its sequences need ${
            at - row * time + places
          }`,
        );
      }
      if (targetsOf(sequence) === 0) {
        throw new RangeError(
          `Cannot make a batch: a sequence of ${ids.length} tokens has nothing to learn`,
        );
      }
      inputs.set(ids.subarray(0, places), at);
      for (let i = 1; i <= places; i++) {
        if (learned[i] === 1) targets[at + i - 1] = ids[i];
      }
      at += places;
      lengths[row] += places;
    }
  });
  return { inputs, targets, shape: [rows.length, time], lengths };
}
