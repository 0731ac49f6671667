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
import {
  SlidingWindow,
  type SlidingWindowState,
} from "../lib/data/sliding_window.ts";
import { splitData } from "../lib/data/split.ts";
import { stories } from "../lib/data/stories.ts";
import type { Device } from "../lib/gpu/device.ts";
import { loadCheckpoint, saveCheckpoint } from "../lib/io/checkpoint.ts";
import type { JsonValue } from "../lib/io/training_state.ts";
import { parameters } from "../lib/nn/parameters.ts";
import { AdamW } from "../lib/optim/adamw.ts";
import { cosineSchedule, type Schedule } from "../lib/optim/schedule.ts";
import { Random, type RandomState } from "../lib/random.ts";
import type { Tensor } from "../lib/tensor/tensor.ts";
import { loadTokenizer } from "../lib/text/load.ts";
import type { Tokenizer } from "../lib/text/tokenizer.ts";
import {
  describeModel,
  fill,
  loadModel,
  loadWeights,
  modelTensors,
  tensorSource,
} from "../models/folder.ts";
import { GPT2 } from "../models/gpt2.ts";
import { chooseTokenizer } from "./choose_tokenizer.ts";
import type { Settings } from "./train_flags.ts";

/** The tokens of both splits. */
export interface SplitTokens {
  readonly train: Tokens;
  readonly validation: Tokens;
}

/** Everything a run consists of. */
export interface TrainingRun {
  readonly settings: Settings;
  readonly tokenizer: Tokenizer;
  readonly tokens: SplitTokens;
  readonly model: GPT2;
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

/** A run from its beginning. */
export async function newRun(
  device: Device,
  settings: Settings,
): Promise<TrainingRun> {
  const random = new Random(settings.seed);
  const texts = await readTexts(settings.data);
  const { initFrom, vocabSize } = settings;
  const loaded = initFrom === null ? null : await loadModel(device, initFrom);
  const tokenizer = loaded?.tokenizer ??
    await chooseTokenizer(settings.tokenizer, { texts, vocabSize });
  const model = loaded?.model ??
    new GPT2({ device, random: random.fork() }, sizes(settings, tokenizer));
  const known = loaded === null ? settings : {
    ...settings,
    nLayer: model.config.nLayer,
    nHead: model.config.nHead,
    nEmbd: model.config.nEmbd,
    bias: model.config.bias,
    dropout: model.config.dropout,
    blockSize: Math.min(settings.blockSize, model.config.blockSize),
  };
  return assemble(known, { texts, tokenizer, model, random });
}

/** The run a folder holds, under settings made from those it was saved with. */
export async function resumedRun(
  device: Device,
  folder: string,
  settle: (saved: Settings) => Settings,
): Promise<TrainingRun> {
  using checkpoint = await loadCheckpoint(folder);
  const { step, state } = checkpoint;
  const settings = settle(state.settings as unknown as Settings);
  const texts = await readTexts(settings.data);
  const tokenizer = await loadTokenizer(folder);
  const random = Random.at(state.random as unknown as RandomState);
  const model = new GPT2(
    { device, random: new Random(0) },
    sizes(settings, tokenizer),
  );
  const run = assemble(settings, { texts, tokenizer, model, random });
  loadWeights(model, checkpoint.model, join(folder, "model.safetensors"));
  const moments = momentTensors(run.optimizer);
  fill(
    moments,
    new Map([...moments.keys()].map((name) => [name, name])),
    checkpoint.optimizer,
    join(folder, "optimizer.safetensors"),
  );
  run.optimizer.resume(step);
  run.batches.state = state.batches as unknown as
    & RandomCropsState
    & SlidingWindowState;
  return { ...run, start: step, seconds: Number(state.seconds) };
}

/** Writes the run to its folder, as it stands after `step`. */
export async function saveRun(
  folder: string,
  run: TrainingRun,
  { step, seconds }: { step: number; seconds: number },
): Promise<void> {
  describeModel(folder, run);
  await saveCheckpoint(folder, {
    step,
    model: modelTensors(run.model),
    optimizer: tensorSource(momentTensors(run.optimizer)),
    state: {
      settings: run.settings as unknown as JsonValue,
      batches: run.batches.state as unknown as JsonValue,
      random: run.random.state as unknown as JsonValue,
      seconds,
    },
  });
}

async function readTexts(data: readonly string[]): Promise<string[]> {
  if (data.length === 0) return [stories()];
  return (await readCorpus(data)).map(({ text }) => text);
}

function sizes(settings: Settings, { vocabSize }: Tokenizer) {
  const { blockSize, nLayer, nHead, nEmbd, dropout, bias } = settings;
  return { vocabSize, blockSize, nLayer, nHead, nEmbd, dropout, bias };
}

function assemble(
  settings: Settings,
  { texts, tokenizer, model, random }: {
    texts: readonly string[];
    tokenizer: Tokenizer;
    model: GPT2;
    random: Random;
  },
): TrainingRun {
  const { batchSize, blockSize, seed } = settings;
  const tokens = splitTokens(texts, tokenizer, blockSize);
  const shape = { batchSize, blockSize, random: new Random(seed + 1) };
  return {
    settings,
    tokenizer,
    tokens,
    model,
    optimizer: new AdamW(parameters(model), settings),
    batches: settings.sampler === "sliding"
      ? new SlidingWindow(tokens.train, { ...shape, stride: settings.stride })
      : new RandomCrops(tokens.train, shape),
    schedule: cosineSchedule(settings),
    random,
    start: 0,
    seconds: 0,
  };
}

/** Texts as one stream of ids, each ended by the token for that, if there is one. */
function splitTokens(
  texts: readonly string[],
  tokenizer: Tokenizer,
  blockSize: number,
): SplitTokens {
  const [end] = tokenizer.specialTokens.values();
  const Ids = tokenizer.vocabSize <= 65536 ? Uint16Array : Uint32Array;
  const parts = texts.map((text) => tokenizer.encode(text));
  const ended = end !== undefined && texts.length > 1 ? 1 : 0;
  const length = parts.reduce((sum, part) => sum + part.length + ended, 0);
  const ids = new Ids(length);
  let at = 0;
  for (const part of parts) {
    ids.set(part, at);
    at += part.length;
    if (ended) ids[at++] = end;
  }
  return splitData<Tokens>(ids, { blockSize });
}

/** AdamW's moments, by the names PyTorch gives them. */
function momentTensors(optimizer: AdamW): Map<string, Tensor> {
  const named = new Map<string, Tensor>();
  for (const [name, { m, v }] of optimizer.moments) {
    named.set(`exp_avg.${name}`, m);
    named.set(`exp_avg_sq.${name}`, v);
  }
  return named;
}
