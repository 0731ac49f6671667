/**
 * What a training step reads: token ids and the ids that follow them.
 *
 * @module
 */

/** A text as token ids, two or four bytes each. */
export type Tokens = Uint16Array | Uint32Array;

/** Token ids and the ids that follow them, `rows` of `time` each. */
export interface Batch {
  /** The ids that are read. `[rows, time]` */
  readonly inputs: Uint32Array<ArrayBuffer>;
  /** The id that follows each of them. `[rows, time]` */
  readonly targets: Uint32Array<ArrayBuffer>;
  /** The shape of both. */
  readonly shape: readonly [rows: number, time: number];
  /**
   * Where documents lie side by side in a row: the place in it at which that of
   * each token begins. `[rows, time]`; without it, a row is one document.
   */
  readonly starts?: Uint32Array<ArrayBuffer>;
  /** How many ids of each row are no padding. `[rows]`; without it, all. */
  readonly lengths?: Uint32Array<ArrayBuffer>;
}

/** A batch of zeros. */
export function blankBatch(rows: number, time: number): Batch {
  const ids = () => new Uint32Array(rows * time);
  return { inputs: ids(), targets: ids(), shape: [rows, time] };
}

/** A target that does not count: PyTorch's -100, as an unsigned number. */
export const IGNORE_INDEX = 4294967196;

/** Rows of `time` tokens that begin at `starts`, with what follows each. */
export function cutBatch(
  tokens: Tokens,
  starts: ArrayLike<number>,
  time: number,
): Batch {
  const rows = starts.length;
  const inputs = new Uint32Array(rows * time);
  const targets = new Uint32Array(rows * time);
  for (let row = 0; row < rows; row++) {
    const start = starts[row];
    inputs.set(tokens.subarray(start, start + time), row * time);
    targets.set(tokens.subarray(start + 1, start + 1 + time), row * time);
  }
  return { inputs, targets, shape: [rows, time] };
}

/** Demands whole numbers from 1. */
export function checkSizes(sizes: Readonly<Record<string, number>>): void {
  for (const [name, size] of Object.entries(sizes)) {
    if (!Number.isSafeInteger(size) || size < 1) {
      throw new RangeError(
        `Cannot cut batches: ${name} is ${size}, expected a whole number ` +
          `from 1`,
      );
    }
  }
}

/** Demands that a block and the token after it fit the text. */
export function checkLength(tokens: Tokens, blockSize: number): void {
  if (tokens.length < blockSize + 1) {
    throw new RangeError(
      `Cannot cut blocks of ${blockSize} tokens from ${tokens.length}: ` +
        `${blockSize + 1} are needed; use more text or a smaller block size`,
    );
  }
}
