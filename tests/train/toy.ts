/**
 * A model that trains in no time, and what it learns from.
 *
 * @module
 */

import { RandomCrops } from "../../lib/data/random_crops.ts";
import type { Device } from "../../lib/gpu/device.ts";
import { Random } from "../../lib/random.ts";
import { GPT2 } from "../../models/gpt2.ts";
import type { GPT2Config } from "../../models/gpt2_config.ts";

const config: GPT2Config = {
  vocabSize: 31,
  blockSize: 8,
  nLayer: 1,
  nHead: 2,
  nEmbd: 16,
};

/** The model, always with the same weights. */
export function toy(
  device: Device,
  more: Partial<GPT2Config> = {},
): GPT2 {
  return new GPT2({ device, random: new Random(1) }, { ...config, ...more });
}

/** The same 500 tokens in the same order, cut into rows of a block. */
export function crops(batchSize: number): RandomCrops {
  const random = new Random(2);
  const tokens = Uint16Array.from(
    { length: 500 },
    () => random.integer(config.vocabSize),
  );
  return new RandomCrops(tokens, { batchSize, blockSize: 8, random });
}
