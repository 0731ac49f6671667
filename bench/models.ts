/**
 * The models that whole runs are measured on.
 *
 * @module
 */

import type { Device } from "../lib/gpu/device.ts";
import { Random } from "../lib/random.ts";
import { GPT2 } from "../models/gpt2.ts";
import type { GPT2Config } from "../models/gpt2_config.ts";
import { type BenchOptions, wanted } from "./report.ts";

/** A model to measure, and the rows of its batches. */
export interface BenchModel {
  /** What it is called in the results. */
  readonly name: string;
  /** Its sizes. */
  readonly config: GPT2Config;
  /** Rows of a batch. */
  readonly batchSize: number;
}

/** nanoGPT's example for a CPU, its example for one GPU at a sixteenth of the batch, and GPT-2. */
export const MODELS: readonly BenchModel[] = [
  {
    name: "L4 H4 C128 T64 B12 V65",
    config: { vocabSize: 65, blockSize: 64, nLayer: 4, nHead: 4, nEmbd: 128 },
    batchSize: 12,
  },
  {
    name: "L6 H6 C384 T256 B4 V65",
    config: { vocabSize: 65, blockSize: 256, nLayer: 6, nHead: 6, nEmbd: 384 },
    batchSize: 4,
  },
  {
    name: "L12 H12 C768 T64 B4 V50257",
    config: {
      vocabSize: 50257,
      blockSize: 64,
      nLayer: 12,
      nHead: 12,
      nEmbd: 768,
    },
    batchSize: 4,
  },
];

/** As many runs a step as GPT-2, but of kernels that take next to no time. */
export const NARROW: BenchModel = {
  name: "L12 H2 C32 T16 B2 V65",
  config: { vocabSize: 65, blockSize: 16, nLayer: 12, nHead: 2, nEmbd: 32 },
  batchSize: 2,
};

/** One that takes no time, to see that a benchmark runs. */
export const TINY: BenchModel = {
  name: "L1 H2 C32 T16 B2 V65",
  config: { vocabSize: 65, blockSize: 16, nLayer: 1, nHead: 2, nEmbd: 32 },
  batchSize: 2,
};

/** The models that were asked for. */
export function wantedModels(
  { filters = [], quick = false }: Partial<BenchOptions>,
): BenchModel[] {
  const models = quick ? [TINY] : MODELS;
  return models.filter(({ name }) => wanted(name, filters));
}

/** An untrained model: what it computes takes as long as what a trained one does. */
export function untrained(device: Device, { config }: BenchModel): GPT2 {
  return new GPT2({ device, random: new Random(1) }, config);
}
