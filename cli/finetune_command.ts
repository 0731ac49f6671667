/**
 * A run of fine-tuning from the command line to its end, whatever is learned.
 *
 * @module
 */

import { Device } from "../lib/gpu/device.ts";
import {
  type Checkpoint,
  hasCheckpoint,
  loadCheckpoint,
} from "../lib/io/checkpoint.ts";
import { isAdapterAlone } from "../models/folder.ts";
import { claimFolder, isFolder } from "./claim_folder.ts";
import { type Described, factLines, warningLines } from "./described_data.ts";
import { describeAdapter } from "./describe_adapter.ts";
import { findModel } from "./find_model.ts";
import { type Course, courseOf } from "./finetune_course.ts";
import {
  describeFinetunePlan,
  fittingFinetunePlan,
  type Plannable,
} from "./finetune_plan.ts";
import {
  type Asked,
  type FinetuneValues,
  resumedValues,
} from "./finetune_values.ts";
import type { Finetuning } from "./finetuning.ts";
import { Interrupt } from "./interrupt.ts";
import { removeLeftovers } from "./leftovers.ts";
import { Progress } from "./progress.ts";
import { requireRunOf } from "./run_kind.ts";
import { requireHalf } from "./self_test.ts";
import { Session } from "./session.ts";
import { prepareTuning, settleTuning } from "./tuning_store.ts";

/** What a run is made of before there is a GPU. */
export interface Prepared<V, D> {
  readonly values: V;
  /** The folder of the model to fine-tune. */
  readonly folder: string;
  /** What it learns from. */
  readonly data: D;
  readonly course: Course;
}

/** One kind of fine-tuning. */
export interface Task<V extends FinetuneValues, D extends Described> {
  /** The command: "finetune classify", say. */
  readonly command: string;
  /** Reads what it learns from; nothing is asked of the GPU yet. */
  prepare(values: V, folder: string): Promise<D>;
  /** What is planned before it begins. */
  // deno-lint-ignore no-explicit-any -- the plan makes the batches it reads
  plannable(device: Device, prepared: Prepared<V, D>): Plannable<V, any>;
  /** The run at its beginning. */
  begin(
    device: Device,
    prepared: Prepared<V, D>,
    // deno-lint-ignore no-explicit-any -- the session does not read batches
  ): Promise<Finetuning<any>>;
}

/** Runs a task and returns the exit code. */
export async function finetuneWith<
  V extends FinetuneValues,
  D extends Described,
>(task: Task<V, D>, asked: Asked<V>): Promise<number> {
  const { out, resume, json, profile, tune } = asked.values;
  const dry = asked.values["dry-run"];
  using held = new DisposableStack();
  const exists = isFolder(out);
  if (exists) requireOther(out, asked.values.model);
  if (!dry && (resume || exists)) held.use(claimFolder(out, asked.values));

  // Nothing is written, and no GPU asked for, before all that is asked makes
  // sense.
  const checkpoint = resume ? held.use(await loadCheckpoint(out)) : null;
  const prepared = await prepare(task, asked, checkpoint);

  using progress = new Progress();
  using device = await Device.open();
  progress.line(describeAdapter(device));
  if (prepared.values.dtype === "f16") await requireHalf(device);
  const plannable = task.plannable(device, prepared);
  if (dry) {
    const { lines, fits } = await describeFinetunePlan(plannable);
    const { data } = prepared;
    for (const line of warningLines(data)) progress.line(line);
    for (const line of [...factLines(data), ...lines]) console.log(line);
    return fits ? 0 : 1;
  }
  prepareTuning(device, tune);
  const { untuned } = await fittingFinetunePlan(plannable);
  await settleTuning(device, untuned, (line) => progress.line(line));
  const run = await task.begin(device, prepared);
  if (checkpoint) await run.resume(checkpoint);
  if (!exists) held.use(claimFolder(out, asked.values));
  if (!checkpoint) {
    // From here on the folder is this run's, whenever it may be killed.
    const replaces = hasCheckpoint(out);
    await run.save(run.saved);
    if (replaces) removeLeftovers(out, run.weightsName);
  }
  using interrupt = new Interrupt(() =>
    progress.line("saving after this step; a second signal ends at once")
  );
  const around = { out, json, profile, progress, interrupt };
  return await new Session(device, run, around).run();
}

/** What a run is made of, from the flags and, if it is resumed, its checkpoint. */
export async function prepare<V extends FinetuneValues, D extends Described>(
  task: Task<V, D>,
  asked: Asked<V>,
  checkpoint: Checkpoint | null = null,
): Promise<Prepared<V, D>> {
  const { out } = asked.values;
  if (checkpoint) requireRunOf(task.command, checkpoint, out);
  const values = checkpoint
    ? resumedValues(checkpoint.state.values as unknown as V, asked)
    : asked.values;
  const folder = await findModel(values.model!);
  requireModel(folder, values);
  const data = await task.prepare(values, folder);
  const { batches } = data;
  const course = courseOf(values, { batches, taken: checkpoint?.step });
  return { values, folder, data, course };
}

/** Refuses a folder of which only an adapter is known. */
function requireModel(folder: string, { model }: FinetuneValues): void {
  if (!isAdapterAlone(folder)) return;
  throw new Error(
    `Cannot fine-tune ${model}: it holds an adapter, no model; deno task convert --model ${model} --out DIR merges it into its base first`,
  );
}

/** Refuses to write a run over the model that it needs. */
function requireOther(out: string, model = ""): void {
  if (!isFolder(model)) return;
  if (Deno.realPathSync(out) !== Deno.realPathSync(model)) return;
  throw new Error(
    `Cannot fine-tune ${model} into itself: --out has to be another folder`,
  );
}
