/**
 * Whether two folders hold the same model: what they predict after a text.
 *
 * @module
 */

import type { Device } from "../lib/gpu/device.ts";
import { noGrad } from "../lib/tensor/tape.ts";
import { Tensor } from "../lib/tensor/tensor.ts";
import type { Tokenizer } from "../lib/text/tokenizer.ts";
import type { LoadedModel } from "../models/folder.ts";

/** What a model makes of a short text. */
export interface Prediction {
  /** The ids of the text. */
  readonly ids: Uint32Array<ArrayBuffer>;
  /** What comes after each, `[T, V]`. */
  readonly logits: Float32Array;
}

/** What a model makes of a short text that is always the same. */
export async function predict(
  device: Device,
  { model, tokenizer }: LoadedModel,
): Promise<Prediction> {
  const { vocabSize, blockSize } = model.config;
  const ids = sampleIds(tokenizer, vocabSize).slice(0, blockSize);
  using _scope = device.scope();
  const input = Tensor.from(device, ids, [1, ids.length]);
  const logits = await noGrad(() => model.forward(input)).read();
  return { ids, logits: logits as Float32Array };
}

/** The length of the difference of logits, relative to that of `expected`. */
export function relativeDistance(a: Float32Array, b: Float32Array): number {
  let difference = 0;
  let length = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    length += b[i] ** 2;
  }
  return difference === 0 ? 0 : Math.sqrt(difference / length);
}

/** What the models are compared on. */
const TEXT =
  "In 1876 the first words were carried by wire; today 64 of them cross the sea in a moment, and nobody looks up.";

/** Its ids, or those of a vocabulary that cannot write it, spread over all. */
function sampleIds(
  tokenizer: Tokenizer,
  vocabSize: number,
): Uint32Array<ArrayBuffer> {
  try {
    return tokenizer.encode(TEXT);
  } catch {
    return Uint32Array.from(
      { length: 64 },
      (_, i) => Math.floor(i * vocabSize / 64),
    );
  }
}
