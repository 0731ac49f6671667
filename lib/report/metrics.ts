/**
 * `metrics.jsonl`: what was measured during a run, a JSON object a line.
 *
 * @module
 */

import { fileError, isMissing } from "../io/file_error.ts";

/**
 * A line of `metrics.jsonl`: numbers by name, after so many updates.
 *
 * Any name may be there; [measures.ts](./measures.ts) says which are known. A
 * number that is not finite is kept as null and comes back as NaN.
 */
export interface MetricsRow {
  /** Updates done, this row's included. */
  readonly step: number;
  /** What was measured. */
  readonly [name: string]: number | undefined;
}

/** What a training step came to. */
export interface TrainingRow extends MetricsRow {
  /** Mean cross-entropy of the step's targets, in nats. */
  readonly loss: number;
  /** The step's learning rate. */
  readonly learning_rate: number;
  /** Euclidean norm of all gradients before clipping. */
  readonly grad_norm: number;
  /** Tokens trained on in a second since the row before. */
  readonly tokens_per_second: number;
  /** Seconds since the run began. */
  readonly time: number;
  /** Share of targets that had the highest logit. */
  readonly mean_token_accuracy?: number;
  /** Mean entropy of the predictions, in nats. */
  readonly entropy?: number;
  /** Tokens trained on since the run began. */
  readonly num_tokens?: number;
  /** Times the data has been gone through. */
  readonly epoch?: number;
  /** What losses are multiplied by from here on, where gradients are f16. */
  readonly loss_scale?: number;
  /** Steps skipped since the row before because gradients overflowed. */
  readonly skipped_steps?: number;
}

/** What an evaluation of a pretraining run came to. */
export interface EvaluationRow extends MetricsRow {
  /** Loss on the training split, in nats. */
  readonly train_loss: number;
  /** Loss on the validation split, in nats. */
  readonly val_loss: number;
  /** e to the power of `val_loss`. */
  readonly perplexity: number;
  /** Seconds since the run began. */
  readonly time: number;
}

/** Whether a row is of an evaluation: it has a number of the validation split. */
export function isEvaluation(row: MetricsRow): boolean {
  return Object.keys(row).some((name) => /^(eval|val)_/.test(name));
}

/**
 * A metrics file that grows a row at a time.
 *
 * ```ts
 * import { MetricsLog, readMetrics } from "@shaderloom/shaderloom";
 * import { assertEquals } from "@std/assert";
 *
 * const path = `${Deno.makeTempDirSync()}/metrics.jsonl`;
 * {
 *   using log = MetricsLog.create(path);
 *   log.append({ step: 1, loss: 10.98, learning_rate: 1e-4 });
 * }
 * assertEquals(readMetrics(path)[0].loss, 10.98);
 * ```
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

/** A step and at least one number more, else undefined. */
function parseRow(text: string): MetricsRow | undefined {
  let row: unknown;
  try {
    row = JSON.parse(text, (_, value) => value === null ? NaN : value);
  } catch {
    return undefined;
  }
  const fields = Object.entries(row ?? {});
  const isRow = fields.length > 1 &&
    fields.every(([, value]) => typeof value === "number") &&
    fields.some(([name, value]) => name === "step" && value >= 0);
  return isRow ? row as MetricsRow : undefined;
}
