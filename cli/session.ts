/**
 * One stretch of a run as the command line shows it: steps, evaluations, samples,
 * checkpoints, and what is written at the end.
 *
 * @module
 */

import { join } from "node:path";
import type { Device } from "../lib/gpu/device.ts";
import type { Step } from "../lib/train/train.ts";
import { Best, NO_BEST } from "./best.ts";
import { HostPace } from "./host_pace.ts";
import type { Interrupt } from "./interrupt.ts";
import { StepProfiling } from "./profiling.ts";
import { formatDuration, type Progress } from "./progress.ts";
import { METRICS, type Run, type Standing } from "./run.ts";
import { TrainingLog } from "./training_log.ts";

const TRACE = "trace.json";

/** What a session prints to and listens to. */
export interface Surroundings {
  readonly out: string;
  readonly json: boolean;
  /** How many steps to profile, if any. */
  readonly profile?: number;
  readonly progress: Progress;
  readonly interrupt: Interrupt;
}

/** One stretch of a run: the loop, and what is printed and written in it. */
export class Session {
  readonly #device: Device;
  readonly #run: Run;
  readonly #around: Surroundings;
  readonly #log: TrainingLog;
  readonly #best: Best;
  readonly #began = performance.now();
  #tokens: number;
  #savedAt: number | null = null;
  readonly #host: HostPace;

  constructor(device: Device, run: Run, around: Surroundings) {
    const { saved, rhythm } = run;
    this.#device = device;
    this.#run = run;
    this.#around = around;
    this.#tokens = saved.tokens;
    this.#host = new HostPace(device);
    // At step 0 the first evaluation is still to come, or comes again.
    this.#best = new Best(
      rhythm.patience,
      saved.step > 0 ? saved.best : NO_BEST,
    );
    this.#log = new TrainingLog({
      ...around,
      path: join(around.out, METRICS),
      start: saved.step,
      interval: rhythm.logInterval,
      losses: run.measured && saved.losses,
    });
  }

  /** Takes the run to its end, or to where a signal stops it; the exit code. */
  async run(): Promise<number> {
    using _log = this.#log;
    const { saved: { step: start }, rhythm } = this.#run;
    const { progress, interrupt, out } = this.#around;
    for (const line of this.#run.announce()) progress.line(line);
    if (start === 0) await this.#evaluate(0);
    // It was saved before it was kept, so perhaps it was not.
    if (this.#best.state.step === start) await this.#run.keepBest?.();
    const reached = this.#best.exhausted ? start : await this.#train();
    await this.#save(reached);
    if (interrupt.code !== null) {
      progress.line(
        `interrupted after step ${reached}; saved in ${out}, continue with --resume`,
      );
      return interrupt.code;
    }
    if (reached < rhythm.maxIters) {
      progress.line(
        `stopped after step ${reached}: ${this.#best.state.since} evaluations without a better loss`,
      );
    }
    if (reached > 0) await this.#sample(reached);
    const { results, kept } = await this.#run.finish(this.#standing(reached));
    progress.clear();
    const host = this.#host.describe();
    if (host !== null) progress.line(host);
    for (const line of results) progress.line(line);
    const seconds = formatDuration(this.#seconds());
    progress.line(`done in ${seconds}; ${kept.join("; ")}`);
    return 0;
  }

  /** Takes the steps and returns the last one taken. */
  async #train(): Promise<number> {
    const { saved: { step: start }, rhythm } = this.#run;
    const { progress, interrupt } = this.#around;
    const { maxIters, logInterval, evalInterval } = rhythm;
    const { saveInterval, sampleInterval } = rhythm;
    using profiling = this.#profiling();
    await profiling?.after(start);
    this.#host.begin();
    let reached = start;
    let read = { step: start, tokens: this.#tokens, at: performance.now() };
    let pace = { tokensPerSecond: 0, stepSeconds: 0 };
    let loss: number | undefined;
    const readStep = async (step: Step) => {
      const tokens = this.#tokens;
      const [reports, measured] = await Promise.all([
        step.read(),
        this.#log.hasRow(step.step) ? this.#run.measured?.(tokens) : undefined,
      ]);
      const at = performance.now();
      const seconds = (at - read.at) / 1000;
      pace = {
        tokensPerSecond: (tokens - read.tokens) / seconds,
        stepSeconds: seconds / (step.step - read.step),
      };
      read = { step: step.step, tokens, at };
      loss = reports.at(-1)?.loss;
      const time = this.#seconds();
      this.#log.steps(reports, { ...pace, time }, measured);
    };
    // Read while the next step is computed, so that the GPU never waits.
    let reading: Promise<void> = Promise.resolve();
    for await (const step of this.#run.steps()) {
      this.#host.end();
      reached = step.step;
      const last = reached === maxIters;
      const evaluates = reached % evalInterval === 0 || last;
      const saves = reached % saveInterval === 0;
      const samples = sampleInterval > 0 && reached % sampleInterval === 0;
      await reading;
      this.#tokens += step.tokens;
      if (evaluates || saves || samples) {
        await readStep(step);
        const better = evaluates && await this.#evaluate(reached);
        if (samples && !last) await this.#sample(reached);
        if (better || (saves && !last)) await this.#save(reached);
        if (better) await this.#run.keepBest?.();
        read.at = performance.now();
      } else if (reached % logInterval === 0) {
        reading = readStep(step);
        reading.catch(() => {}); // It is awaited after the next step.
      }
      progress.update({
        step: reached,
        total: maxIters,
        loss,
        tokensPerSecond: pace.tokensPerSecond || undefined,
        etaSeconds: pace.stepSeconds
          ? (maxIters - reached) * pace.stepSeconds
          : undefined,
      });
      await profiling?.after(reached);
      await turn();
      this.#host.begin();
      if (interrupt.code !== null) {
        await reading;
        await readStep(step); // What is not finite must not be saved.
        break;
      }
      if (evaluates && this.#best.exhausted) break;
    }
    return reached;
  }

  #profiling(): StepProfiling | null {
    const { profile, progress, out } = this.#around;
    if (profile === undefined) return null;
    const { saved, rhythm } = this.#run;
    return new StepProfiling(this.#device, {
      start: saved.step,
      end: rhythm.maxIters,
      count: profile,
      path: join(out, TRACE),
    }, (line) => progress.line(line));
  }

  /** Measures the model, and says whether it is the best so far and to be kept. */
  async #evaluate(step: number): Promise<boolean> {
    const { loss, measures } = await this.#run.evaluate(step);
    this.#log.row({ step, ...measures, time: this.#seconds() });
    if (this.#run.keepBest === undefined) return false;
    if (Number.isFinite(loss)) return this.#best.add(step, loss);
    throw new Error(
      `Cannot go on after step ${step}: the validation loss is ${loss}`,
    );
  }

  async #sample(step: number): Promise<void> {
    const text = await this.#run.sample?.(step);
    if (text === undefined) return;
    this.#around.progress.line(
      `\n--- sample after step ${step} ---\n${text}\n`,
    );
  }

  async #save(step: number): Promise<void> {
    if (this.#savedAt === step) return;
    await this.#run.save(this.#standing(step));
    this.#savedAt = step;
  }

  #standing(step: number): Standing {
    return {
      step,
      seconds: this.#seconds(),
      tokens: this.#tokens,
      best: this.#best.state,
      losses: this.#log.losses,
    };
  }

  #seconds(): number {
    const now = (performance.now() - this.#began) / 1000;
    return Math.round((this.#run.saved.seconds + now) * 1000) / 1000;
  }
}

/** Lets signals arrive, which a loop that never waits would keep out. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
