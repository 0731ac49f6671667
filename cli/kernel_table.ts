/**
 * A profile as a table to read.
 *
 * @module
 */

import { kernelTotals } from "../lib/gpu/kernel_totals.ts";
import type { Profile } from "../lib/gpu/profiler.ts";
import type { Roofline } from "../lib/gpu/roofline.ts";

const HEADINGS = ["calls", "ms", "share", "GB/s", "GFLOP/s", "roofline"];

/** What every kernel took, the hardware's limits, and what the host did. */
export function kernelTable(
  { slices, spans }: Profile,
  roofline: Roofline,
): string[] {
  const totals = kernelTotals(slices, roofline);
  const inferred = totals.some(({ exact }) => !exact);
  const rows = totals.map(
    ({ label, calls, seconds, share, bytes, exact, flops, roofline }) => [
      label,
      `${calls}`,
      figure(1e3 * seconds),
      percent(share),
      `${exact ? "" : "~"}${figure(bytes / 1e9)}`,
      flops === null ? "" : figure(flops / 1e9),
      percent(roofline),
    ],
  );
  const seconds = totals.reduce((sum, { seconds }) => sum + seconds, 0);
  rows.push(["all", `${slices.length}`, figure(1e3 * seconds), percent(1)]);
  const encoding = spans.filter(({ name }) => name === "encode")
    .reduce((sum, { duration }) => sum + duration, 0);
  return [
    ...aligned([["kernel", ...HEADINGS], ...rows]),
    `roofline: ${figure(roofline.flops / 1e9)} GFLOP/s in f32, ${
      figure(roofline.bytes / 1e9)
    } GB/s, as measured here`,
    ...inferred ? ["~ counts all bytes bound, which may be too many"] : [],
    `host: ${
      (encoding / slices.length).toFixed(1)
    } us to record a dispatch, each in a pass of its own`,
  ];
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0))
  );
  return rows.map((row) =>
    row.map((text, column) =>
      column === 0
        ? text.padEnd(widths[column])
        : text.padStart(widths[column] + 2)
    ).join("").trimEnd()
  );
}

function figure(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString("en-US");
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
