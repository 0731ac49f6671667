/**
 * This project as a contestant in {@link "./peers.ts"}: `ours.ts TASK`.
 *
 * @module
 */

import { generate } from "../lib/generate/generate.ts";
import { Device } from "../lib/gpu/device.ts";
import { parameters } from "../lib/nn/parameters.ts";
import { matmul } from "../lib/ops/mod.ts";
import { AdamW } from "../lib/optim/adamw.ts";
import { constantSchedule } from "../lib/optim/schedule.ts";
import { Random } from "../lib/random.ts";
import { noGrad } from "../lib/tensor/tape.ts";
import { Tensor } from "../lib/tensor/tensor.ts";
import { type Step, train } from "../lib/train/train.ts";
import { GPT2 } from "../models/gpt2.ts";
import {
  answer,
  type DecodeTask,
  type MatmulTask,
  readShared,
  seconds,
  type Task,
  type TrainTask,
  type Work,
} from "./peers/answer.ts";

const device = await Device.open();
await answer((task) => {
  if (task.kind === "matmul") return product(task);
  if (task.kind === "train") return training(task);
  return decoding(task);
});

async function product(task: MatmulTask): Promise<Work> {
  const [a, b] = readShared(task.shared)
    .map(({ shape, data }) => Tensor.from(device, data, shape));
  const multiply = () => noGrad(() => matmul(a, b));
  const c = await multiply().read();
  return {
    check: task.probes.map((at) => c[at]),
    turns: (count) =>
      seconds(async () => {
        using _scope = device.scope();
        for (let turn = 1; turn < count; turn++) {
          multiply()[Symbol.dispose]();
          device.flush();
        }
        // The whole matrix costs more to read than a corner of it.
        await multiply().part(0, [64]).read();
      }),
  };
}

async function training(task: TrainTask): Promise<Work> {
  const { blockSize } = task.sizes;
  const batch = {
    inputs: Uint32Array.from(task.inputs),
    targets: Uint32Array.from(task.targets),
    shape: [task.inputs.length / blockSize, blockSize],
  } as const;
  const model = modelOf(task);
  const { beta1, beta2, eps, weightDecay } = task;
  const steps = train({
    device,
    model,
    optimizer: new AdamW(parameters(model), {
      beta1,
      beta2,
      eps,
      weightDecay,
      gradClip: 0,
    }),
    batches: { next: () => batch },
    schedule: constantSchedule(task.learningRate),
    steps: Infinity,
  });
  const take = async (count: number) => {
    let { value: step } = await steps.next();
    while (--count > 0) ({ value: step } = await steps.next());
    return await (step as Step).read();
  };
  const reports = await take(task.checks);
  return {
    check: reports.map(({ loss }) => loss),
    turns: (count) => seconds(() => take(count)),
  };
}

async function decoding(task: DecodeTask): Promise<Work> {
  const model = modelOf(task);
  const write = async () => {
    const tokens: number[] = [];
    let start = 0;
    const ids = generate({
      device,
      model,
      prompt: Uint32Array.from(task.prompt),
      maxNewTokens: task.tokens,
      random: new Random(1),
      temperature: 0,
    });
    for await (const id of ids) {
      tokens.push(id);
      if (tokens.length === 1) start = performance.now();
    }
    return { tokens, seconds: (performance.now() - start) / 1000 };
  };
  const { tokens } = await write();
  return {
    check: tokens,
    turns: async (count) => {
      let total = 0;
      for (let turn = 0; turn < count; turn++) {
        total += (await write()).seconds;
      }
      return total;
    },
  };
}

/** The model of a task, with its weights. */
function modelOf({ sizes, shared }: Exclude<Task, MatmulTask>): GPT2 {
  const model = new GPT2({ device, random: null }, sizes);
  const weights = parameters(model);
  for (const { name, data } of readShared(shared)) {
    weights.get(name)!.write(data);
  }
  return model;
}
