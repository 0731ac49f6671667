/**
 * What every model checks at its door.
 *
 * @module
 */

import { expectStarts } from "../lib/ops/attention.ts";
import type { Tensor } from "../lib/tensor/tensor.ts";
import type { Pass } from "./pass.ts";

/**
 * Fails unless a model that reads `blockSize` positions can read these ids: u32
 * `[B, T]`, after what a cache holds, or as documents that begin at `starts`.
 */
export function expectIds(
  ids: Tensor,
  blockSize: number,
  { cache, starts }: Pass,
): void {
  const start = cache?.length ?? 0;
  if (ids.shape.length !== 2 || start + ids.shape[1] > blockSize) {
    throw new RangeError(
      `Cannot read ids [${ids.shape}] after ${start} others: expected [B, T] within a block of ${blockSize}`,
    );
  }
  if (!starts) return;
  expectStarts(starts, ids.shape);
  if (cache) {
    throw new TypeError(
      `Cannot read documents side by side [${ids.shape}] into a cache: it continues one text a row`,
    );
  }
}
