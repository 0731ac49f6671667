/**
 * A run as a session sees it: when it does what, where it stands, how it ends.
 *
 * @module
 */

import type { Step } from "../lib/train/train.ts";
import { type BestState, NO_BEST } from "./best.ts";
import { type LossSum, NO_LOSSES } from "./training_log.ts";

/** The file of a run's measurements. */
export const METRICS = "metrics.jsonl";

/** Numbers by the names they have in `metrics.jsonl`. */
export type Measures = Readonly<Record<string, number>>;

/** When a run does what; in steps. */
export interface Rhythm {
  /** Steps in all. */
  readonly maxIters: number;
  /** Steps between lines. */
  readonly logInterval: number;
  /** Steps between evaluations. */
  readonly evalInterval: number;
  /** Steps between checkpoints. */
  readonly saveInterval: number;
  /** Steps between samples; 0 for one at the end. */
  readonly sampleInterval: number;
  /** Evaluations without a better loss that end it; 0 for as many as there are. */
  readonly patience?: number;
}

/** Where a run stands when it is saved; fit for JSON. */
export interface Standing {
  /** Updates done. */
  readonly step: number;
  /** Seconds spent on them. */
  readonly seconds: number;
  /** Tokens read in them, but for padding. */
  readonly tokens: number;
  /** The best evaluation so far. */
  readonly best: BestState;
  /** The losses of the steps since a row was logged. */
  readonly losses: LossSum;
}

/** Where a run stands before its first step. */
export const BEGINNING: Standing = {
  step: 0,
  seconds: 0,
  tokens: 0,
  best: NO_BEST,
  losses: NO_LOSSES,
};

/** How a run ends. */
export interface Ending {
  /** What came of it, to print. */
  readonly results: readonly string[];
  /** Where it is, and what to do with it: the last lines of all. */
  readonly kept: readonly string[];
}

/** What a session takes from its beginning to its end. */
export interface Run {
  /** When it does what. */
  readonly rhythm: Rhythm;
  /** Where it stood when it was saved last. */
  readonly saved: Standing;
  /** What is said before the first step. */
  announce(): readonly string[];
  /** The steps that are left. */
  steps(): AsyncGenerator<Step>;
  /**
   * What to log of the steps since it was last asked, beside their loss, after
   * `tokens` in all. Where a run has this, the loss is their mean.
   */
  measured?(tokens: number): Promise<Measures>;
  /** Measures the model; of `measures`, `loss` is what should become small. */
  evaluate(step: number): Promise<{ loss: number; measures: Measures }>;
  /** Writes something with the model, and gives it as text to show. */
  sample?(step: number): Promise<string>;
  /** Saves all it needs to go on. */
  save(standing: Standing): Promise<void>;
  /** Keeps the model as it is, the best so far. */
  keepBest?(): Promise<void>;
  /** Ends it: writes the report. */
  finish(standing: Standing): Promise<Ending>;
}
