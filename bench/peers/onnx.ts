/**
 * onnxruntime-web as a contestant: `onnx.ts TASK wasm|webgpu`.
 *
 * @module
 */

import type { Tensor } from "onnxruntime-web";
import {
  answer,
  type DecodeTask,
  type MatmulTask,
  readShared,
  seconds,
  type Work,
} from "./answer.ts";
import { cacheNames, gptGraph } from "./onnx_gpt.ts";
import { onnxModel } from "./onnx_model.ts";

const provider = Deno.args[1];
const ort = provider === "wasm"
  ? await import("onnxruntime-web/wasm")
  : await import("onnxruntime-web/webgpu");
const build = `ort-wasm-simd-threaded${provider === "wasm" ? "" : ".asyncify"}`;
const mjs = import.meta.resolve(`onnxruntime-web/${build}.mjs`);
const wasm = import.meta.resolve(`onnxruntime-web/${build}.wasm`);
ort.env.wasm.wasmPaths = { mjs, wasm };
ort.env.wasm.numThreads = navigator.hardwareConcurrency;
// With threads it wants to import the program from a blob, which Deno refuses.
URL.createObjectURL = () => mjs;

await answer((task) => {
  if (task.kind === "matmul") return product(task);
  if (task.kind === "decode") return decoding(task);
  throw new Error(`Cannot ${task.kind} with onnxruntime-web here`);
});

async function product(task: MatmulTask): Promise<Work> {
  const { rows, depth, cols } = task;
  const model = onnxModel({
    inputs: {
      a: { type: "float32", shape: [rows, depth] },
      b: { type: "float32", shape: [depth, cols] },
    },
    outputs: { c: { type: "float32", shape: [rows, cols] } },
    constants: {},
    nodes: [{ op: "MatMul", inputs: ["a", "b"], outputs: ["c"] }],
  });
  const session = await ort.InferenceSession.create(model, {
    executionProviders: [provider],
  });
  const [a, b] = readShared(task.shared)
    .map(({ shape, data }) => new ort.Tensor("float32", data, shape));
  const { c } = await session.run({ a, b });
  const result = c.data as Float32Array;
  return {
    check: task.probes.map((at) => result[at]),
    turns: (count) =>
      seconds(async () => {
        for (let turn = 0; turn < count; turn++) await session.run({ a, b });
      }),
  };
}

async function decoding({ sizes, shared, prompt, tokens }: DecodeTask) {
  const session = await ort.InferenceSession.create(
    onnxModel(gptGraph(sizes, shared)),
    {
      executionProviders: [provider],
      // The cache stays where it is used.
      preferredOutputLocation: provider === "wasm" ? undefined : {
        next: "cpu",
        ...Object.fromEntries(
          cacheNames(sizes.nLayer).map(([, now]) => [now, "gpu-buffer"]),
        ),
      },
    },
  );
  const write = async () => {
    const { nHead, nEmbd } = sizes;
    const none = () =>
      new ort.Tensor("float32", new Float32Array(), [nHead, 0, nEmbd / nHead]);
    let cache: Record<string, Tensor> = Object.fromEntries(
      cacheNames(sizes.nLayer).map(([past]) => [past, none()]),
    );
    const written: number[] = [];
    let fresh = [...prompt];
    let read = 0;
    let start = 0;
    while (written.length < tokens) {
      const after = await session.run({
        ...tokensAfter(read, fresh),
        ...cache,
      });
      for (const tensor of Object.values(cache)) tensor.dispose();
      cache = Object.fromEntries(
        cacheNames(sizes.nLayer).map(([past, now]) => [past, after[now]]),
      );
      read += fresh.length;
      fresh = [Number(after.next.data[0])];
      written.push(...fresh);
      if (written.length === 1) start = performance.now();
    }
    for (const tensor of Object.values(cache)) tensor.dispose();
    return { written, seconds: (performance.now() - start) / 1000 };
  };
  const { written } = await write();
  return {
    check: written,
    turns: async (count: number) => {
      let total = 0;
      for (let turn = 0; turn < count; turn++) {
        total += (await write()).seconds;
      }
      return total;
    },
  };
}

/** Ids that follow `read` others, their positions, and what each may see. */
function tokensAfter(read: number, ids: readonly number[]) {
  const time = ids.length;
  const mask = new Float32Array(time * (read + time));
  for (let row = 0; row < time; row++) {
    const end = (row + 1) * (read + time);
    mask.fill(-1e9, end - (time - 1 - row), end);
  }
  const positions = ids.map((_, row) => read + row);
  const whole = (values: readonly number[]) =>
    new ort.Tensor("int64", BigInt64Array.from(values, BigInt), [time]);
  return {
    ids: whole(ids),
    positions: whole(positions),
    mask: new ort.Tensor("float32", mask, [time, read + time]),
  };
}
