/**
 * jax-js as a contestant: `jax.ts TASK wasm|webgpu`.
 *
 * @module
 */

import {
  blockUntilReady,
  defaultDevice,
  type Device,
  init,
  jit,
  numpy as np,
  tree,
} from "@jax-js/jax";
import {
  answer,
  type MatmulTask,
  readShared,
  seconds,
  type Work,
} from "./answer.ts";
import { decoding } from "./jax_decode.ts";
import { training } from "./jax_gpt.ts";

const device = Deno.args[1] as Device;
await init(device);
defaultDevice(device);
await answer((task) => {
  if (task.kind === "matmul") return product(task);
  if (task.kind === "train") return training(task);
  return decoding(task);
});

async function product(task: MatmulTask): Promise<Work> {
  const [a, b] = readShared(task.shared)
    .map(({ shape, data }) => np.array(data).reshape([...shape]));
  const multiply = jit(np.matmul);
  const c = await multiply(a.ref, b.ref).data();
  return {
    check: task.probes.map((at) => Number(c[at])),
    turns: (count) =>
      seconds(async () => {
        // What is disposed of before it was needed is never computed.
        const results = Array.from(
          { length: count },
          () => multiply(a.ref, b.ref),
        );
        await blockUntilReady(results);
        tree.dispose(results);
      }),
  };
}
