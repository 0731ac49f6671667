/**
 * `deno task train`: trains a GPT on text.
 *
 * @module
 */

import { Device } from "../lib/gpu/device.ts";
import { hasCheckpoint, loadCheckpoint } from "../lib/io/checkpoint.ts";
import { isAdapterAlone } from "../models/folder.ts";
import { readArgs } from "./args.ts";
import { claimFolder, isFolder } from "./claim_folder.ts";
import { describeAdapter } from "./describe_adapter.ts";
import { findModel } from "./find_model.ts";
import { Interrupt } from "./interrupt.ts";
import { removeLeftovers } from "./leftovers.ts";
import { Pretraining } from "./pretraining.ts";
import { Progress } from "./progress.ts";
import { requireHalf } from "./self_test.ts";
import { Session } from "./session.ts";
import { TRAIN_FLAGS } from "./train_flags.ts";
import {
  resumedSettings,
  type Settings,
  settingsOf,
  trainProblems,
} from "./train_settings.ts";
import { describePlan, fittingPlan, plannedConfig } from "./training_plan.ts";
import {
  newRun,
  readData,
  resumedRun,
  savedRun,
  saveRun,
} from "./training_run.ts";
import { prepareTuning, settleTuning } from "./tuning_store.ts";

const COMMAND = {
  name: "train",
  about: "Trains a GPT on text, from scratch or from a model folder.\n\n" +
    "With no flags: a small one on built-in stories, into the folder out.",
  usage: "[FILE…]",
  flags: TRAIN_FLAGS,
  check: trainProblems,
} as const;

/** Runs the command and returns the exit code. */
export async function train(args: string[]): Promise<number> {
  const parsed = readArgs(COMMAND, args);
  if (parsed === null) return 0;
  const { out, resume, json, profile, tune } = parsed.values;
  const dry = parsed.values["dry-run"];
  using held = new DisposableStack();
  const exists = isFolder(out);
  if (!dry && (resume || exists)) held.use(claimFolder(out, parsed.values));

  // Nothing is written, and no GPU asked for, before all that is asked makes
  // sense.
  const checkpoint = resume ? held.use(await loadCheckpoint(out)) : null;
  const settings = checkpoint
    ? resumedSettings(savedRun(checkpoint, out), parsed)
    : await withModel(settingsOf(parsed));
  const data = await readData(settings, resume ? out : settings.initFrom);

  using progress = new Progress();
  using device = await Device.open();
  progress.line(describeAdapter(device));
  if (settings.dtype === "f16") await requireHalf(device);
  const { vocabSize } = data.tokenizer;
  const config = plannedConfig(settings, vocabSize, checkpoint);
  const planned = { device, settings, config, resumed: resume };
  if (dry) {
    const { lines, fits } = await describePlan(planned);
    for (const line of lines) console.log(line);
    return fits ? 0 : 1;
  }
  prepareTuning(device, tune);
  const { untuned } = await fittingPlan(planned);
  await settleTuning(device, untuned, (line) => progress.line(line));
  const run = checkpoint
    ? await resumedRun(device, settings, data, { folder: out, checkpoint })
    : await newRun(device, settings, data);
  if (!exists) held.use(claimFolder(out, parsed.values));
  if (!resume && hasCheckpoint(out)) {
    // From here on the folder is this run's, whenever it may be killed.
    await saveRun(out, run, { step: 0, seconds: 0 });
    removeLeftovers(out, "model.safetensors");
  }
  using interrupt = new Interrupt(() =>
    progress.line("saving after this step; a second signal ends at once")
  );
  const around = { out, json, profile, progress, interrupt };
  return await new Session(device, new Pretraining(device, run, out), around)
    .run();
}

/** Settings whose model, if they name one of the hub, lies in a folder. */
async function withModel(settings: Settings): Promise<Settings> {
  const { initFrom } = settings;
  if (initFrom === null) return settings;
  const folder = await findModel(initFrom);
  if (!isAdapterAlone(folder)) return { ...settings, initFrom: folder };
  throw new Error(
    `Cannot train from ${initFrom}: it is an adapter; "deno task convert" merges it into a model`,
  );
}
