/**
 * Results, as a table for people or as JSON lines for programs.
 *
 * @module
 */

/** One result: what it is of, then its figures. */
export type Row = Readonly<Record<string, string | number>>;

/** Prints results as they come. */
export type Report = (row: Row) => void;

/** What a benchmark is given. */
export interface BenchOptions {
  /** Takes each result. */
  readonly report: Report;
  /** Only what has one of these in its name; everything if there are none. */
  readonly filters: readonly string[];
  /** Whether to see only that it runs, on something tiny. */
  readonly quick?: boolean;
  /** Whether to try what is fastest: off, auto or force. */
  readonly tune?: string;
}

/**
 * Prints to stdout: JSON lines that name the benchmark, or a table with a heading
 * above each group.
 */
export function reporter(bench: string, json: boolean): Report {
  if (json) return (row) => console.log(JSON.stringify({ bench, ...row }));
  let heading = "";
  return (row) => {
    const names = Object.keys(row);
    const values = Object.values(row);
    const widths = values.map((value, column) =>
      column === 0 ? -42 : typeof value === "string" ? -24 : 14
    );
    if (names.join() !== heading) {
      if (heading !== "") console.log();
      console.log(line(names, widths));
    }
    heading = names.join();
    console.log(line(values.map(format), widths));
  };
}

/** Whether a name is among those asked for. */
export function wanted(name: string, filters: readonly string[]): boolean {
  return filters.length === 0 ||
    filters.some((filter) => name.includes(filter));
}

/** The middle one of some numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}

/** Cells side by side; those of a negative width begin at its left. */
function line(cells: readonly string[], widths: readonly number[]): string {
  return cells.map((cell, column) =>
    widths[column] < 0
      ? cell.padEnd(-widths[column])
      : cell.padStart(widths[column])
  ).join(" ").trimEnd();
}

function format(value: string | number): string {
  if (typeof value === "string") return value;
  if (Number.isInteger(value)) return value.toLocaleString("en-US");
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
