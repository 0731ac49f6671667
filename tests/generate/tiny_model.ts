/**
 * Models small enough to be read in full, and decided enough that rounding does
 * not change what they find likeliest.
 *
 * @module
 */

import type { Device } from "../../lib/gpu/device.ts";
import { parameters } from "../../lib/nn/parameters.ts";
import { Random } from "../../lib/random.ts";
import { GPT2 } from "../../models/gpt2.ts";
import type { ModelOptions } from "../../models/pass.ts";
import type { GPT2Config } from "../../models/gpt2_config.ts";

/**
 * A model whose weights are drawn ten times as wide as usual, and positions
 * wider still, so that it does not repeat itself.
 */
export function tinyModel(
  device: Device,
  config: Partial<GPT2Config> = {},
  options: ModelOptions = {},
): GPT2 {
  const random = new Random(5);
  const model = new GPT2({ device, random }, {
    vocabSize: 61,
    blockSize: 32,
    nLayer: 2,
    nHead: 3,
    nEmbd: 24,
    ...config,
  }, options);
  for (const [name, parameter] of parameters(model)) {
    const std = name === "wpe.weight" ? 2 : 0.2;
    parameter.write(random.normal(parameter.size, std));
  }
  return model;
}

/** Gives the memory of a model back. */
export function release(model: GPT2): void {
  for (const parameter of parameters(model).values()) {
    parameter[Symbol.dispose]();
  }
}

/** Ids below `vocabSize`. */
export function someIds(
  count: number,
  vocabSize = 61,
  seed = 9,
): Uint32Array<ArrayBuffer> {
  const random = new Random(seed);
  return Uint32Array.from({ length: count }, () => random.integer(vocabSize));
}
