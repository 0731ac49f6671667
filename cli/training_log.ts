/**
 * What is measured during a run, as rows of a file and lines for whoever looks
 * on.
 *
 * @module
 */

import { MetricsLog, type MetricsRow } from "../lib/train/metrics.ts";
import type { StepReport } from "../lib/train/train.ts";
import type { Progress } from "./progress.ts";

/** Where a log goes. */
export interface TrainingLogOptions {
  /** The file of the rows. */
  readonly path: string;
  /** Steps taken before, whose rows the file has. */
  readonly start: number;
  /** Steps between rows. */
  readonly interval: number;
  /** Whether rows are printed as JSON. */
  readonly json: boolean;
  /** What lines are printed to. */
  readonly progress: Progress;
}

/** How fast steps were, and when they were over. */
export interface Pace {
  readonly tokensPerSecond: number;
  /** Seconds since the run began. */
  readonly time: number;
}

/** The rows and lines of one run. */
export class TrainingLog implements Disposable {
  readonly #options: TrainingLogOptions;
  readonly #metrics: MetricsLog;
  /** Steps skipped since a row was logged. */
  #skipped = 0;

  constructor(options: TrainingLogOptions) {
    const { path, start } = options;
    this.#options = options;
    this.#metrics = start > 0
      ? MetricsLog.resume(path, start)
      : MetricsLog.create(path);
  }

  /** Logs a row every so many steps, and says which steps were skipped. */
  steps(reports: readonly StepReport[], { tokensPerSecond, time }: Pace): void {
    const { interval, progress } = this.#options;
    for (const { step, skipped, lossScale } of reports) {
      if (!skipped) continue;
      this.#skipped++;
      progress.line(
        `step ${step}: its gradients overflowed, so it was skipped; the loss scale is ${lossScale} now`,
      );
    }
    const report = reports.at(-1);
    if (report === undefined || report.step % interval > 0) return;
    this.row({
      step: report.step,
      loss: report.loss,
      learning_rate: report.learningRate,
      grad_norm: report.gradNorm,
      tokens_per_second: Math.round(tokensPerSecond),
      time,
      ...report.lossScale !== undefined && {
        loss_scale: report.lossScale,
        skipped_steps: this.#skipped,
      },
    });
    this.#skipped = 0;
  }

  /** Logs a row. */
  row(row: MetricsRow): void {
    const { json, progress } = this.#options;
    this.#metrics.append(row);
    if (json) console.log(JSON.stringify(row));
    if ("val_loss" in row) {
      progress.line(
        `step ${row.step}: train loss ${row.train_loss.toFixed(4)}, val loss ${
          row.val_loss.toFixed(4)
        }, perplexity ${row.perplexity.toFixed(2)}`,
      );
    } else if (!Deno.stderr.isTerminal()) {
      progress.line(
        `step ${row.step}: loss ${row.loss.toFixed(4)}, lr ${
          row.learning_rate.toExponential(2)
        }, norm ${row.grad_norm.toFixed(3)}, ${row.tokens_per_second} tok/s`,
      );
    }
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#metrics[Symbol.dispose]();
  }
}
