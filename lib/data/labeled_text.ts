/**
 * Texts with a label, from the columns of a table.
 *
 * @module
 */

import { listed } from "./listed.ts";
import type { Table } from "./table.ts";

/** A text and what it is. */
export interface LabeledText {
  /** The text, never empty. */
  readonly text: string;
  /** Its label, never empty. */
  readonly label: string;
  /** The line of its table. */
  readonly line: number;
}

/** Where in a table texts and labels are. */
export interface LabeledColumns {
  /** The column of the texts: its name, or its number from 1. */
  readonly text?: string;
  /** The column of the labels, likewise. */
  readonly label?: string;
  /**
   * Whether the first row names the columns. (Default: whether it has the names
   * that were asked for, or ones in common use.) JSON lines always name them.
   */
  readonly header?: boolean;
}

/** The labeled texts of a table, and where they were. */
export interface LabeledTexts {
  /** In the order of the table. */
  readonly examples: readonly LabeledText[];
  /** The column of the texts: its name, or its number from 1. */
  readonly textColumn: string;
  /** The column of the labels, likewise. */
  readonly labelColumn: string;
}

/** Names under which published tables keep them, in lower case. */
const TEXT_NAMES = ["text", "message", "sentence", "content", "review", "sms"];
const LABEL_NAMES = ["label", "labels", "class", "category", "target"];

/**
 * Takes texts and labels from a table. Columns not said are those of a name in
 * common use, such as `text` and `label`; of two columns without names, the
 * labels are the one with fewer values.
 *
 * ```ts
 * import { labeledTexts, parseTable } from "@shaderloom/shaderloom";
 * import { assertEquals } from "@std/assert";
 *
 * const table = parseTable("label,text\nham,See you at 8\n", "sms.csv");
 * const { examples } = labeledTexts(table);
 * assertEquals(examples, [{ text: "See you at 8", label: "ham", line: 2 }]);
 * ```
 *
 * @throws {SyntaxError} Naming the lines where a text or a label is missing.
 * @throws {RangeError} When there is no such column, or it is not clear which.
 */
export function labeledTexts(
  table: Table,
  columns: LabeledColumns = {},
): LabeledTexts {
  const { names, rows } = withNames(table, columns);
  const width = table.rows[0].cells.length;
  const known = (name: string | undefined, usual: readonly string[]) =>
    columnOf(table, { names, width, name, usual });
  let label = known(columns.label, LABEL_NAMES);
  let text = known(columns.text, TEXT_NAMES);
  if (width === 2) {
    if (label === undefined && text === undefined) {
      label = Number(valuesIn(rows, 1) < valuesIn(rows, 0));
    }
    label ??= 1 - text!;
    text ??= 1 - label;
  }
  const unclear = [
    ...text === undefined ? ["texts"] : [],
    ...label === undefined ? ["labels"] : [],
  ];
  if (label === undefined || text === undefined) {
    throw new RangeError(
      `Cannot read ${table.source}: which column has the ${
        unclear.join(", which the ")
      }? ${described(names, width)}`,
    );
  }
  if (label === text) {
    throw new RangeError(
      `Cannot read ${table.source}: column ${
        text + 1
      } cannot be both the text and the label`,
    );
  }
  const examples = rows.map(({ line, cells }) => ({
    text: cells[text],
    label: cells[label]?.trim(),
    line,
  }));
  const problems = examples.flatMap(({ text, label, line }) => [
    ...text?.trim() ? [] : [`line ${line} has no text`],
    ...label ? [] : [`line ${line} has no label`],
  ]);
  const nameOf = (column: number) => names?.[column] ?? `${column + 1}`;
  if (problems.length > 0) {
    throw new SyntaxError(
      `Cannot read ${table.source}: ${listed(problems)} (text is column ${
        nameOf(text)
      }, label column ${nameOf(label)})`,
    );
  }
  return {
    examples: examples as LabeledText[],
    textColumn: nameOf(text),
    labelColumn: nameOf(label),
  };
}

/**
 * The texts of a table that need no label, with their lines: those of the column
 * named, of one in common use, or of the only one.
 *
 * @throws {SyntaxError} Naming the lines where there is none.
 * @throws {RangeError} When there is no such column, or it is not clear which.
 */
export function textsOf(
  table: Table,
  columns: Omit<LabeledColumns, "label"> = {},
): readonly { readonly text: string; readonly line: number }[] {
  const { names, rows } = withNames(table, columns);
  const width = table.rows[0].cells.length;
  const named = { names, width, name: columns.text, usual: TEXT_NAMES };
  const column = columnOf(table, named) ?? (width === 1 ? 0 : undefined);
  if (column === undefined) {
    throw new RangeError(
      `Cannot read ${table.source}: which column has the texts? ${
        described(names, width)
      }`,
    );
  }
  const texts = rows.map(({ line, cells }) => ({ text: cells[column], line }));
  const problems = texts
    .filter(({ text }) => !text?.trim())
    .map(({ line }) => `line ${line} has no text`);
  if (problems.length === 0) return texts as { text: string; line: number }[];
  throw new SyntaxError(`Cannot read ${table.source}: ${listed(problems)}`);
}

type Rows = Table["rows"];

/** The names of the columns, if they have any, and the rows below them. */
function withNames(
  { names, rows, source }: Table,
  { text, label, header }: LabeledColumns,
): { names: readonly string[] | null; rows: Rows } {
  if (names) return { names, rows };
  const first = rows[0].cells.map((cell) => cell!.trim());
  const lower = first.map((cell) => cell.toLowerCase());
  const asked = [text, label].filter((name) => name && !isNumber(name));
  const isNamed = asked.some((name) => first.includes(name!)) ||
    [TEXT_NAMES, LABEL_NAMES].every((usual) =>
      usual.some((name) => lower.includes(name))
    ) ||
    lower.length === 1 && TEXT_NAMES.includes(lower[0]);
  if (!(header ?? isNamed)) return { names: null, rows };
  if (rows.length > 1) return { names: first, rows: rows.slice(1) };
  throw new SyntaxError(
    `Cannot read ${source}: there are no rows below its header`,
  );
}

/** The column of a name or number, or of a usual name; none if there is none. */
function columnOf(
  { source }: Table,
  { names, width, name, usual }: {
    readonly names: readonly string[] | null;
    readonly width: number;
    readonly name: string | undefined;
    readonly usual: readonly string[];
  },
): number | undefined {
  const refuse = (why: string) =>
    new RangeError(
      `Cannot read ${source}: there ${why}. ${described(names, width)}`,
    );
  if (name === undefined) {
    const lower = names?.map((name) => name.toLowerCase()) ?? [];
    const [first] = usual.filter((name) => lower.includes(name));
    return first === undefined ? undefined : lower.indexOf(first);
  }
  const found = names?.indexOf(name) ?? -1;
  if (found >= 0) {
    if (names!.lastIndexOf(name) === found) return found;
    throw refuse(`are several columns "${name}"; give its number`);
  }
  const number = isNumber(name) ? Number(name) : 0;
  if (number >= 1 && number <= width) return number - 1;
  throw refuse(`is no column "${name}"`);
}

function isNumber(name: string): boolean {
  return /^\d+$/.test(name);
}

function described(names: readonly string[] | null, width: number): string {
  return names
    ? `Its columns are ${names.map((name) => `"${name}"`).join(", ")}`
    : `It has ${width} columns without names, numbered from 1`;
}

function valuesIn(rows: Rows, column: number): number {
  return new Set(rows.map(({ cells }) => cells[column])).size;
}
