/**
 * Instructions and the answers to them, as files have them.
 *
 * @module
 */

import {
  type InstructionExample,
  type InstructionShape,
  readRow,
  shapeOf,
  SHAPES,
} from "./instruction_shapes.ts";

/** What a file of instructions holds. */
export interface InstructionData {
  /** Which columns were recognised, in all rows the same. */
  readonly shape: InstructionShape;
  /** What a row is called where it is numbered: JSONL has lines. */
  readonly unit: "line" | "row";
  /** The rows that have something to learn. */
  readonly examples: readonly InstructionExample[];
  /** The numbers of those that have not: their answers are empty. */
  readonly empty: readonly number[];
  /** Columns that were not read, in order of appearance. */
  readonly ignored: readonly string[];
}

/** How many problems an error names before it only counts them. */
const NAMED = 5;

/**
 * Reads a JSON array of objects, or an object per line (JSONL), in one of these
 * shapes, which is recognised by its columns:
 *
 * | shape                 | columns                                           |
 * | --------------------- | ------------------------------------------------- |
 * | `messages`            | `messages`: a list of `role` and `content`        |
 * | `conversations`       | `conversations`: a list of `from` and `value`     |
 * | `prompt/completion`   | both texts, or both lists of `role` and `content` |
 * | `instruction/output`  | both texts, and `input` where there is more       |
 *
 * Each may have a column `system`, and `tools` beside messages. Rows whose
 * answers are all empty are left out and numbered.
 *
 * ```ts
 * import { parseInstructions } from "@shaderloom/shaderloom";
 * import { assertEquals } from "@std/assert";
 *
 * const file = '[{"instruction": "Add.", "input": "1, 1", "output": "2"}]';
 * const { shape, examples } = parseInstructions(file, "sums.json");
 * assertEquals(shape, "instruction/output");
 * assertEquals(examples[0].messages.at(-1), {
 *   role: "assistant",
 *   content: "2",
 * });
 * ```
 *
 * @throws {SyntaxError} With `source`, and the numbers of the rows and what is
 * wrong with each.
 */
export function parseInstructions(
  text: string,
  source: string,
): InstructionData {
  const { unit, rows, problems } = readRows(text, source);
  const known = rows.find(({ value }) => shapeOf(value) !== undefined);
  if (known === undefined && problems.length === 0) {
    throw new SyntaxError(
      rows.length === 0
        ? `Cannot read ${source}: there are no instructions in it`
        : `Cannot read ${source}: ${unit} ${rows[0].at} has ${
          columnsOf(rows[0].value)
        }, expected ${SHAPES.join(", or ")}`,
    );
  }

  const shape = known && shapeOf(known.value)!;
  const examples: InstructionExample[] = [];
  const empty: number[] = [];
  const ignored = new Set<string>();
  for (const { at, value } of shape ? rows : []) {
    try {
      const { example, unread } = readRow(value, { at, shape: shape! });
      for (const column of unread) ignored.add(column);
      if (example === undefined) empty.push(at);
      else examples.push(example);
    } catch (error) {
      problems.push({ at, problem: (error as Error).message });
    }
  }
  if (problems.length > 0) {
    const list = problemList(unit, problems);
    throw new SyntaxError(`Cannot read ${source}: ${list}`);
  }
  if (examples.length === 0) {
    throw new SyntaxError(
      `Cannot read ${source}: every answer in it is empty`,
    );
  }
  return { shape: shape!, unit, examples, empty, ignored: [...ignored] };
}

/**
 * How many of the held-out examples ask what a learned one asks too, so that they
 * are easier than new ones: what leads to their last answer is the same.
 */
export function repeatedPrompts(
  learned: readonly InstructionExample[],
  heldOut: readonly InstructionExample[],
): number {
  const asked = new Set(learned.map(promptKey));
  return heldOut.filter((example) => asked.has(promptKey(example))).length;
}

function promptKey({ messages }: InstructionExample): string {
  const last = messages.findLastIndex(({ role }) => role === "assistant");
  return JSON.stringify(messages.slice(0, last));
}

/** What is wrong with a row. */
export interface RowProblem {
  /** The row's number, from 1. */
  readonly at: number;
  /** What is wrong with it. */
  readonly problem: string;
}

/** The first problems in words, in the order of their rows, and how many more there are. */
export function problemList(
  unit: string,
  problems: readonly RowProblem[],
): string {
  const sorted = problems.toSorted((a, b) => a.at - b.at);
  const named = sorted.slice(0, NAMED)
    .map(({ at, problem }) => `${unit} ${at}: ${problem}`);
  const more = sorted.length - named.length;
  const rest = more > 0
    ? [`and ${more} more ${more === 1 ? `${unit}` : `${unit}s`}`]
    : [];
  return [...named, ...rest].join("; ");
}

interface Row {
  readonly at: number; // from 1
  readonly value: unknown;
}

interface Rows {
  readonly unit: "line" | "row";
  readonly rows: readonly Row[];
  readonly problems: RowProblem[];
}

function readRows(text: string, source: string): Rows {
  const whole = text.replace(/^\ufeff/, "");
  if (!whole.trimStart().startsWith("[")) return readLines(whole);
  try {
    const values: unknown[] = JSON.parse(whole);
    const rows = values.map((value, i) => ({ at: i + 1, value }));
    return { unit: "row", rows, problems: [] };
  } catch (error) {
    throw new SyntaxError(`Cannot read ${source}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

function readLines(text: string): Rows {
  const rows: Row[] = [];
  const problems: RowProblem[] = [];
  for (const [i, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    try {
      rows.push({ at: i + 1, value: JSON.parse(line) });
    } catch (error) {
      const isFirst = rows.length + problems.length === 0;
      const hint = isFirst ? " (expected a JSON array, or JSONL)" : "";
      problems.push({ at: i + 1, problem: `${reasonOf(error)}${hint}` });
    }
  }
  return { unit: "line", rows, problems };
}

function reasonOf(error: unknown): string {
  return (error as Error).message.replace(/\s+/g, " ");
}

function columnsOf(value: unknown): string {
  const isObject = typeof value === "object" && value !== null &&
    !Array.isArray(value);
  if (!isObject) return `${JSON.stringify(value)?.slice(0, 40)}`;
  const names = Object.keys(value);
  return names.length === 0
    ? "no columns"
    : `the column${names.length === 1 ? "" : "s"} ${names.join(", ")}`;
}
