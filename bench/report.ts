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
}

/** Prints to stdout: JSON lines, or a table with a heading above each group. */
export function reporter(json: boolean): Report {
  if (json) return (row) => console.log(JSON.stringify(row));
  let heading = "";
  return (row) => {
    const names = Object.keys(row);
    if (names.join() !== heading) {
      if (heading !== "") console.log();
      console.log(line(names));
    }
    heading = names.join();
    console.log(line(Object.values(row).map(format)));
  };
}

/** Whether a name is among those asked for. */
export function wanted(name: string, filters: readonly string[]): boolean {
  return filters.length === 0 ||
    filters.some((filter) => name.includes(filter));
}

function line([first, ...rest]: readonly string[]): string {
  return [first.padEnd(42), ...rest.map((text) => text.padStart(12))].join(" ")
    .trimEnd();
}

function format(value: string | number): string {
  if (typeof value === "string") return value;
  if (Number.isInteger(value)) return value.toLocaleString("en-US");
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
