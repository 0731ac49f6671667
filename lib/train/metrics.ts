/**
 * `metrics.jsonl`: what was measured during a run, a JSON object a line.
 *
 * @module
 */

import { fileError, isMissing } from "../io/file_error.ts";

/** What a training step came to. */
export interface TrainingRow {
  /** Updates done, this one included. */
  readonly step: number;
  /** Mean cross-entropy of the step's tokens, in nats. */
  readonly loss: number;
  /** The step's learning rate. */
  readonly learning_rate: number;
  /** Euclidean norm of all gradients before clipping. */
  readonly grad_norm: number;
  /** Tokens trained on in a second since the row before. */
  readonly tokens_per_second: number;
  /** Seconds since the run began. */
  readonly time: number;
  /** What losses are multiplied by from here on, where gradients are f16. */
  readonly loss_scale?: number;
  /** Steps skipped since the row before because gradients overflowed. */
  readonly skipped_steps?: number;
}

/** What an evaluation came to. */
export interface EvaluationRow {
  /** Updates done before it. */
  readonly step: number;
  /** Loss on the training split, in nats. */
  readonly train_loss: number;
  /** Loss on the validation split, in nats. */
  readonly val_loss: number;
  /** e to the power of `val_loss`. */
  readonly perplexity: number;
  /** Seconds since the run began. */
  readonly time: number;
}

/** A line of `metrics.jsonl`. A number that is not finite is kept as null. */
export type MetricsRow = TrainingRow | EvaluationRow;

/** Whether a row is of an evaluation. */
export function isEvaluation(row: MetricsRow): row is EvaluationRow {
  return "val_loss" in row;
}

/**
 * A metrics file that grows a row at a time.
 *
 * Each row is in the file when `append` returns, so that a run that is killed
 * loses none (a power cut may cost the last ones).
 */
export class MetricsLog implements Disposable {
  readonly #path: string;
  readonly #file: Deno.FsFile;

  private constructor(path: string, file: Deno.FsFile) {
    this.#path = path;
    this.#file = file;
  }

  /** Starts the file of a new run; what it held before is gone. */
  static create(path: string): MetricsLog {
    return MetricsLog.#open(path, 0);
  }

  /**
   * Continues the file of a run that resumes at `step`: rows of later steps and
   * a last line that was cut short are dropped, so that the file becomes that of
   * a run without interruption.
   */
  static resume(path: string, step: number): MetricsLog {
    const lines = readLines(path);
    const later = lines.find(({ row }) => row.step > step);
    const end = later?.start ?? lines.at(-1)?.end ?? 0;
    return MetricsLog.#open(path, end);
  }

  static #open(path: string, length: number): MetricsLog {
    let file: Deno.FsFile;
    try {
      file = Deno.openSync(path, { write: true, create: true });
      file.truncateSync(length);
      file.seekSync(length, Deno.SeekMode.Start);
    } catch (error) {
      throw fileError(`write "${path}"`, error);
    }
    return new MetricsLog(path, file);
  }

  /** Adds a row; throws one line if the disk refuses it. */
  append(row: MetricsRow): void {
    const line = new TextEncoder().encode(`${JSON.stringify(row)}\n`);
    try {
      for (let at = 0; at < line.length;) {
        at += this.#file.writeSync(line.subarray(at));
      }
    } catch (error) {
      throw fileError(`write "${this.#path}"`, error);
    }
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

/**
 * The rows of a metrics file, none if there is no such file.
 *
 * A last line that was cut short is left out; any other line that is no row is
 * refused by its number.
 */
export function readMetrics(path: string): MetricsRow[] {
  return readLines(path).map(({ row }) => row);
}

/** A row and the bytes of the file it takes, its line break included. */
interface Line {
  readonly row: MetricsRow;
  readonly start: number;
  readonly end: number;
}

function readLines(path: string): Line[] {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = Deno.readFileSync(path);
  } catch (error) {
    if (isMissing(error)) return [];
    throw fileError(`read "${path}"`, error);
  }
  const lines: Line[] = [];
  const decoder = new TextDecoder();
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(0x0a, start) + 1;
    if (end === 0) break; // Cut short.
    const row = parseRow(decoder.decode(bytes.subarray(start, end)));
    if (!row) {
      throw new Error(
        `Cannot read "${path}": line ${
          lines.length + 1
        } is not a row of metrics`,
      );
    }
    lines.push({ row, start, end });
    start = end;
  }
  return lines;
}

function parseRow(text: string): MetricsRow | undefined {
  let row: unknown;
  try {
    row = JSON.parse(text, (_, value) => value === null ? NaN : value);
  } catch {
    return undefined;
  }
  const fields: readonly (readonly [string, unknown])[] = Object.entries(
    row ?? {},
  );
  const required = "val_loss" in Object(row)
    ? evaluationFields
    : trainingFields;
  const numbers = fields.every(([, value]) => typeof value === "number");
  const complete = required.every((name) =>
    fields.some(([key]) => key === name)
  );
  return numbers && complete ? row as MetricsRow : undefined;
}

const trainingFields: readonly (keyof TrainingRow)[] = [
  "step",
  "loss",
  "learning_rate",
  "grad_norm",
  "tokens_per_second",
  "time",
];

const evaluationFields: readonly (keyof EvaluationRow)[] = [
  "step",
  "train_loss",
  "val_loss",
  "perplexity",
  "time",
];
