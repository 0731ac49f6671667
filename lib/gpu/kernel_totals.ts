/**
 * What a profile says of each kernel.
 *
 * @module
 */

import type { Slice } from "./profiler.ts";
import type { Roofline } from "./roofline.ts";

/** All runs of one kernel together. */
export interface KernelTotal {
  /** `kernel.entry`. */
  readonly label: string;
  /** How often it ran. */
  readonly calls: number;
  /** Seconds on the GPU. */
  readonly seconds: number;
  /** Its part of the time of all kernels. */
  readonly share: number;
  /** Additions and multiplications in a second; null if their number is not known. */
  readonly flops: number | null;
  /** Bytes in a second. */
  readonly bytes: number;
  /** Whether the bytes are those it must move, or all that it binds. */
  readonly exact: boolean;
  /** The time that the roofline allows, as a share of the time taken. */
  readonly roofline: number;
}

/** Totals by kernel, the one that took longest first. */
export function kernelTotals(
  slices: readonly Slice[],
  roofline: Roofline,
): KernelTotal[] {
  const all = slices.reduce((sum, { duration }) => sum + duration, 0);
  return [...Map.groupBy(slices, ({ label }) => label)]
    .map(([label, runs]): KernelTotal => {
      const seconds = sum(runs, ({ duration }) => duration) / 1e6;
      const flops = sum(runs, ({ flops }) => flops ?? 0);
      const bytes = sum(runs, ({ bytes, bound }) => bytes ?? bound);
      const least = sum(
        runs,
        (run) =>
          Math.max(
            (run.flops ?? 0) / roofline.flops,
            (run.bytes ?? run.bound) / roofline.bytes,
          ),
      );
      return {
        label,
        calls: runs.length,
        seconds,
        share: all > 0 ? 1e6 * seconds / all : 0,
        flops: runs.every(({ flops }) => flops === undefined)
          ? null
          : flops / seconds,
        bytes: bytes / seconds,
        exact: runs.every(({ bytes }) => bytes !== undefined),
        roofline: least / seconds,
      };
    })
    .toSorted((a, b) => b.seconds - a.seconds);
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
