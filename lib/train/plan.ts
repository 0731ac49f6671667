/**
 * What training would take of the GPU's memory, found out without taking it.
 *
 * @module
 */

import type { Device } from "../gpu/device.ts";
import { planningDevice } from "../gpu/plan.ts";
import type { Tunable } from "../gpu/tuning.ts";
import { parameters } from "../nn/parameters.ts";
import type { AdamW } from "../optim/adamw.ts";
import { constantSchedule } from "../optim/schedule.ts";
import { Random } from "../random.ts";
import type { Parameter } from "../tensor/parameter.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Objective, type Readable, train } from "./train.ts";

/** Training to plan, of a model `M` on batches `B`. */
export interface PlanOptions<M extends object, B extends Readable> {
  /** What it would run on; nothing is done to it. */
  readonly device: Device;
  /** Makes the model on the device it is given. Its weights may be zeros. */
  readonly model: (device: Device) => M;
  /** Makes what moves them. */
  readonly optimizer: (parameters: ReadonlyMap<string, Parameter>) => AdamW;
  /** A batch as large as any; what is in it does not matter. */
  readonly batch: B;
  /** Batches of other sizes that come along, which keep buffers of their own: none. */
  readonly others?: readonly B[];
  /** The loss of a batch of the model's. */
  readonly objective: (device: Device, model: M) => Objective<B>;
  /** Batches averaged into one step: 1. */
  readonly gradientAccumulationSteps?: number;
  /** Whether anything is dropped. */
  readonly dropout?: boolean;
  /** What else is done with the model between steps, such as writing a sample. */
  readonly between?: (device: Device, model: M) => Promise<void>;
}

/** Bytes that training takes. */
export interface MemoryPlan {
  /** The parameters. */
  readonly parameters: number;
  /** Their gradients. */
  readonly gradients: number;
  /** What the optimizer remembers. */
  readonly optimizer: number;
  /** What else a step holds when it holds most: activations, and their gradients. */
  readonly activations: number;
  /** What lasts besides: copies of parameters in f16, losses not yet read. */
  readonly other: number;
  /** The most in use at once. */
  readonly peak: number;
  /** Copies in textures that kernels read faster, on software adapters, at most. */
  readonly images: number;
  /** All buffers and images made, with those that wait to be used again. */
  readonly reserved: number;
  /** The most bound at once. */
  readonly largestBinding: number;
  /** The largest buffer. */
  readonly largestBuffer: number;
  /** Kernels that a step runs. */
  readonly dispatches: number;
  /** The classes of shapes met that wait for a choice; see `tune`. */
  readonly untuned: ReadonlyMap<string, Tunable>;
}

const STEPS = 2; // the second finds everything in place

/**
 * Runs two steps, and those of other batches, on a device that computes nothing
 * and counts everything, so that the plan is what the same steps would take. Throws what they would throw where
 * something is larger than the adapter allows.
 */
export async function planTraining<M extends object, B extends Readable>(
  { device: real, model: make, optimizer: makeOptimizer, ...options }:
    PlanOptions<M, B>,
): Promise<MemoryPlan> {
  const { batch, others = [], objective, dropout, between } = options;
  const { gradientAccumulationSteps = 1 } = options;
  const device = planningDevice(real);
  const model = make(device);
  const moved = parameters(model);
  const optimizer = makeOptimizer(moved);
  const ready = device.bytesInUse;
  const first = Array.from(
    { length: STEPS * gradientAccumulationSteps },
    () => batch,
  );
  const queue = [...first, ...others];
  const steps = train({
    device,
    objective: objective(device, model),
    optimizer,
    batches: { next: () => queue.shift() ?? batch },
    schedule: constantSchedule(0),
    steps: STEPS + Math.ceil(others.length / gradientAccumulationSteps),
    gradientAccumulationSteps,
    random: dropout ? new Random(1) : undefined,
  });
  let lasting = 0;
  let before = 0;
  let dispatches = 0;
  for await (const { step } of steps) {
    lasting = device.bytesInUse;
    const { dispatches: now } = device.counters;
    if (step <= STEPS) dispatches = now - before;
    before = now;
  }
  const weights = [...moved.values()];
  const held = bytesOf(weights);
  const gradients = bytesOf(
    weights.flatMap(({ slot, grad }) => slot ?? grad ?? []),
  );
  const peak = device.bytesPeak;
  await between?.(device, model);
  return {
    parameters: held,
    gradients,
    optimizer: ready - held - gradients,
    activations: peak - lasting,
    other: lasting - ready,
    peak,
    images: device.images.bytes,
    reserved: device.bytesReserved + device.images.bytes,
    largestBinding: device.counters.largestBinding,
    largestBuffer: device.largestBuffer,
    dispatches,
    untuned: device.tuning.open,
  };
}

/** Bytes of the memory that tensors lie in, counted once. */
function bytesOf(tensors: readonly Tensor[]): number {
  const storages = new Set(tensors.map(({ storage }) => storage));
  return [...storages].reduce((sum, { bytes }) => sum + bytes, 0);
}
