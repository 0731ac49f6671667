/**
 * A run of `train` before it begins: what it takes, and whether that fits.
 *
 * @module
 */

import type { Device } from "../lib/gpu/device.ts";
import type { Checkpoint } from "../lib/io/checkpoint.ts";
import { blankBatch } from "../lib/data/batch.ts";
import { generate } from "../lib/generate/generate.ts";
import { AdamW } from "../lib/optim/adamw.ts";
import { Random } from "../lib/random.ts";
import { type MemoryPlan, planTraining } from "../lib/train/plan.ts";
import { nextTokenLoss } from "../lib/train/train.ts";
import { readConfig } from "../models/folder.ts";
import {
  type Model,
  type ModelConfig,
  modelParameterCount,
  newModel,
} from "../models/model_types.ts";
import {
  type Allowance,
  allowanceOf,
  type Alternative,
  memoryReport,
  misfit,
  type Planned,
  requireFit,
} from "./memory_report.ts";
import type { Settings } from "./train_settings.ts";

/** The model that a run would train: that of a checkpoint, a folder, or a new one. */
export function plannedConfig(
  settings: Settings,
  vocabSize: number,
  checkpoint: Checkpoint | null,
): ModelConfig {
  if (checkpoint) return checkpoint.state.model as unknown as ModelConfig;
  const { initFrom, dropout } = settings;
  if (initFrom !== null) return readConfig(initFrom, { dropout });
  const { blockSize, nLayer, nHead, nEmbd, bias } = settings;
  return { vocabSize, blockSize, nLayer, nHead, nEmbd, dropout, bias };
}

/** A run that is to be planned. */
export interface RunToPlan {
  /** Where it would run. */
  readonly device: Device;
  /** Its settings. */
  readonly settings: Settings;
  /** Its model. */
  readonly config: ModelConfig;
  /** Whether it goes on with what was saved, and so cannot change much. */
  readonly resumed: boolean;
}

/** What a run of these settings takes, or why it cannot be. */
export async function planRun(
  { device, settings, config }: RunToPlan,
): Promise<Planned> {
  const { batchSize, gradientAccumulationSteps } = settings;
  const blockSize = Math.min(settings.blockSize, config.blockSize);
  const lossScale = settings.dtype === "f16" ? {} : null;
  try {
    return await planTraining({
      device,
      model: (device) => newModel({ device, random: null }, config, settings),
      optimizer: (parameters) =>
        new AdamW(parameters, { ...settings, lossScale }),
      batch: blankBatch(batchSize, blockSize),
      objective: nextTokenLoss,
      // More than two batches take what two take.
      gradientAccumulationSteps: Math.min(2, gradientAccumulationSteps),
      dropout: settings.dropout > 0,
      between: writeTwoTokens,
    });
  } catch (error) {
    if (error instanceof RangeError) return error;
    throw error;
  }
}

/** Writes what a sample begins with: its memory does not grow with its length. */
async function writeTwoTokens(device: Device, model: Model): Promise<void> {
  const prompt = Uint32Array.of(0);
  const random = new Random(0);
  const tokens = generate({ device, model, prompt, random, maxNewTokens: 2 });
  for await (const _token of tokens);
}

/** The plan as `--dry-run` prints it, and whether the run may fit. */
export async function describePlan(
  run: RunToPlan,
): Promise<{ lines: string[]; fits: boolean }> {
  const { device, settings, config } = run;
  const allowance = allowanceOf(device);
  const planned = await planRun(run);
  const others = await alternatives(run, allowance);
  const { batchSize, blockSize, dtype, recompute } = settings;
  return {
    lines: [
      `model: ${
        modelParameterCount(config)
      } parameters; batches of ${batchSize} x ${
        Math.min(blockSize, config.blockSize)
      } tokens, ${dtype}, recompute ${recompute}`,
      ...memoryReport(planned, allowance, others),
    ],
    fits: misfit(planned, allowance) === null,
  };
}

/** The plan of a run; throws a line that says why it cannot be, and what would help. */
export async function fittingPlan(run: RunToPlan): Promise<MemoryPlan> {
  const allowance = allowanceOf(run.device);
  const planned = await planRun(run);
  return await requireFit(
    planned,
    allowance,
    () => alternatives(run, allowance),
  );
}

/**
 * The changes that save memory: half the batch and half the block, halved again
 * until it fits, then computing twice, then f16; where none of them is enough, and
 * the model is new, half its layers and half its channels.
 */
async function alternatives(
  { device, settings, config, resumed }: RunToPlan,
  allowance: Allowance,
): Promise<Alternative[]> {
  const fresh = !resumed && settings.initFrom === null;
  const found: Alternative[] = [];
  const add = async (flag: string, changes: Partial<Settings>) => {
    const changed = { ...settings, ...changes };
    const planned = await planRun({
      device,
      settings: changed,
      config: fresh ? plannedConfig(changed, config.vocabSize, null) : config,
      resumed,
    });
    found.push({ flag, planned });
    return misfit(planned, allowance) === null;
  };
  const halve = async (
    size: number,
    flag: string,
    change: (size: number) => Partial<Settings>,
    unit = 1,
  ) => {
    for (let fits = false; size > unit && !fits;) {
      size = unit * Math.ceil(size / unit / 2);
      if (found.at(-1)?.flag.startsWith(flag)) found.pop();
      fits = await add(`${flag} ${size}`, change(size));
    }
  };
  // What a run that is resumed cannot change would be no help.
  if (!resumed) {
    await halve(
      settings.batchSize,
      "--batch-size",
      (batchSize) => ({ batchSize }),
    );
    const block = Math.min(settings.blockSize, config.blockSize);
    await halve(block, "--block-size", (blockSize) => ({ blockSize }));
  }
  if (settings.recompute !== "block") {
    await add("--recompute block", { recompute: "block" });
  }
  if (
    !resumed && settings.dtype !== "f16" && device.features.has("shader-f16")
  ) {
    await add("--dtype f16", { dtype: "f16" });
  }
  const enough = found.some(({ planned }) =>
    misfit(planned, allowance) === null
  );
  if (fresh && !enough) {
    const { nLayer, nHead, nEmbd } = settings;
    await halve(nLayer, "--n-layer", (nLayer) => ({ nLayer }));
    await halve(nEmbd, "--n-embd", (nEmbd) => ({ nEmbd }), nHead);
  }
  return found;
}
