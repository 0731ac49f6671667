/**
 * Text to learn from, and text to be examined on.
 *
 * @module
 */

import type { Tokens } from "./batch.ts";

/** How to divide a text or its tokens. */
export interface SplitOptions {
  /** The part at the end that is for validation. (Default 0.1.) */
  readonly validation?: number;
  /** Demand a block of so many and one more on each side. (Default 0.) */
  readonly blockSize?: number;
}

/** The two sides of a split. */
export interface Split<T> {
  /** The beginning. */
  readonly train: T;
  /** The rest. */
  readonly validation: T;
}

/**
 * Divides a text, or an array of tokens, into a beginning to train on and an
 * end to validate on, as nanoGPT does.
 *
 * Text is measured in UTF-16 units and never divided inside a character;
 * arrays are not copied.
 *
 * ```ts
 * import { splitData } from "@shaderloom/shaderloom";
 * import { assertEquals } from "@std/assert";
 *
 * const { train, validation } = splitData("0123456789");
 * assertEquals([train, validation], ["012345678", "9"]);
 * ```
 *
 * @throws {RangeError} When a side is too short.
 */
export function splitData<T extends string | Tokens>(
  data: T,
  { validation = 0.1, blockSize = 0 }: SplitOptions = {},
): Split<T> {
  if (!(validation > 0 && validation < 1)) {
    throw new RangeError(
      `Cannot split off a part of ${validation} for validation: expected ` +
        `more than 0 and less than 1`,
    );
  }
  const { length } = data;
  let cut = Math.floor(length * (1 - validation));
  if (typeof data === "string" && insideCharacter(data, cut)) cut--;

  const needed = blockSize + 1;
  if (cut < needed || length - cut < needed) {
    const unit = typeof data === "string" ? "characters" : "tokens";
    throw new RangeError(
      `Cannot split ${length} ${unit} into ${cut} to train on and ` +
        `${length - cut} to validate on: each side needs ${needed}; use more ` +
        (blockSize > 0 ? "text or a smaller block size" : "text"),
    );
  }
  return {
    train: part(data, 0, cut),
    validation: part(data, cut, length),
  };
}

function part<T extends string | Tokens>(data: T, from: number, to: number): T {
  const cut = typeof data === "string"
    ? data.slice(from, to)
    : data.subarray(from, to);
  return cut as T;
}

/** Whether `at` lies between the two halves of a surrogate pair. */
function insideCharacter(text: string, at: number): boolean {
  return at > 0 && /^[\ud800-\udbff][\udc00-\udfff]$/.test(
    text.slice(at - 1, at + 1),
  );
}
