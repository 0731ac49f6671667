/**
 * A run of `train` as a session sees it.
 *
 * @module
 */

import { join } from "node:path";
import { evaluationBatches } from "../lib/data/evaluation.ts";
import { STORY_SEPARATOR } from "../lib/data/stories.ts";
import { generate } from "../lib/generate/generate.ts";
import type { Device } from "../lib/gpu/device.ts";
import { replaceFile } from "../lib/io/atomic.ts";
import { Random } from "../lib/random.ts";
import { readMetrics } from "../lib/report/metrics.ts";
import { reportFiles } from "../lib/report/report_files.ts";
import type { Sample } from "../lib/report/sections.ts";
import { evaluate } from "../lib/train/evaluate.ts";
import { type Step, train } from "../lib/train/train.ts";
import { modelParameterCount } from "../models/model_types.ts";
import { describeAdapter } from "./describe_adapter.ts";
import {
  BEGINNING,
  type Ending,
  type Measures,
  METRICS,
  type Rhythm,
  type Run,
  type Standing,
} from "./run.ts";
import { saveRun, type TrainingRun } from "./training_run.ts";

const SAMPLE_TOKENS = 200;

/** Learning to predict the next token of a text. */
export class Pretraining implements Run {
  readonly #device: Device;
  readonly #run: TrainingRun;
  readonly #out: string;
  readonly #samples: Sample[] = [];

  constructor(device: Device, run: TrainingRun, out: string) {
    this.#device = device;
    this.#run = run;
    this.#out = out;
  }

  get rhythm(): Rhythm {
    return this.#run.settings;
  }

  get saved(): Standing {
    const { start: step, seconds } = this.#run;
    return { ...BEGINNING, step, seconds };
  }

  announce(): string[] {
    const { model, tokenizer, tokens, settings, start } = this.#run;
    const { nLayer, nHead, nEmbd, blockSize } = model.config;
    return [
      `data: ${tokens.train.length} tokens to learn, ${tokens.validation.length} to validate, ${tokenizer.vocabSize} in the vocabulary`,
      `model: ${
        modelParameterCount(model.config)
      } parameters, ${nLayer} layers, ${nHead} heads, ${nEmbd} channels, block ${blockSize}`,
      `steps: ${start > 0 ? `${start} to ` : ""}${settings.maxIters}, ${
        settings.batchSize * settings.gradientAccumulationSteps *
        settings.blockSize
      } tokens each, into ${this.#out}`,
    ];
  }

  steps(): AsyncGenerator<Step> {
    const { settings, random, ...run } = this.#run;
    return train({
      ...run,
      device: this.#device,
      steps: settings.maxIters,
      gradientAccumulationSteps: settings.gradientAccumulationSteps,
      random: settings.dropout > 0 ? random : undefined,
    });
  }

  async evaluate(): Promise<{ loss: number; measures: Measures }> {
    const { model, tokens, settings } = this.#run;
    const { batchSize, blockSize, evalIters, seed } = settings;
    const options = { batchSize, blockSize, count: evalIters, seed };
    const measured = (split: keyof typeof tokens) =>
      evaluate({
        device: this.#device,
        model,
        batches: evaluationBatches(tokens[split], options),
      });
    const train = await measured("train");
    const { loss, perplexity } = await measured("validation");
    return {
      loss,
      measures: { train_loss: train.loss, val_loss: loss, perplexity },
    };
  }

  async sample(step: number): Promise<string> {
    const { model, tokenizer, tokens, settings } = this.#run;
    const stories = settings.data.length === 0;
    const prompt = stories
      ? tokenizer.encode(STORY_SEPARATOR)
      : Uint32Array.from(tokens.validation.subarray(0, 1));
    const ids = await Array.fromAsync(generate({
      device: this.#device,
      model,
      prompt,
      maxNewTokens: SAMPLE_TOKENS,
      temperature: 0.8,
      topK: 200,
      random: new Random(settings.seed + step),
      drawnBelow: tokenizer.vocabSize,
    }));
    const text = tokenizer.decode([...prompt, ...ids]).trim();
    this.#samples.push({ step, text });
    return text;
  }

  async save({ step, seconds }: Standing): Promise<void> {
    await saveRun(this.#out, this.#run, { step, seconds });
  }

  /** Writes the loss curve and the report, and says where everything is. */
  finish({ seconds }: Standing): Promise<Ending> {
    const { settings, model } = this.#run;
    const out = this.#out;
    const files = reportFiles({
      title: `Training run ${out}`,
      adapter: describeAdapter(this.#device),
      parameterCount: modelParameterCount(model.config),
      seconds,
      configuration: {
        ...settings,
        data: settings.data.join(" ") || "built-in stories",
      },
      rows: readMetrics(join(out, METRICS)),
      samples: this.#samples,
    });
    for (const { name, content } of files) {
      replaceFile(join(out, name), content);
    }
    return Promise.resolve({
      results: [],
      kept: [
        `model, metrics and report.html are in ${out}`,
        `deno task generate --model ${out} continues a prompt`,
      ],
    });
  }
}
