/**
 * One stretch of training as the command line shows it: steps, evaluations,
 * samples, checkpoints, and the report at the end.
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
import { lossChartPng, lossChartSvg } from "../lib/train/chart.ts";
import { evaluate } from "../lib/train/evaluate.ts";
import { readMetrics } from "../lib/train/metrics.ts";
import { reportHtml, type Sample } from "../lib/train/report.ts";
import { type Step, train as steps } from "../lib/train/train.ts";
import { modelParameterCount } from "../models/model_types.ts";
import { describeAdapter } from "./describe_adapter.ts";
import { HostPace } from "./host_pace.ts";
import type { Interrupt } from "./interrupt.ts";
import { StepProfiling } from "./profiling.ts";
import { formatDuration, type Progress } from "./progress.ts";
import { TrainingLog } from "./training_log.ts";
import { saveRun, type TrainingRun } from "./training_run.ts";

const METRICS = "metrics.jsonl";
const TRACE = "trace.json";
const SAMPLE_TOKENS = 200;

/** What a session prints to and listens to. */
export interface Surroundings {
  readonly out: string;
  readonly json: boolean;
  /** How many steps to profile, if any. */
  readonly profile?: number;
  readonly progress: Progress;
  readonly interrupt: Interrupt;
}

/** One stretch of training: the loop, and what is printed and written in it. */
export class TrainingSession {
  readonly #device: Device;
  readonly #run: TrainingRun;
  readonly #around: Surroundings;
  readonly #log: TrainingLog;
  readonly #samples: Sample[] = [];
  readonly #began = performance.now();
  readonly #host: HostPace;

  constructor(device: Device, run: TrainingRun, around: Surroundings) {
    this.#device = device;
    this.#run = run;
    this.#around = around;
    this.#host = new HostPace(device);
    this.#log = new TrainingLog({
      ...around,
      path: join(around.out, METRICS),
      start: run.start,
      interval: run.settings.logInterval,
    });
  }

  async run(): Promise<number> {
    using _log = this.#log;
    const { settings, start } = this.#run;
    this.#announce();
    if (start === 0) await this.#evaluate(0);
    const reached = await this.#train();
    await this.#save(reached);
    const { code } = this.#around.interrupt;
    if (code !== null) {
      this.#around.progress.line(
        `interrupted after step ${reached}; saved in ${this.#around.out}, continue with --resume`,
      );
      return code;
    }
    if (reached > 0) await this.#sample(settings.maxIters);
    this.#report();
    return 0;
  }

  /** Takes the steps and returns the last one taken. */
  async #train(): Promise<number> {
    const { settings, start, model, optimizer, batches, schedule, random } =
      this.#run;
    const { progress, interrupt } = this.#around;
    const { maxIters, logInterval, evalInterval } = settings;
    const { saveInterval, sampleInterval } = settings;
    const loop = steps({
      device: this.#device,
      model,
      optimizer,
      batches,
      schedule,
      steps: maxIters,
      start,
      gradientAccumulationSteps: settings.gradientAccumulationSteps,
      random: settings.dropout > 0 ? random : undefined,
    });
    using profiling = this.#profiling();
    await profiling?.after(start);
    this.#host.begin();
    let reached = start;
    let tokens = 0;
    let since = performance.now();
    let pace = 0;
    let loss: number | undefined;
    const read = async (step: Step) => {
      const reports = await step.read();
      pace = tokens / (performance.now() - since) * 1000;
      tokens = 0;
      since = performance.now();
      loss = reports.at(-1)?.loss;
      this.#log.steps(reports, {
        tokensPerSecond: pace,
        time: this.#seconds(),
      });
    };
    // Read while the next step is computed, so that the GPU never waits.
    let reading: Promise<void> = Promise.resolve();
    for await (const step of loop) {
      this.#host.end();
      reached = step.step;
      tokens += step.tokens;
      const last = reached === maxIters;
      const evaluates = reached % evalInterval === 0 || last;
      const saves = reached % saveInterval === 0;
      const samples = sampleInterval > 0 && reached % sampleInterval === 0;
      await reading;
      if (evaluates || saves || samples) {
        await read(step);
        if (evaluates) await this.#evaluate(reached);
        if (samples && !last) await this.#sample(reached);
        if (saves && !last) await this.#save(reached);
        since = performance.now();
      } else if (reached % logInterval === 0) {
        reading = read(step);
        reading.catch(() => {}); // It is awaited after the next step.
      }
      progress.update({
        step: reached,
        total: maxIters,
        loss,
        tokensPerSecond: pace || undefined,
        etaSeconds: pace
          ? (maxIters - reached) * step.tokens / pace
          : undefined,
      });
      await profiling?.after(reached);
      await turn();
      this.#host.begin();
      if (interrupt.code !== null) {
        await reading;
        await step.read(); // What is not finite must not be saved.
        break;
      }
    }
    return reached;
  }

  #profiling(): StepProfiling | null {
    const { profile, progress, out } = this.#around;
    if (profile === undefined) return null;
    const { start, settings } = this.#run;
    return new StepProfiling(this.#device, {
      start,
      end: settings.maxIters,
      count: profile,
      path: join(out, TRACE),
    }, (line) => progress.line(line));
  }

  async #evaluate(step: number): Promise<void> {
    const { model, tokens, settings } = this.#run;
    const { batchSize, blockSize, evalIters, seed } = settings;
    const options = { batchSize, blockSize, count: evalIters, seed };
    const device = this.#device;
    const [train, validation] = [
      await evaluate({
        device,
        model,
        batches: evaluationBatches(tokens.train, options),
      }),
      await evaluate({
        device,
        model,
        batches: evaluationBatches(tokens.validation, options),
      }),
    ];
    this.#log.row({
      step,
      train_loss: train.loss,
      val_loss: validation.loss,
      perplexity: validation.perplexity,
      time: this.#seconds(),
    });
  }

  async #sample(step: number): Promise<void> {
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
    this.#around.progress.line(
      `\n--- sample after step ${step} ---\n${text}\n`,
    );
  }

  async #save(step: number): Promise<void> {
    const { out } = this.#around;
    await saveRun(out, this.#run, { step, seconds: this.#seconds() });
  }

  #announce(): void {
    const { model, tokenizer, tokens, settings, start } = this.#run;
    const { nLayer, nHead, nEmbd, blockSize } = model.config;
    const { progress } = this.#around;
    progress.line(
      `data: ${tokens.train.length} tokens to learn, ${tokens.validation.length} to validate, ${tokenizer.vocabSize} in the vocabulary`,
    );
    progress.line(
      `model: ${
        modelParameterCount(model.config)
      } parameters, ${nLayer} layers, ${nHead} heads, ${nEmbd} channels, block ${blockSize}`,
    );
    progress.line(
      `steps: ${start > 0 ? `${start} to ` : ""}${settings.maxIters}, ${
        settings.batchSize * settings.gradientAccumulationSteps *
        settings.blockSize
      } tokens each, into ${this.#around.out}`,
    );
  }

  /** Writes the loss curve and the report, and says where everything is. */
  #report(): void {
    const { out, progress } = this.#around;
    const { settings, model } = this.#run;
    const rows = readMetrics(join(out, METRICS));
    replaceFile(join(out, "loss.svg"), lossChartSvg(rows));
    replaceFile(join(out, "loss.png"), lossChartPng(rows));
    replaceFile(
      join(out, "report.html"),
      reportHtml({
        title: `Training run ${out}`,
        adapter: describeAdapter(this.#device),
        parameterCount: modelParameterCount(model.config),
        seconds: this.#seconds(),
        configuration: {
          ...settings,
          data: settings.data.join(" ") || "built-in stories",
        },
        rows,
        samples: this.#samples,
      }),
    );
    progress.clear();
    const host = this.#host.describe();
    if (host !== null) progress.line(host);
    progress.line(
      `done in ${
        formatDuration(this.#seconds())
      }; model, metrics and report.html are in ${out}; deno task generate --model ${out} continues a prompt`,
    );
  }

  #seconds(): number {
    const now = (performance.now() - this.#began) / 1000;
    return Math.round((this.#run.seconds + now) * 1000) / 1000;
  }
}

/** Lets signals arrive, which a loop that never waits would keep out. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
