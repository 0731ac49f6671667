/**
 * How samplers know, when resumed, that the data are the same.
 *
 * @module
 */

import type { Tokens } from "./batch.ts";

/** Tells texts apart: a 32-bit hash of all ids. (FNV-1a, by words.) */
export function fingerprint(tokens: Tokens): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < tokens.length; i++) {
    hash = Math.imul(hash ^ tokens[i], 0x01000193);
  }
  return hash >>> 0;
}

/** Demands that a saved state was made with the same settings and data. */
export function checkSame<T extends object>(
  sampler: string,
  saved: T,
  own: Partial<T>,
): void {
  const refuse = (why: string) =>
    new RangeError(`Cannot restore ${sampler}: ${why}`);
  if (typeof saved !== "object" || saved === null) {
    throw refuse(`expected a saved state, got ${JSON.stringify(saved)}`);
  }
  const different: string[] = [];
  for (const key of Object.keys(own) as (keyof T & string)[]) {
    if (saved[key] === own[key]) continue;
    const was = JSON.stringify(saved[key]) ?? "missing";
    different.push(`${key} was ${was} and is ${JSON.stringify(own[key])}`);
  }
  if (different.length > 0) throw refuse(different.join(", "));
}
