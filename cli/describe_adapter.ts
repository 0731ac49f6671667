/**
 * What does the work, in words.
 *
 * @module
 */

import type { Device } from "../lib/gpu/device.ts";

/** The adapter's name, and a warning if it is software. */
export function describeAdapter({ adapter }: Device): string {
  return adapter.software
    ? `adapter: ${adapter.name} (software: correct but slow; no GPU answered)`
    : `adapter: ${adapter.name}`;
}
