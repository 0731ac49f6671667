/**
 * Tables: CSV, TSV and JSON lines, as rows that know their line.
 *
 * @module
 */

// @ts-types="./csv.d.ts"
import { parse } from "npm:deno-std@1.4.0/csv/parse.js";
import { listed } from "./listed.ts";

/** How a table is written. */
export type TableFormat = "csv" | "tsv" | "jsonl";

/** A row of a table. */
export interface TableRow {
  /** The line it begins in, from 1. */
  readonly line: number;
  /**
   * Its cells, one per column. A number, `true` or `false` of JSON is its text;
   * what a row of JSON does not have, and lists and objects, are `undefined`.
   */
  readonly cells: readonly (string | undefined)[];
}

/** A table as it was written: a header of CSV is its first row. */
export interface Table {
  /** Where it came from, for messages. */
  readonly source: string;
  /** The names of the columns of JSON lines; `null` for CSV and TSV. */
  readonly names: readonly string[] | null;
  /** Its rows, at least one, with as many cells each. */
  readonly rows: readonly TableRow[];
}

/** How to read a table. */
export interface TableOptions {
  /** How it is written. (Default: as the ending of its name says.) */
  readonly format?: TableFormat;
  /**
   * Whether a cell may stand in quotes, and then hold separators, line ends, and
   * quotes written twice. (Default: in CSV, as RFC 4180 has it, and not in TSV,
   * where quotes are part of the text.)
   */
  readonly quotes?: boolean;
}

/**
 * Reads a table. Empty lines are passed over, a byte order mark is dropped, and
 * lines may end in LF or CRLF; in a quoted cell both are read as LF.
 *
 * ```ts
 * import { parseTable } from "@shaderloom/shaderloom";
 * import { assertEquals } from "@std/assert";
 *
 * const { rows } = parseTable('spam,"Call, ""now""!"\nham,ok\n', "sms.csv");
 * assertEquals(rows[0].cells, ["spam", 'Call, "now"!']);
 * assertEquals(rows[1].line, 2);
 * ```
 *
 * @throws {SyntaxError} Naming `source`, and line by line what is wrong.
 */
export function parseTable(
  text: string,
  source: string,
  { format = formatOf(source), quotes = format === "csv" }: TableOptions = {},
): Table {
  const lines = text.replace(/^\ufeff/, "").split(/\r?\n/);
  const table = format === "jsonl"
    ? parseJsonLines(lines, source)
    : parseCells(lines, source, format === "csv" ? "," : "\t", quotes);
  if (table.rows.length > 0) return table;
  throw new SyntaxError(`Cannot read ${source}: there are no rows in it`);
}

const ENDINGS: readonly (readonly [RegExp, TableFormat])[] = [
  [/\.csv$/i, "csv"],
  [/\.(tsv|tab)$/i, "tsv"],
  [/\.(jsonl|ndjson)$/i, "jsonl"],
];

/**
 * How a table of this name is written. Throws a `RangeError` for a name that
 * does not say.
 */
export function formatOf(name: string): TableFormat {
  const found = ENDINGS.find(([ending]) => ending.test(name));
  if (found) return found[1];
  throw new RangeError(
    `Cannot read ${name}: expected a name that ends in .csv, .tsv or .jsonl`,
  );
}

function parseCells(
  lines: readonly string[],
  source: string,
  separator: string,
  quotes: boolean,
): Table {
  const rows: TableRow[] = [];
  const problems: string[] = [];
  for (const { line, text } of records(lines, separator, quotes)) {
    if (text === "") continue;
    try {
      const cells = quotes ? cellsOf(text, separator) : text.split(separator);
      const [first] = rows;
      if (first && cells.length !== first.cells.length) {
        problems.push(
          `line ${line} has ${cells.length} columns, line ${first.line} ${first.cells.length}`,
        );
      } else rows.push({ line, cells });
    } catch (error) {
      problems.push(`line ${line}: ${(error as Error).message}`);
    }
  }
  if (problems.length === 0) return { source, names: null, rows };
  throw new SyntaxError(`Cannot read ${source}: ${listed(problems)}`);
}

/** The lines of each row, joined where a quoted cell goes on in the next. */
function* records(
  lines: readonly string[],
  separator: string,
  quotes: boolean,
): Generator<{ readonly line: number; readonly text: string }> {
  const inside = '[^"]*(?:""[^"]*)*'; // of a quoted cell
  const begins =
    `(?:(?:[^"${separator}][^${separator}]*)?${separator}|"${inside}"${separator})*"${inside}$`;
  const opens = new RegExp(`^${begins}`);
  const staysOpen = new RegExp(`^${inside}(?:"${separator}${begins}|$)`);
  for (let at = 0; at < lines.length; at++) {
    const line = at + 1;
    const parts = [lines[at]];
    let isOpen = quotes && opens.test(lines[at]);
    while (isOpen && at + 1 < lines.length) {
      parts.push(lines[++at]);
      isOpen = staysOpen.test(lines[at]);
    }
    yield { line, text: parts.join("\n") };
  }
}

/** Of one row. A quote inside a cell that does not begin with one is itself. */
function cellsOf(record: string, separator: string): string[] {
  const isQuoted = record.startsWith('"') || record.includes(`${separator}"`);
  try {
    return parse(record, { separator, lazyQuotes: !isQuoted })[0];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SyntaxError(
      'a cell in quotes is not closed, or holds a quote that is not doubled ("")',
      { cause: error },
    );
  }
}

function parseJsonLines(lines: readonly string[], source: string): Table {
  const objects: { line: number; object: Record<string, unknown> }[] = [];
  const problems: string[] = [];
  for (const [at, text] of lines.entries()) {
    if (text.trim() === "") continue;
    try {
      const object = JSON.parse(text);
      const isObject = typeof object === "object" && object !== null &&
        !Array.isArray(object);
      if (!isObject) throw new SyntaxError("expected an object");
      objects.push({ line: at + 1, object });
    } catch (error) {
      const reason = (error as Error).message.replace(/\s*\n\s*/g, " ");
      problems.push(`line ${at + 1}: ${reason}`);
    }
  }
  if (problems.length > 0) {
    throw new SyntaxError(`Cannot read ${source}: ${listed(problems)}`);
  }
  const names = [
    ...new Set(objects.flatMap(({ object }) => Object.keys(object))),
  ];
  const rows = objects.map(({ line, object }) => ({
    line,
    cells: names.map((name) =>
      Object.hasOwn(object, name) ? cellOf(object[name]) : undefined
    ),
  }));
  return { source, names, rows };
}

function cellOf(value: unknown): string | undefined {
  return ["string", "number", "boolean"].includes(typeof value)
    ? String(value)
    : undefined;
}
