/**
 * TensorFlow.js as a contestant, on WebGPU.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-webgpu";
import {
  answer,
  type MatmulTask,
  readShared,
  seconds,
  type Work,
} from "./answer.ts";
import { training } from "./tfjs_gpt.ts";

await tf.setBackend("webgpu");
await answer((task) => {
  if (task.kind === "matmul") return product(task);
  if (task.kind === "train") return training(task);
  throw new Error(`Cannot ${task.kind} with tfjs here`);
});

async function product(task: MatmulTask): Promise<Work> {
  const [a, b] = readShared(task.shared)
    .map(({ shape, data }) => tf.tensor2d(data, [shape[0], shape[1]]));
  const c = await tf.matMul(a, b).data();
  return {
    check: task.probes.map((at) => c[at]),
    turns: (count) =>
      seconds(async () => {
        for (let turn = 1; turn < count; turn++) tf.matMul(a, b).dispose();
        const last = tf.matMul(a, b);
        const corner = last.slice([0, 0], [1, 1]);
        await corner.data();
        tf.dispose([last, corner]);
      }),
  };
}
