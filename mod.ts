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
export * from "./lib/data/class_batches.ts";
export type { EpochsState } from "./lib/data/epochs.ts";
export * from "./lib/data/class_examples.ts";
export * from "./lib/data/classification.ts";
export { type Document, readCorpus } from "./lib/data/corpus.ts";
export type { DownloadOptions } from "./lib/data/download.ts";
export * from "./lib/data/evaluation.ts";
export * from "./lib/data/labeled_text.ts";
export type {
  InstructionExample,
  InstructionMessage,
  InstructionShape,
} from "./lib/data/instruction_shapes.ts";
export * from "./lib/data/instructions.ts";
export * from "./lib/data/learned_sequences.ts";
export * from "./lib/data/multiple_choice.ts";
export * from "./lib/data/packing.ts";
export * from "./lib/data/random_crops.ts";
export * from "./lib/data/sequence_batches.ts";
export * from "./lib/data/sliding_window.ts";
export * from "./lib/data/split.ts";
export * from "./lib/data/stories.ts";
export * from "./lib/data/table.ts";
export * from "./lib/generate/generate.ts";
export * from "./lib/generate/sample.ts";
export * from "./lib/generate/stop.ts";
export type { AdapterSummary } from "./lib/gpu/adapter.ts";
export type { Arguments, Grid, Resident } from "./lib/gpu/arguments.ts";
export * from "./lib/gpu/device.ts";
export { GpuError } from "./lib/gpu/error.ts";
export { Image, type ImageSize } from "./lib/gpu/image.ts";
export type { ImageBlocks } from "./lib/gpu/image_maker.ts";
export { type CopyOptions, Images } from "./lib/gpu/images.ts";
export * from "./lib/gpu/kernel.ts";
export * from "./lib/gpu/kernel_totals.ts";
export * from "./lib/gpu/plan.ts";
export type { Span, Storage } from "./lib/gpu/pool.ts";
export type {
  HostSpan,
  Pending,
  Profile,
  Profiler,
  Slice,
} from "./lib/gpu/profiler.ts";
export type { Bound, Pipeline } from "./lib/gpu/bind_groups.ts";
export type { NewKernel } from "./lib/gpu/precompiler.ts";
export type { Dispatch, Timer, Work } from "./lib/gpu/queue.ts";
export * from "./lib/gpu/roofline.ts";
export * from "./lib/gpu/scope.ts";
export type { Constants, Types } from "./lib/gpu/specialize.ts";
export * from "./lib/gpu/trace.ts";
export * from "./lib/gpu/tuner.ts";
export type { Trial, TrialResult, Tunable, Tuning } from "./lib/gpu/tuning.ts";
export { Twins } from "./lib/gpu/twins.ts";
export type { Digest } from "./lib/io/atomic.ts";
export * from "./lib/io/checkpoint.ts";
export type { FloatDtype } from "./lib/io/dtype.ts";
export * from "./lib/io/hub.ts";
export {
  type DownloadProgress,
  type HubOptions,
  hubSettings,
  hubVariables,
} from "./lib/io/hub_settings.ts";
export * from "./lib/io/lock.ts";
export * from "./lib/io/safetensors.ts";
export type { TensorEntry } from "./lib/io/safetensors_header.ts";
export type { JsonValue, WeightsName } from "./lib/io/training_state.ts";
export * from "./lib/io/weights.ts";
export * from "./lib/nn/adapter.ts";
export * from "./lib/nn/cache.ts";
export * from "./lib/nn/freeze.ts";
export * from "./lib/nn/layers.ts";
export * from "./lib/nn/linear.ts";
export * from "./lib/nn/lora.ts";
export * from "./lib/nn/parameters.ts";
export * from "./lib/nn/rms_norm.ts";
export * from "./lib/nn/rotary.ts";
export * from "./lib/ops/mod.ts";
export { turnsFor } from "./lib/ops/rope.ts";
export * from "./lib/optim/adamw.ts";
export type { LossScale, LossScaleState } from "./lib/optim/gradient_norm.ts";
export * from "./lib/optim/schedule.ts";
export * from "./lib/random.ts";
export * from "./lib/report/class_table.ts";
export type { Confusion } from "./lib/report/confusion.ts";
export * from "./lib/report/confusion_picture.ts";
export * from "./lib/report/confusion_text.ts";
export * from "./lib/report/curves.ts";
export {
  type Area,
  type Dot,
  type Drawing,
  type Ink,
  type Label,
  type Point,
  type Polyline,
  svgOf,
} from "./lib/report/drawing.ts";
export type { Cell } from "./lib/report/markup.ts";
export * from "./lib/report/metrics.ts";
export { pngOf } from "./lib/report/raster.ts";
export * from "./lib/report/report.ts";
export * from "./lib/report/report_files.ts";
export type { AnsweredPrompt, Sample } from "./lib/report/sections.ts";
export * from "./lib/tensor/backward.ts";
export {
  type Halves,
  Parameter,
  type ParameterData,
  type Whole,
} from "./lib/tensor/parameter.ts";
export * from "./lib/tensor/recompute.ts";
export type { Shape } from "./lib/tensor/shape.ts";
export * from "./lib/tensor/tape.ts";
export {
  type Dtype,
  type GradientPlace,
  type HostArray,
  type Origin,
  readAll,
  Tensor,
} from "./lib/tensor/tensor.ts";
export type { AddedToken } from "./lib/text/added_tokens.ts";
export * from "./lib/text/answer_scores.ts";
export * from "./lib/text/bpe.ts";
export type { BpeParts } from "./lib/text/bpe_vocabulary.ts";
export * from "./lib/text/byte.ts";
export * from "./lib/text/char.ts";
export type { CharacterOptions } from "./lib/text/character_symbols.ts";
export * from "./lib/text/chat_template.ts";
export type { Decoder, Strip } from "./lib/text/decoder.ts";
export * from "./lib/text/gpt2.ts";
export * from "./lib/text/gpt2_files.ts";
export type { RenderLimits } from "./lib/text/jinja.ts";
export * from "./lib/text/load.ts";
export * from "./lib/text/masked_conversation.ts";
export type { Normalizer } from "./lib/text/normalizer.ts";
export type { PreTokenizer } from "./lib/text/pre_tokenizer.ts";
export * from "./lib/text/prompt_style.ts";
export * from "./lib/text/shown_mask.ts";
export * from "./lib/text/split_pattern.ts";
export type { Template } from "./lib/text/template.ts";
export * from "./lib/text/template_files.ts";
export * from "./lib/text/tiktoken.ts";
export * from "./lib/text/tokenizer.ts";
export type * from "./lib/text/tokenizer_form.ts";
export * from "./lib/text/tokenizer_json.ts";
export * from "./lib/text/train_bpe.ts";
export * from "./lib/train/class_scores.ts";
export * from "./lib/train/classification.ts";
export * from "./lib/train/evaluate.ts";
export * from "./lib/train/instruction_answers.ts";
export * from "./lib/train/instructions.ts";
export * from "./lib/train/multiple_choice.ts";
export * from "./lib/train/plan.ts";
export * from "./lib/train/token_statistics.ts";
export * from "./lib/train/train.ts";
export type { AdapterDescription, TaskType } from "./models/adapter_config.ts";
export * from "./models/adapter_folder.ts";
export * from "./models/classifier.ts";
export * from "./models/classifier_config.ts";
export * from "./models/classifier_folder.ts";
export {
  classifierTensors,
  fillClassifier,
} from "./models/classifier_weights.ts";
export { type Companions, readCompanions } from "./models/companions.ts";
export * from "./models/folder.ts";
export * from "./models/gpt2.ts";
export * from "./models/gpt2_config.ts";
export * from "./models/llama.ts";
export * from "./models/llama_config.ts";
export * from "./models/lora.ts";
export type { LoRAConfig } from "./models/lora_config.ts";
export type { Targets } from "./models/lora_targets.ts";
export * from "./models/model_types.ts";
export * from "./models/pass.ts";
export * from "./models/qwen.ts";
export * from "./models/weights.ts";
