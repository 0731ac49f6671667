/**
 * The training loop, as a stream of steps.
 *
 * @module
 */

import type { Batch } from "../data/batch.ts";
import { countedPlaces } from "../data/counted_targets.ts";
import { checkStarts } from "../data/starts.ts";
import type { Device } from "../gpu/device.ts";
import { mul } from "../ops/binary.ts";
import { copyElements } from "../ops/copy.ts";
import type { AdamW } from "../optim/adamw.ts";
import type { Schedule } from "../optim/schedule.ts";
import type { Random } from "../random.ts";
import { backward } from "../tensor/backward.ts";
import { noGrad } from "../tensor/tape.ts";
import { readAll, Tensor } from "../tensor/tensor.ts";
import { Pace } from "./pace.ts";

/** A model that can be trained. */
export interface Trainable {
  /**
   * The mean loss of predicting `targets` from `ids`, both u32 `[B, T]`. Where
   * documents lie side by side, `starts` `[B, T]` says where that of each token
   * begins in its row. Where many targets are ignored, `rows` `[n]` names the
   * places in `[B, T]` of those that are not, and some beyond to fill up: a model
   * may pass over all others.
   */
  loss(
    ids: Tensor,
    targets: Tensor,
    pass?: { random?: Random; starts?: Tensor; rows?: Tensor },
  ): Tensor;
}

/**
 * What training makes smaller: the loss of a batch, one number. What is dropped
 * is drawn from `random`.
 */
export type Objective<B> = (batch: B, pass: { random?: Random }) => Tensor;

/** A batch of any kind, with the ids that a model reads of it. */
export interface Readable {
  /** The ids, padding among them where there is any. */
  readonly inputs: Uint32Array;
  /** How many of each row are no padding; without it, all. */
  readonly lengths?: Uint32Array;
}

/** A model that learns to predict the next token. */
export interface ModelLearning {
  /** What learns. */
  readonly model: Trainable;
  /** Where batches come from. */
  readonly batches: { next(): Batch };
}

/** Whatever learns to make a loss of its own smaller. */
export interface ObjectiveLearning<B extends Readable> {
  /** The loss of a batch. */
  readonly objective: Objective<B>;
  /** Where batches come from. */
  readonly batches: { next(): B };
}

/** What learns, and what from. */
export type Learning<B extends Readable> =
  | ModelLearning
  | ObjectiveLearning<B>;

/** How training goes. */
export interface StepsOptions {
  /** Where it runs. */
  readonly device: Device;
  /** What moves the parameters. */
  readonly optimizer: AdamW;
  /** The learning rate of each step. */
  readonly schedule: Schedule;
  /** Steps in all, those before `start` included. */
  readonly steps: number;
  /** Steps taken earlier: the first one here is `start + 1`. */
  readonly start?: number;
  /** Batches whose gradients are averaged into one step: 1. */
  readonly gradientAccumulationSteps?: number;
  /** Dropout is drawn from it; without it nothing is dropped. */
  readonly random?: Random;
}

/** What training needs. */
export type TrainOptions<B extends Readable = Batch> =
  & StepsOptions
  & Learning<B>;

/** What one step measured. */
export interface StepReport {
  /** The step, counted from 1. */
  readonly step: number;
  /** The mean loss of its batches, before the update. */
  readonly loss: number;
  /** The norm of all gradients, before clipping. */
  readonly gradNorm: number;
  /** Its learning rate. */
  readonly learningRate: number;
  /** What the next loss is multiplied by, where losses are scaled. */
  readonly lossScale?: number;
  /** Whether its gradients overflowed, so that nothing moved, where losses are. */
  readonly skipped?: boolean;
}

/** One queued step. */
export interface Step {
  /** The step, counted from 1. */
  readonly step: number;
  /** Its learning rate. */
  readonly learningRate: number;
  /** Tokens it read, but for padding. */
  readonly tokens: number;
  /**
   * What this step and those not yet read measured. Awaiting it waits for the
   * GPU; ignoring it costs nothing; it may also come after the last step. Throws
   * {@linkcode NotFiniteError} if a loss or gradient was not a finite number, and
   * no lower loss scale can help.
   */
  read(): Promise<readonly StepReport[]>;
}

/** A loss or gradient norm that is not a finite number. */
export class NotFiniteError extends Error {
  /** The class of error, for logs. */
  override readonly name = "NotFiniteError";
  /** The step in which it arose, counted from 1. */
  readonly step: number;

  /** Says what was measured in `step`. */
  constructor({ step, loss, gradNorm }: StepReport) {
    super(
      `Cannot go on after step ${step}: its loss is ${loss}, its gradient norm ${gradNorm}; the weights are those before it. A lower learning rate or clipping may help`,
    );
    this.step = step;
  }
}

/** Measurements that wait on the GPU to be read together, at most. */
const HISTORY = 1024;
/** Numbers of the optimizer's status that are noted. */
const NOTED = 5;

/**
 * Trains, yielding after each step is queued. Logging, evaluation and
 * checkpoints are the caller's loop body; `break` stops.
 *
 * Nothing here waits for the step just taken: the host runs at most sixteen ahead.
 * Losses and gradient norms gather on the GPU until {@linkcode Step.read}, or until
 * there are a thousand of them.
 */
export async function* train<B extends Readable = Batch>(
  options: TrainOptions<B>,
): AsyncGenerator<Step> {
  const { device, optimizer, schedule, steps, start = 0, random } = options;
  const { gradientAccumulationSteps = 1 } = options;
  const lossOfNext = lossesOf(options);
  const history = new History(device, optimizer, gradientAccumulationSteps);
  const pace = new Pace(device);
  const share = 1 / gradientAccumulationSteps;
  try {
    for (let index = start; index < steps; index++) {
      const learningRate = schedule(index);
      let tokens = 0;
      for (let micro = 0; micro < gradientAccumulationSteps; micro++) {
        using _scope = device.scope();
        const { loss, read } = lossOfNext({ random });
        backward(loss, scaleOf(optimizer, share));
        history.add(loss);
        tokens += read;
      }
      optimizer.step(learningRate);
      const step = index + 1;
      history.close(step, learningRate);
      device.flush();
      await pace.step();
      yield { step, learningRate, tokens, read: () => history.read() };
      if (history.full) await history.settle();
    }
  } finally {
    await history.end();
  }
}

/** The loss of predicting the next tokens of a batch. */
export function nextTokenLoss(
  device: Device,
  model: Trainable,
): Objective<Batch> {
  return ({ inputs, targets, shape, starts }, { random }) => {
    if (starts) checkStarts(starts, shape);
    const places = countedPlaces(targets);
    return model.loss(
      Tensor.from(device, inputs, shape),
      Tensor.from(device, targets, shape),
      {
        random,
        starts: starts && Tensor.from(device, starts, shape),
        rows: places ? Tensor.from(device, places) : undefined,
      },
    );
  };
}

/** Takes one batch after another, and gives the loss of each and its tokens. */
function lossesOf<B extends Readable>(options: Learning<B> & StepsOptions) {
  if ("model" in options) {
    const { device, model, batches } = options;
    return lossesFrom(nextTokenLoss(device, model), batches);
  }
  return lossesFrom(options.objective, options.batches);
}

function lossesFrom<B extends Readable>(
  objective: Objective<B>,
  batches: { next(): B },
) {
  return (pass: { random?: Random }) => {
    const batch = batches.next();
    return { loss: objective(batch, pass), read: tokensOf(batch) };
  };
}

/** The tokens of a batch, but for padding. */
function tokensOf({ inputs, lengths }: Readable): number {
  if (lengths === undefined) return inputs.length;
  return lengths.reduce((sum, length) => sum + length, 0);
}

/** What a loss is multiplied by: its share of the step, and the loss scale. */
function scaleOf({ lossScale }: AdamW, share: number): number | Tensor {
  if (lossScale === null || share === 1) return lossScale ?? share;
  return noGrad(() => mul(lossScale, share));
}

/** Losses and gradient norms of the steps not yet read, on the GPU. */
class History {
  readonly #optimizer: AdamW;
  readonly #batches: number;
  readonly #losses: Tensor;
  readonly #statuses: Tensor;
  #pending: { step: number; learningRate: number }[] = [];
  #settled: StepReport[] = [];
  #filled = 0;
  #failed: unknown = null;

  /** For steps of so many batches. */
  constructor(device: Device, optimizer: AdamW, batches: number) {
    const most = Math.max(HISTORY, batches);
    this.#optimizer = optimizer;
    this.#batches = batches;
    this.#losses = Tensor.zeros(device, [most]).keep();
    this.#statuses = Tensor.zeros(device, [HISTORY, NOTED]).keep();
  }

  /** Whether the next step would not fit. */
  get full(): boolean {
    return this.#filled + this.#batches > this.#losses.size;
  }

  /** Notes the loss of one batch of the step being taken. */
  add(loss: Tensor): void {
    note(loss, this.#losses, { at: this.#filled++, count: 1 });
  }

  /** Notes what the optimizer made of the gradients, and ends the step. */
  close(step: number, learningRate: number): void {
    const at = NOTED * this.#pending.length;
    note(this.#optimizer.status, this.#statuses, { at, count: NOTED });
    this.#pending.push({ step, learningRate });
  }

  /** Takes the numbers from the GPU, so that there is room for more. */
  async settle(): Promise<void> {
    const pending = this.#pending;
    this.#pending = [];
    this.#filled = 0;
    if (pending.length === 0) return;
    const count = this.#batches;
    const [losses, statuses] = await readAll([this.#losses, this.#statuses]);
    for (const [i, { step, learningRate }] of pending.entries()) {
      let loss = 0;
      for (let n = 0; n < count; n++) loss += losses[i * count + n] / count;
      const [gradNorm, , , skips, lossScale] = statuses.subarray(NOTED * i);
      const skipped = skips !== 0;
      const report = { step, loss, gradNorm, learningRate };
      if (
        !Number.isFinite(loss) || (!Number.isFinite(gradNorm) && !skipped)
      ) throw new NotFiniteError(report);
      this.#settled.push(
        this.#optimizer.lossScale ? { ...report, lossScale, skipped } : report,
      );
    }
  }

  /** What was measured since this was last asked, in order. */
  async read(): Promise<StepReport[]> {
    if (this.#failed !== null) throw this.#failed;
    await this.settle();
    const settled = this.#settled;
    this.#settled = [];
    return settled;
  }

  /** Gives the memory back, once what is left of it was read for later. */
  async end(): Promise<void> {
    try {
      await this.settle();
    } catch (error) {
      this.#failed = error; // for who asks
    }
    this.#losses[Symbol.dispose]();
    this.#statuses[Symbol.dispose]();
  }
}

function note(
  from: Tensor,
  to: Tensor,
  { at, count }: { at: number; count: number },
): void {
  copyElements(from, to, [count], {
    source: { strides: [1] },
    target: { strides: [1], offset: at },
  });
}
