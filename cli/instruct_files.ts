/**
 * Files of instructions, their rows on the way to ids, and which of them are lost
 * there.
 *
 * @module
 */

import { readCorpus } from "../lib/data/corpus.ts";
import type { InstructionExample } from "../lib/data/instruction_shapes.ts";
import {
  type InstructionData,
  parseInstructions,
} from "../lib/data/instructions.ts";
import {
  type EncodedInstructions,
  type EncodeInstructionsOptions,
  encodeRows,
  requireLearned,
} from "../lib/train/instructions.ts";

/** A file of instructions. */
export interface InstructionFile extends InstructionData {
  readonly name: string;
}

/** An example, and the file that it is of. */
export interface FiledExample extends InstructionExample {
  readonly file: InstructionFile;
}

/** Rows of a file, by number. */
export interface FileRows {
  readonly file: InstructionFile;
  readonly rows: readonly number[];
}

/** Reads files, each of a shape of its own. */
export async function readInstructions(
  names: readonly string[],
): Promise<InstructionFile[]> {
  const documents = await readCorpus(names);
  return documents.map(({ text, name }) => ({
    name,
    ...parseInstructions(text, name),
  }));
}

/** All examples of files. */
export function examplesOf(files: readonly InstructionFile[]): FiledExample[] {
  return files.flatMap((file) =>
    file.examples.map((example) => ({ ...example, file }))
  );
}

/** Examples as ids, and what became of those that were too long. */
export interface EncodedFiles
  extends Omit<EncodedInstructions, "truncated" | "dropped" | "divided"> {
  readonly truncated: readonly FileRows[];
  readonly dropped: readonly FileRows[];
  readonly divided: readonly FileRows[];
}

/** Encodes examples of several files. Throws where nothing is left to learn. */
export function encodeFiles(
  examples: readonly FiledExample[],
  options: EncodeInstructionsOptions,
): EncodedFiles {
  const files = [...Map.groupBy(examples, ({ file }) => file)];
  const encoded = files.map(([file, examples]) => ({
    file,
    ...encodeRows({ examples, unit: file.unit }, options),
  }));
  const rowsOf = (what: "truncated" | "dropped" | "divided") =>
    encoded.map(({ file, [what]: rows }) => ({ file, rows }));
  const sum = (what: "tokens" | "targets") =>
    encoded.reduce((total, { [what]: count }) => total + count, 0);
  const whole = {
    sequences: encoded.flatMap(({ sequences }) => sequences),
    longest: Math.max(0, ...encoded.map(({ longest }) => longest)),
    tokens: sum("tokens"),
    targets: sum("targets"),
  };
  const { blockSize } = options;
  requireLearned(whole, { examples: examples.length, blockSize });
  return {
    ...whole,
    truncated: rowsOf("truncated"),
    dropped: rowsOf("dropped"),
    divided: rowsOf("divided"),
  };
}

/** A warning about rows, none if there are none. */
export function lostRows(lost: readonly FileRows[], what: string): string[] {
  const some = lost.filter(({ rows }) => rows.length > 0);
  const count = some.reduce((sum, { rows }) => sum + rows.length, 0);
  if (count === 0) return [];
  const named = some.map(({ file: { name, unit }, rows }) => {
    const more = rows.length - NAMED;
    return `${name}: ${unit} ${rows.slice(0, NAMED).join(", ")}${
      more > 0 ? ` and ${more} more` : ""
    }`;
  });
  return [`${what}: ${count} (${named.join("; ")})`];
}

const NAMED = 10;
