/**
 * A run of fine-tuning as a session sees it, whatever it is that is learned.
 *
 * @module
 */

import { join } from "node:path";
import type { Device } from "../lib/gpu/device.ts";
import { type Checkpoint, saveCheckpoint } from "../lib/io/checkpoint.ts";
import { SafetensorsFile } from "../lib/io/safetensors.ts";
import type { JsonValue, WeightsName } from "../lib/io/training_state.ts";
import { openWeights } from "../lib/io/weights.ts";
import { parameters } from "../lib/nn/parameters.ts";
import { AdamW, type AdamWOptions } from "../lib/optim/adamw.ts";
import type { LossScaleState } from "../lib/optim/gradient_norm.ts";
import { cosineSchedule } from "../lib/optim/schedule.ts";
import type { Random, RandomState } from "../lib/random.ts";
import {
  type Objective,
  type Readable,
  type Step,
  train,
} from "../lib/train/train.ts";
import { fill, tensorSource } from "../models/weights.ts";
import type { Course } from "./finetune_course.ts";
import type { FinetuneValues } from "./finetune_values.ts";
import { BEST } from "./leftovers.ts";
import {
  BEGINNING,
  type Ending,
  type Measures,
  type Rhythm,
  type Run,
  type Standing,
} from "./run.ts";
import type { Subject } from "./subjects.ts";
import { momentTensors } from "./training_run.ts";

/** Goes through data again and again, and can be taken up where it stood. */
export interface Sampler<B> {
  /** Epochs completed. */
  readonly epoch: number;
  /** Which batch of its epoch comes next, from 0. */
  readonly index: number;
  /** Batches in an epoch. */
  readonly batches: number;
  /** Where it stands; fit for JSON. */
  state: object;
  /** The next batch. */
  next(): B;
}

/** What a run of fine-tuning is made of. */
export interface FinetuningParts<B extends Readable> {
  readonly device: Device;
  readonly out: string;
  /** The command that began it: "finetune classify", say. */
  readonly command: string;
  readonly values: FinetuneValues;
  readonly course: Course;
  readonly subject: Subject;
  readonly batches: Sampler<B>;
  readonly objective: Objective<B>;
  /** What dropout is drawn from. */
  readonly random: Random;
  /** Tells the data of each part apart: a run is not resumed with others. */
  readonly fingerprints: Readonly<Record<string, number>>;
}

/** Learning from examples again and again, and keeping what was best. */
export abstract class Finetuning<B extends Readable = Readable> implements Run {
  protected readonly parts: FinetuningParts<B>;
  #saved: Standing = BEGINNING;
  readonly #optimizer: AdamW;

  constructor(parts: FinetuningParts<B>) {
    this.parts = parts;
    this.#optimizer = new AdamW(
      parameters(parts.subject.model),
      optimizerOptionsOf(parts.values),
    );
  }

  /** Takes up the run that a checkpoint holds. */
  async resume(checkpoint: Checkpoint): Promise<void> {
    const { subject, batches, random, out } = this.parts;
    const { step, state } = checkpoint;
    this.#requireSameData(state.fingerprints);
    await subject.restore(checkpoint.model, join(out, subject.weightsName));
    const moments = momentTensors(this.#optimizer);
    await fill(
      moments,
      new Map([...moments.keys()].map((name) => [name, name])),
      checkpoint.optimizer,
      join(out, "optimizer.safetensors"),
    );
    this.#optimizer.resume(step, state.lossScale as unknown as LossScaleState);
    batches.state = state.batches as unknown as object;
    random.state = state.random as unknown as RandomState;
    this.#saved = { ...state.standing as unknown as Standing, step };
    this.resumeMeasuring(state.measuring);
  }

  get rhythm(): Rhythm {
    return this.parts.course.rhythm;
  }

  /** The file of what is trained. */
  get weightsName(): WeightsName {
    return this.parts.subject.weightsName;
  }

  get saved(): Standing {
    return this.#saved;
  }

  abstract announce(): readonly string[];
  abstract evaluate(step: number): Promise<{
    loss: number;
    measures: Measures;
  }>;
  abstract finish(standing: Standing): Promise<Ending>;

  steps(): AsyncGenerator<Step> {
    const { device, batches, objective, random, values, course } = this.parts;
    return train({
      device,
      objective,
      batches,
      optimizer: this.#optimizer,
      schedule: cosineSchedule(course.schedule),
      steps: course.rhythm.maxIters,
      start: this.#saved.step,
      gradientAccumulationSteps: values["gradient-accumulation-steps"],
      random,
    });
  }

  /** How much of the data has been gone through. */
  measured(tokens: number): Promise<Measures> {
    return Promise.resolve({ num_tokens: tokens, epoch: this.epoch });
  }

  /** What has been measured and not yet been asked for; fit for JSON. */
  protected measuring(): Promise<JsonValue> {
    return Promise.resolve(null);
  }

  /** Goes on measuring from there. */
  protected resumeMeasuring(_state: JsonValue): void {}

  /** Times the data have been gone through, to four digits. */
  protected get epoch(): number {
    const { epoch, index, batches } = this.parts.batches;
    return Math.round(1e4 * (epoch + index / batches)) / 1e4;
  }

  /** What the steps are, in a line. */
  protected stepsLine(rows: string): string {
    const { batches, out, values, course: { rhythm } } = this.parts;
    const { step } = this.#saved;
    const each = values["batch-size"] * values["gradient-accumulation-steps"];
    return `steps: ${
      step > 0 ? `${step} to ` : ""
    }${rhythm.maxIters}, ${each} ${rows} each, ${batches.batches} batches an epoch, into ${out}`;
  }

  async save(standing: Standing): Promise<void> {
    const { out, command, subject, values } = this.parts;
    const { batches, random, fingerprints } = this.parts;
    subject.describe(out);
    const lossScale = await this.#optimizer.lossScaleState();
    await saveCheckpoint(out, {
      step: standing.step,
      weightsName: subject.weightsName,
      model: subject.weights(),
      optimizer: tensorSource(momentTensors(this.#optimizer)),
      state: {
        command,
        values: JSON.parse(JSON.stringify(values)), // without what is not set
        batches: batches.state as unknown as JsonValue,
        random: random.state as unknown as JsonValue,
        ...lossScale && { lossScale: lossScale as unknown as JsonValue },
        standing: standing as unknown as JsonValue,
        measuring: await this.measuring(),
        fingerprints,
      },
    });
  }

  async keepBest(): Promise<void> {
    await this.parts.subject.saveTo(this.bestFolder);
  }

  /** Where the best model so far is kept. */
  protected get bestFolder(): string {
    return join(this.parts.out, BEST);
  }

  /** Takes the best model in place of the last, if they are not the same. */
  protected async restoreBest({ step, best }: Standing): Promise<void> {
    if (best.step === step) return;
    const { subject } = this.parts;
    const path = join(this.bestFolder, subject.weightsName);
    using stored = subject.weightsName === "model.safetensors"
      ? openWeights(this.bestFolder)
      : SafetensorsFile.open(path);
    await subject.restore(stored, path);
  }

  /** A warning where nothing was better than the beginning. */
  protected learnedNothing({ step, best }: Standing): string[] {
    if (best.step !== 0 || step === 0) return [];
    return [
      `warning: no evaluation was better than the one before the first step, so the model in ${this.bestFolder} has learned nothing`,
    ];
  }

  #requireSameData(saved: JsonValue): void {
    const { out, fingerprints } = this.parts;
    const before = saved as Readonly<Record<string, number>>;
    const changed = Object.entries(fingerprints)
      .filter(([name, now]) => before[name] !== now)
      .map(([name, now]) =>
        `the fingerprint of the ${name} part was ${before[name]} and is ${now}`
      );
    if (changed.length === 0) return;
    throw new RangeError(
      `Cannot resume ${out}: its data or their tokens have changed: ${
        changed.join(", ")
      }`,
    );
  }
}

/** The knobs of a run's optimizer. */
export function optimizerOptionsOf(values: FinetuneValues): AdamWOptions {
  const { beta1, beta2, dtype } = values;
  return {
    ...{ beta1, beta2 },
    weightDecay: values["weight-decay"],
    gradClip: values["grad-clip"],
    lossScale: dtype === "f16" ? {} : null,
  };
}
