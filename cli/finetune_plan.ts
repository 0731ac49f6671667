/**
 * A run of fine-tuning before it begins: what would train, what it takes, and
 * whether that fits.
 *
 * @module
 */

import type { Device } from "../lib/gpu/device.ts";
import { planningDevice } from "../lib/gpu/plan.ts";
import { trainedOf } from "../lib/nn/freeze.ts";
import { AdamW } from "../lib/optim/adamw.ts";
import { type MemoryPlan, planTraining } from "../lib/train/plan.ts";
import type { Objective, Readable } from "../lib/train/train.ts";
import type { FinetuneValues } from "./finetune_values.ts";
import { optimizerOptionsOf } from "./finetuning.ts";
import {
  type Allowance,
  allowanceOf,
  type Alternative,
  memoryReport,
  misfit,
  type Planned,
  requireFit,
} from "./memory_report.ts";

/** A model, what trains of it chosen, and what its training makes smaller. */
export interface Learner<B extends Readable> {
  readonly model: object;
  readonly objective: Objective<B>;
}

/** What a run would do, on a device that only counts. */
export interface Plannable<
  V extends FinetuneValues = FinetuneValues,
  B extends Readable = Readable,
> {
  /** Where it would run. */
  readonly device: Device;
  /** Its flags. */
  readonly values: V;
  /** Whether anything is dropped. */
  readonly dropout: boolean;
  /** What learns; its weights may be zeros. */
  learner(device: Device, values: V): Learner<B>;
  /** The batches of an epoch; what matters is their sizes. */
  batches(values: V): Iterable<B>;
}

/** The plan of a run; throws a line that says why it cannot be, and what would help. */
export async function fittingFinetunePlan<
  V extends FinetuneValues,
  B extends Readable,
>(run: Plannable<V, B>): Promise<MemoryPlan> {
  blankModel(run);
  const allowance = allowanceOf(run.device);
  const plan = await planned(run);
  return await requireFit(plan, allowance, () => alternatives(run, allowance));
}

/** The plan as `--dry-run` prints it, and whether the run may fit. */
export async function describeFinetunePlan<
  V extends FinetuneValues,
  B extends Readable,
>(run: Plannable<V, B>): Promise<{ lines: string[]; fits: boolean }> {
  const model = blankModel(run);
  const allowance = allowanceOf(run.device);
  const plan = await planned(run);
  const others = await alternatives(run, allowance);
  return {
    lines: [trainedLine(model), ...memoryReport(plan, allowance, others)],
    fits: misfit(plan, allowance) === null,
  };
}

/** How much of a model trains, in a line. */
export function trainedLine(model: object): string {
  const { trained, trainedCount, count } = trainedOf(model);
  const share = +(100 * trainedCount / count).toPrecision(3);
  return `trains: ${trainedCount} of ${count} parameters (${share} %), in ${trained.size} tensor${
    trained.size === 1 ? "" : "s"
  }`;
}

/**
 * The model with zeros for weights. What is wrong with the choice of what trains
 * shows here, and not as something that does not fit.
 */
function blankModel<V extends FinetuneValues, B extends Readable>(
  { device, values, learner }: Plannable<V, B>,
): object {
  return learner(planningDevice(device), values).model;
}

/** What a run takes, or why it cannot be. */
async function planned<V extends FinetuneValues, B extends Readable>(
  { device, values, dropout, learner, batches }: Plannable<V, B>,
): Promise<Planned> {
  const [batch, ...others] = sizesOf(batches(values));
  try {
    let learns: Learner<B>;
    return await planTraining({
      device,
      model: (device) => (learns = learner(device, values)).model,
      optimizer: (parameters) =>
        new AdamW(parameters, optimizerOptionsOf(values)),
      batch,
      others,
      objective: () => learns.objective,
      // More than two batches take what two take.
      gradientAccumulationSteps: Math.min(
        2,
        values["gradient-accumulation-steps"],
      ),
      dropout,
    });
  } catch (error) {
    if (error instanceof RangeError) return error;
    throw error;
  }
}

/** One batch of about every size there is, the largest first. */
function sizesOf<B extends Readable>(batches: Iterable<B>): B[] {
  const found = new Map<number, B>();
  for (const batch of batches) {
    // Sizes between two of these lie in the same buffers, or nearly.
    const size = Math.floor(8 * Math.log2(batch.inputs.length));
    const known = found.get(size);
    if (known === undefined || batch.inputs.length > known.inputs.length) {
      found.set(size, batch);
    }
  }
  return [...found.values()]
    .sort((a, b) => b.inputs.length - a.inputs.length);
}

/** The changes that save memory. */
async function alternatives<V extends FinetuneValues, B extends Readable>(
  run: Plannable<V, B>,
  allowance: Allowance,
): Promise<Alternative[]> {
  const found: Alternative[] = [];
  const add = async (flag: string, changes: Partial<FinetuneValues>) => {
    const plan = await planned({
      ...run,
      values: { ...run.values, ...changes },
    });
    found.push({ flag, planned: plan });
    return misfit(plan, allowance) === null;
  };
  const { values, device } = run;
  // What a run that is resumed cannot change would be no help.
  if (!values.resume) {
    for (let size = values["batch-size"], fits = false; size > 1 && !fits;) {
      size = Math.ceil(size / 2);
      found.pop();
      fits = await add(`--batch-size ${size}`, { "batch-size": size });
    }
  }
  if (values.recompute !== "block") {
    await add("--recompute block", { recompute: "block" });
  }
  if (
    !values.resume && values.dtype !== "f16" &&
    device.features.has("shader-f16")
  ) {
    await add("--dtype f16", { dtype: "f16" });
  }
  return found;
}
