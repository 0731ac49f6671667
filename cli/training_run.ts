/**
 * A run of `train` put together: data, tokenizer, model, optimizer, and where
 * they stand.
 *
 * @module
 */

import { join } from "node:path";
import type { Tokens } from "../lib/data/batch.ts";
import { readCorpus } from "../lib/data/corpus.ts";
import {
  RandomCrops,
  type RandomCropsState,
} from "../lib/data/random_crops.ts";
import { checkSame, fingerprint } from "../lib/data/sampler_state.ts";
import {
  SlidingWindow,
  type SlidingWindowState,
} from "../lib/data/sliding_window.ts";
import { splitData } from "../lib/data/split.ts";
import { stories } from "../lib/data/stories.ts";
import type { Device } from "../lib/gpu/device.ts";
import { type Checkpoint, saveCheckpoint } from "../lib/io/checkpoint.ts";
import type { JsonValue } from "../lib/io/training_state.ts";
import { parameters } from "../lib/nn/parameters.ts";
import { AdamW, type AdamWOptions } from "../lib/optim/adamw.ts";
import type { LossScaleState } from "../lib/optim/gradient_norm.ts";
import { cosineSchedule, type Schedule } from "../lib/optim/schedule.ts";
import { Random, type RandomState } from "../lib/random.ts";
import type { Tensor } from "../lib/tensor/tensor.ts";
import { loadTokenizer } from "../lib/text/load.ts";
import type { Tokenizer } from "../lib/text/tokenizer.ts";
import { type Companions, readCompanions } from "../models/companions.ts";
import {
  describeModel,
  endTokens,
  loadModel,
  readConfig,
} from "../models/folder.ts";
import { GPT2 } from "../models/gpt2.ts";
import type { ModelOptions } from "../models/pass.ts";
import {
  type Model,
  type ModelConfig,
  newModel,
} from "../models/model_types.ts";
import {
  fill,
  loadWeights,
  modelTensors,
  tensorSource,
} from "../models/weights.ts";
import { chooseTokenizer } from "./choose_tokenizer.ts";
import { requireRunOf } from "./run_kind.ts";
import {
  ADDED_SETTINGS,
  type SavedRun,
  type Settings,
} from "./train_settings.ts";

/** The tokens of both splits. */
export interface SplitTokens {
  readonly train: Tokens;
  readonly validation: Tokens;
}

/** What a run learns from, made ready before anything else is begun. */
export interface RunData {
  readonly tokenizer: Tokenizer;
  readonly tokens: SplitTokens;
}

/** Everything a run consists of. */
export interface TrainingRun extends RunData {
  readonly settings: Settings;
  readonly model: Model;
  /** What else the folder of its model says. */
  readonly companions?: Companions;
  readonly optimizer: AdamW;
  readonly batches: RandomCrops | SlidingWindow;
  readonly schedule: Schedule;
  /** What dropout is drawn from. */
  readonly random: Random;
  /** Steps taken before. */
  readonly start: number;
  /** Seconds spent on them. */
  readonly seconds: number;
}

/**
 * Reads the text of a run. The tokenizer is that of `folder`, or if there is
 * none, the one that the settings ask for.
 */
export async function readData(
  settings: Settings,
  folder: string | null,
): Promise<RunData> {
  const texts = await readTexts(settings.data);
  const { vocabSize, blockSize } = settings;
  const tokenizer = folder === null
    ? await chooseTokenizer(settings.tokenizer, { texts, vocabSize })
    : await loadTokenizer(folder);
  const [end] = folder === null
    ? tokenizer.specialTokens.values()
    : endTokens(readConfig(folder), tokenizer, readCompanions(folder));
  return {
    tokenizer,
    tokens: splitTokens(texts, { tokenizer, end, blockSize }),
  };
}

/** A run from its beginning. */
export async function newRun(
  device: Device,
  settings: Settings,
  data: RunData,
): Promise<TrainingRun> {
  const random = new Random(settings.seed);
  if (settings.initFrom !== null) {
    const options = { dropout: settings.dropout, ...modelOptions(settings) };
    const { model, companions } = await loadModel(
      device,
      settings.initFrom,
      options,
    );
    const { nLayer, nHead, nEmbd } = model.config;
    const bias = "bias" in model.config && model.config.bias;
    const blockSize = Math.min(settings.blockSize, model.config.blockSize);
    const known = { ...settings, nLayer, nHead, nEmbd, bias, blockSize };
    return assemble(known, { ...data, model, companions, random });
  }
  const { blockSize, nLayer, nHead, nEmbd, dropout, bias } = settings;
  const { vocabSize } = data.tokenizer;
  const model = new GPT2(
    { device, random: random.fork() },
    { vocabSize, blockSize, nLayer, nHead, nEmbd, dropout, bias },
    modelOptions(settings),
  );
  return assemble(settings, { ...data, model, random });
}

/** The run that a checkpoint holds, under settings made from its own. */
export async function resumedRun(
  device: Device,
  settings: Settings,
  data: RunData,
  { folder, checkpoint }: { folder: string; checkpoint: Checkpoint },
): Promise<TrainingRun> {
  const { step, state } = checkpoint;
  checkSame("the text to validate on", { fingerprint: state.validation }, {
    fingerprint: fingerprint(data.tokens.validation),
  });
  const model = newModel(
    { device, random: null },
    state.model as unknown as ModelConfig,
    modelOptions(settings),
  );
  const random = Random.at(state.random as unknown as RandomState);
  const companions = readCompanions(folder);
  const run = assemble(settings, { ...data, model, companions, random });
  await loadWeights(model, checkpoint.model, join(folder, "model.safetensors"));
  const moments = momentTensors(run.optimizer);
  await fill(
    moments,
    new Map([...moments.keys()].map((name) => [name, name])),
    checkpoint.optimizer,
    join(folder, "optimizer.safetensors"),
  );
  run.optimizer.resume(step, state.lossScale as unknown as LossScaleState);
  run.batches.state = state.batches as unknown as
    & RandomCropsState
    & SlidingWindowState;
  return { ...run, start: step, seconds: Number(state.seconds) };
}

/** How the model of a run computes. */
export function modelOptions({ dtype, recompute }: Settings): ModelOptions {
  return { dtype, recompute };
}

/** The knobs of a run's optimizer. */
export function optimizerOptions(settings: Settings): AdamWOptions {
  const { beta1, beta2, weightDecay, gradClip, dtype } = settings;
  const lossScale = dtype === "f16" ? {} : null;
  return { beta1, beta2, weightDecay, gradClip, lossScale };
}

/** How the run of a folder's checkpoint was set up, and how far it had come. */
export function savedRun(checkpoint: Checkpoint, out: string): SavedRun {
  requireRunOf("train", checkpoint, out);
  const { step, state } = checkpoint;
  const saved = state.settings as unknown as Settings;
  return { settings: { ...ADDED_SETTINGS, ...saved }, step };
}

/** Writes the run to its folder, as it stands after `step`. */
export async function saveRun(
  folder: string,
  run: TrainingRun,
  { step, seconds }: { step: number; seconds: number },
): Promise<void> {
  describeModel(folder, run);
  const lossScale = await run.optimizer.lossScaleState();
  await saveCheckpoint(folder, {
    step,
    model: modelTensors(run.model),
    optimizer: tensorSource(momentTensors(run.optimizer)),
    state: {
      settings: run.settings as unknown as JsonValue,
      model: run.model.config as unknown as JsonValue,
      batches: run.batches.state as unknown as JsonValue,
      validation: fingerprint(run.tokens.validation),
      random: run.random.state as unknown as JsonValue,
      ...lossScale && { lossScale: lossScale as unknown as JsonValue },
      seconds,
    },
  });
}

async function readTexts(data: readonly string[]): Promise<string[]> {
  if (data.length === 0) return [stories()];
  return (await readCorpus(data)).map(({ text }) => text);
}

function assemble(
  settings: Settings,
  parts: RunData & Pick<TrainingRun, "model" | "companions" | "random">,
): TrainingRun {
  const { batchSize, blockSize, seed, sampler, stride } = settings;
  const { train } = parts.tokens;
  const shape = { batchSize, blockSize, random: new Random(seed + 1) };
  return {
    settings,
    ...parts,
    optimizer: new AdamW(
      parameters(parts.model),
      optimizerOptions(settings),
    ),
    batches: sampler === "sliding"
      ? new SlidingWindow(train, { ...shape, stride })
      : new RandomCrops(train, shape),
    schedule: cosineSchedule(settings),
    start: 0,
    seconds: 0,
  };
}

/** Texts as one stream of ids, each ended by the token for that, if there is one. */
function splitTokens(
  texts: readonly string[],
  { tokenizer, end, blockSize }: {
    readonly tokenizer: Tokenizer;
    readonly end: number | undefined;
    readonly blockSize: number;
  },
): SplitTokens {
  const Ids = tokenizer.vocabSize <= 65536 ? Uint16Array : Uint32Array;
  const parts = texts.map((text) => tokenizer.encode(text));
  const ended = end !== undefined && texts.length > 1 ? 1 : 0;
  const length = parts.reduce((sum, part) => sum + part.length + ended, 0);
  const ids = new Ids(length);
  let at = 0;
  for (const part of parts) {
    ids.set(part, at);
    at += part.length;
    if (ended) ids[at++] = end!;
  }
  return splitData<Tokens>(ids, { blockSize });
}

/** AdamW's moments, by the names PyTorch gives them. */
export function momentTensors(optimizer: AdamW): Map<string, Tensor> {
  const named = new Map<string, Tensor>();
  for (const [name, { m, v }] of optimizer.moments) {
    named.set(`exp_avg.${name}`, m);
    named.set(`exp_avg_sq.${name}`, v);
  }
  return named;
}
