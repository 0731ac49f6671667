/**
 * This project beside the other libraries that run in Deno, and PyTorch.
 *
 * All of a contest are given the same numbers, must reach the same result, and
 * then take turns: whatever slows the machine for a while slows all of them.
 * Speeds are medians and bests over those turns. All that use WebGPU inherit the
 * same settings of Mesa. The libraries are downloaded when this first runs;
 * PyTorch takes part where `python3` has it.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { Contestant } from "./contestant.ts";
import { wantedModels } from "./models.ts";
import type { Sizes, Task } from "./peers/answer.ts";
import { type BenchOptions, median, type Report, wanted } from "./report.ts";
import {
  decodeTask,
  matmulTask,
  PRODUCTS,
  tokensToWrite,
  trainTask,
} from "./tasks.ts";

const CLOSE = 1e-4; // of the largest number of a result, that it may be off
const LIMIT = 300; // seconds for any answer
const ROUNDS = 6;
const LEAST = 3; // turns, however long they take

/** Something to compete in. */
interface Contest {
  readonly name: string;
  readonly prepare: (folder: string) => Promise<Task>;
  /** What a turn achieves. */
  readonly amount: number;
  /** What that is counted in, with a second to do it. */
  readonly unit: string;
  /** Seconds that a contestant takes turns for, if a few are not longer. */
  readonly budget: number;
  /** The shortest a turn should be; shorter ones are done in a row. */
  readonly shortest: number;
  /** Who competes with us. */
  readonly rivals: readonly Rival[];
}

interface Rival {
  readonly name: string;
  readonly command: (task: string) => readonly string[];
}

interface Entrant {
  readonly name: string;
  readonly process: Contestant;
  readonly runs: number;
  readonly seconds: number[];
}

const OURS: Rival = {
  name: "ours",
  command: (task) => [
    ...["deno", "run", "--quiet", "--no-prompt", "--allow-read", "--allow-env"],
    path("ours.ts"),
    task,
  ],
};
const JAX_WASM = peer("jax-js wasm", "jax.ts", "wasm");
const JAX_WEBGPU = peer("jax-js WebGPU", "jax.ts", "webgpu");
const TFJS = peer("tfjs WebGPU", "tfjs.ts");
const ONNX_WASM = peer("onnxruntime-web wasm", "onnx.ts", "wasm");
const ONNX_WEBGPU = peer("onnxruntime-web WebGPU", "onnx.ts", "webgpu");
const PYTORCH: Rival = {
  name: "PyTorch",
  command: (task) => ["python3", path("peers/pytorch.py"), task],
};

/** Measures all contestants in products, training and writing. */
export async function peers(options: BenchOptions): Promise<void> {
  for (const contest of contests(options)) {
    const names = contest.rivals.map(({ name }) => `${contest.name} ${name}`);
    const entered = contest.rivals
      .filter((_, i) => wanted(names[i], options.filters));
    if (entered.length > 0) await hold(contest, entered, options.report);
  }
}

function* contests({ quick }: BenchOptions): Generator<Contest> {
  for (const { rows, depth, cols } of quick ? [] : PRODUCTS) {
    yield {
      name: `matmul ${rows}x${depth}x${cols}`,
      prepare: (folder) => matmulTask({ rows, depth, cols }, folder),
      amount: 2 * rows * depth * cols / 1e9,
      unit: "GFLOP/s",
      budget: 3,
      shortest: 0.3,
      rivals: [
        JAX_WASM,
        JAX_WEBGPU,
        TFJS,
        ONNX_WASM,
        ONNX_WEBGPU,
        PYTORCH,
      ],
    };
  }
  for (const { name, config, batchSize } of wantedModels({ quick })) {
    yield {
      name: `train ${name}`,
      prepare: (folder) => trainTask(config, batchSize, folder),
      amount: batchSize * config.blockSize,
      unit: "tokens/s",
      budget: 12,
      shortest: 1,
      rivals: [...isSmall(config) ? [JAX_WASM, JAX_WEBGPU, TFJS] : [], PYTORCH],
    };
  }
  for (const { name, config } of wantedModels({ quick })) {
    yield {
      name: `decode ${name}`,
      prepare: (folder) => decodeTask(config, folder),
      amount: tokensToWrite(config) - 1,
      unit: "tokens/s",
      budget: 6,
      shortest: 0.5,
      rivals: [
        JAX_WASM,
        JAX_WEBGPU,
        ONNX_WASM,
        ...isSmall(config) ? [ONNX_WEBGPU] : [], // else minutes
        PYTORCH,
      ],
    };
  }
}

function isSmall({ vocabSize }: Sizes): boolean {
  return vocabSize < 1000;
}

/** Holds one contest and reports on everyone in it. */
async function hold(
  contest: Contest,
  rivals: readonly Rival[],
  report: Report,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "bench-" });
  await using entrants = new AsyncDisposableStack();
  entrants.defer(() => Deno.remove(folder, { recursive: true }));
  const task = `${folder}/task.json`;
  const spec = await contest.prepare(folder);
  await Deno.writeTextFile(task, JSON.stringify(spec));

  const fail = (who: string, error: unknown) =>
    report({ contest: contest.name, who, failed: messageOf(error) });

  let ours: readonly number[] | null = null;
  const ready: Entrant[] = [];
  for (const { name, command } of [OURS, ...rivals]) {
    const process = entrants.use(new Contestant(command(task)));
    try {
      const { check, seconds = 0, version = "" } = await process.ready(LIMIT);
      ours ??= check;
      const off = deviation(check, ours);
      if (!(off <= CLOSE)) {
        throw new Error(`its result is off by ${off}. ${process.complaint}`);
      }
      const once = seconds > contest.budget
        ? seconds
        : await process.turns(1, LIMIT);
      const runs = Math.max(1, Math.ceil(contest.shortest / once));
      ready.push({
        name: `${name} ${version}`.trim(),
        process,
        runs,
        seconds: runs === 1 ? [once] : [],
      });
    } catch (error) {
      fail(name, error);
      if (name === OURS.name) return;
      await process[Symbol.asyncDispose]();
    }
  }
  const failed = await takeTurns(ready, contest.budget);
  const baseline = median(ready[0].seconds);
  for (const { name, seconds } of ready) {
    if (failed.has(name)) fail(name, failed.get(name));
    if (seconds.length === 0) continue;
    report({
      contest: contest.name,
      who: name,
      [`median ${contest.unit}`]: contest.amount / median(seconds),
      [`best ${contest.unit}`]: contest.amount / Math.min(...seconds),
      turns: seconds.length,
      "ours / theirs": median(seconds) / baseline,
    });
  }
}

/**
 * Round after round, each has a turn that has not used up its seconds, or has had
 * too few to tell. Gives who failed, and why.
 */
async function takeTurns(
  entrants: readonly Entrant[],
  budget: number,
): Promise<Map<string, unknown>> {
  const failed = new Map<string, unknown>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, process, runs, seconds } of entrants) {
      const spent = runs * seconds.reduce((sum, s) => sum + s, 0);
      const over = spent + runs * (seconds[0] ?? 0) > budget;
      if (over && seconds.length >= LEAST) continue;
      if (failed.has(name)) continue;
      try {
        seconds.push(await process.turns(runs, LIMIT) / runs);
      } catch (error) {
        failed.set(name, error);
      }
    }
  }
  return failed;
}

function deviation(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return Infinity;
  const largest = Math.max(...b.map(Math.abs));
  return Math.max(...a.map((x, i) => Math.abs(x - b[i]))) / largest;
}

function peer(name: string, file: string, ...args: string[]): Rival {
  const config = path("peers/deno.json");
  const command = (task: string) => [
    ...["deno", "run", "--quiet", "--no-check", "--frozen", "--allow-all"],
    ...["--config", config, path(`peers/${file}`), task, ...args],
  ];
  return { name, command };
}

function path(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
