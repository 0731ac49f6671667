/**
 * Trains and runs GPT language models on the GPU, through WebGPU.
 *
 * ```ts
 * import {
 *   AdamW,
 *   CharTokenizer,
 *   cosineSchedule,
 *   Device,
 *   generate,
 *   GPT2,
 *   parameters,
 *   Random,
 *   RandomCrops,
 *   stories,
 *   train,
 * } from "@shaderloom/shaderloom";
 *
 * const text = stories({ bytes: 20_000 });
 * const tokenizer = new CharTokenizer(text);
 * const tokens = tokenizer.encode(text);
 * const random = new Random(1337);
 *
 * using device = await Device.open();
 * const model = new GPT2({ device, random }, {
 *   vocabSize: tokenizer.vocabSize,
 *   blockSize: 32,
 *   nLayer: 2,
 *   nHead: 2,
 *   nEmbd: 32,
 * });
 * const run = train({
 *   device,
 *   model,
 *   optimizer: new AdamW(parameters(model)),
 *   batches: new RandomCrops(tokens, { batchSize: 8, blockSize: 32, random }),
 *   schedule: cosineSchedule({ learningRate: 3e-3, lrDecayIters: 50 }),
 *   steps: 50,
 * });
 * for await (const step of run) {
 *   if (step.step % 25 > 0) continue;
 *   for (const { step: n, loss } of await step.read()) console.log(n, loss);
 * }
 *
 * const prompt = tokenizer.encode("Once upon a time");
 * const written = await Array.fromAsync(
 *   generate({ device, model, prompt, maxNewTokens: 40, random }),
 * );
 * console.log(tokenizer.decode(written));
 * ```
 *
 * @module
 */

export * from "./lib/data/batch.ts";
export { type Document, readCorpus } from "./lib/data/corpus.ts";
export type { DownloadOptions } from "./lib/data/download.ts";
export * from "./lib/data/evaluation.ts";
export * from "./lib/data/random_crops.ts";
export * from "./lib/data/sliding_window.ts";
export * from "./lib/data/split.ts";
export * from "./lib/data/stories.ts";
export * from "./lib/generate/generate.ts";
export * from "./lib/generate/sample.ts";
export * from "./lib/generate/stop.ts";
export type { AdapterSummary } from "./lib/gpu/adapter.ts";
export type { Arguments, Grid, Resident } from "./lib/gpu/arguments.ts";
export * from "./lib/gpu/device.ts";
export * from "./lib/gpu/error.ts";
export * from "./lib/gpu/kernel.ts";
export type { Storage } from "./lib/gpu/pool.ts";
export type { Dispatch, Pipeline } from "./lib/gpu/queue.ts";
export * from "./lib/gpu/scope.ts";
export type { Constants } from "./lib/gpu/specialize.ts";
export type { Digest } from "./lib/io/atomic.ts";
export * from "./lib/io/checkpoint.ts";
export * from "./lib/io/lock.ts";
export * from "./lib/io/safetensors.ts";
export type { TensorEntry } from "./lib/io/safetensors_header.ts";
export type { JsonValue } from "./lib/io/training_state.ts";
export * from "./lib/nn/cache.ts";
export * from "./lib/nn/layers.ts";
export * from "./lib/nn/parameters.ts";
export * from "./lib/ops/mod.ts";
export * from "./lib/optim/adamw.ts";
export * from "./lib/optim/schedule.ts";
export * from "./lib/random.ts";
export * from "./lib/tensor/backward.ts";
export type { Shape } from "./lib/tensor/shape.ts";
export * from "./lib/tensor/tape.ts";
export {
  type Dtype,
  type HostArray,
  type Origin,
  Parameter,
  readAll,
  Tensor,
} from "./lib/tensor/tensor.ts";
export * from "./lib/text/bpe.ts";
export type { BpeParts } from "./lib/text/bpe_vocabulary.ts";
export * from "./lib/text/byte.ts";
export * from "./lib/text/char.ts";
export * from "./lib/text/gpt2.ts";
export * from "./lib/text/gpt2_files.ts";
export * from "./lib/text/load.ts";
export * from "./lib/text/split_pattern.ts";
export * from "./lib/text/tokenizer.ts";
export type * from "./lib/text/tokenizer_form.ts";
export * from "./lib/text/tokenizer_json.ts";
export * from "./lib/text/train_bpe.ts";
export * from "./lib/train/evaluate.ts";
export * from "./lib/train/train.ts";
export * from "./models/folder.ts";
export * from "./models/gpt2.ts";
export * from "./models/gpt2_config.ts";
