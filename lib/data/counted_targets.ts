/**
 * Which targets of a batch count, so that nothing is spent on the others.
 *
 * @module
 */

import { IGNORE_INDEX } from "./batch.ts";

const AT_ONCE = 128; // few lengths, so that batches meet the memory of others

/**
 * The places of the targets that are not {@linkcode IGNORE_INDEX}, in order,
 * filled up to a multiple of 128 with places that are not there; or null where
 * naming them would save nothing, or none counts.
 */
export function countedPlaces(
  targets: Uint32Array,
): Uint32Array<ArrayBuffer> | null {
  let counted = 0;
  for (const target of targets) if (target !== IGNORE_INDEX) counted++;
  const length = Math.ceil(counted / AT_ONCE) * AT_ONCE;
  if (counted === 0 || length >= targets.length) return null;
  const places = new Uint32Array(length).fill(targets.length);
  let next = 0;
  for (const [place, target] of targets.entries()) {
    if (target !== IGNORE_INDEX) places[next++] = place;
  }
  return places;
}
