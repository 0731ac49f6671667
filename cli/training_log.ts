/**
 * What is measured during a run, as rows of a file and lines for whoever looks
 * on.
 *
 * @module
 */

import { describeRow } from "../lib/report/measures.ts";
import {
  isEvaluation,
  MetricsLog,
  type MetricsRow,
} from "../lib/report/metrics.ts";
import type { StepReport } from "../lib/train/train.ts";
import type { Progress } from "./progress.ts";

/** The losses of steps, added up; fit for JSON. */
export interface LossSum {
  readonly loss: number;
  readonly steps: number;
}

/** Of no steps. */
export const NO_LOSSES: LossSum = { loss: 0, steps: 0 };

/** Where a log goes. */
export interface TrainingLogOptions {
  /** The file of the rows. */
  readonly path: string;
  /** Steps taken before, whose rows the file has. */
  readonly start: number;
  /** Steps between rows. */
  readonly interval: number;
  /**
   * Where rows have the mean loss of the steps since the row before: the losses
   * of those taken before `start`. Without it, rows have the step's own.
   */
  readonly losses?: LossSum;
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
  #losses: LossSum;

  constructor(options: TrainingLogOptions) {
    const { path, start, losses = NO_LOSSES } = options;
    this.#options = options;
    this.#losses = losses;
    this.#metrics = start > 0
      ? MetricsLog.resume(path, start)
      : MetricsLog.create(path);
  }

  /** The losses of the steps since a row was logged. */
  get losses(): LossSum {
    return this.#losses;
  }

  /** Whether a step has a row. */
  hasRow(step: number): boolean {
    return step % this.#options.interval === 0;
  }

  /**
   * Logs a row every so many steps, and says which steps were skipped;
   * `measured` is what the row holds beside the loss and the norm.
   */
  steps(
    reports: readonly StepReport[],
    { tokensPerSecond, time }: Pace,
    measured: Readonly<Record<string, number>> = {},
  ): void {
    const { progress, losses: asked } = this.#options;
    for (const { step, loss, skipped, lossScale } of reports) {
      const { loss: sum, steps } = this.#losses;
      this.#losses = { loss: sum + loss, steps: steps + 1 };
      if (!skipped) continue;
      this.#skipped++;
      progress.line(
        `step ${step}: its gradients overflowed, so it was skipped; the loss scale is ${lossScale} now`,
      );
    }
    const report = reports.at(-1);
    if (report === undefined || !this.hasRow(report.step)) return;
    const { loss, steps } = this.#losses;
    this.row({
      step: report.step,
      loss: asked ? loss / steps : report.loss,
      learning_rate: report.learningRate,
      grad_norm: report.gradNorm,
      ...measured,
      tokens_per_second: Math.round(tokensPerSecond),
      time,
      ...report.lossScale !== undefined && {
        loss_scale: report.lossScale,
        skipped_steps: this.#skipped,
      },
    });
    this.#skipped = 0;
    this.#losses = NO_LOSSES;
  }

  /** Logs a row. */
  row(row: MetricsRow): void {
    const { json, progress } = this.#options;
    this.#metrics.append(row);
    if (json) console.log(JSON.stringify(row));
    // A terminal shows steps in its status line.
    if (isEvaluation(row) || !Deno.stderr.isTerminal()) {
      progress.line(describeRow(row));
    }
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#metrics[Symbol.dispose]();
  }
}
