/**
 * What single kernels do in a second, through the ops that run them.
 *
 * GFLOP/s counts the additions and multiplications of the formula, GB/s what
 * must be read and written at least once.
 *
 * @module
 */

import type { Device } from "../lib/gpu/device.ts";
import * as ops from "../lib/ops/mod.ts";
import { product } from "../lib/ops/product.ts";
import { AdamW } from "../lib/optim/adamw.ts";
import { Random } from "../lib/random.ts";
import { noGrad } from "../lib/tensor/tape.ts";
import { Parameter } from "../lib/tensor/parameter.ts";
import { Tensor } from "../lib/tensor/tensor.ts";
import { Stopwatch, type Work } from "./measure.ts";
import { type BenchOptions, wanted } from "./report.ts";
import { tuneFor } from "./tuning.ts";

/** Measures matrix products, attention, and what is bound by memory. */
export async function kernels(options: BenchOptions): Promise<void> {
  const { report, filters, quick = false } = options;
  using stopwatch = await Stopwatch.open();
  const { device } = stopwatch;
  report({ adapter: device.adapter.name, subgroup: device.subgroupSize });
  const random = new Random(1);
  const groups = [products, attentions, rowKernels, elementwise];
  for (const group of quick ? groups.slice(-1) : groups) {
    const works = group(device, random)
      .filter(({ name }) => wanted(name, filters));
    await tuneFor(device, options, () => {
      using _scope = device.scope();
      for (const { run } of works) run();
    });
    for (const { work, seconds } of await stopwatch.measure(works)) {
      const { name, flops, bytes } = work;
      report({
        kernel: name,
        ms: 1e3 * seconds,
        ...(flops && { "GFLOP/s": flops / seconds / 1e9 }),
        ...(bytes && { "GB/s": bytes / seconds / 1e9 }),
      });
    }
  }
}

/** Rows, depth and columns; then which factors are stored the other way round. */
const PRODUCTS: readonly (readonly [number, number, number, string])[] = [
  [256, 256, 256, "nn"],
  [512, 512, 512, "nn"],
  [1024, 1024, 1024, "nn"],
  [1024, 384, 1536, "nn"],
  [1024, 384, 1536, "nt"],
  [384, 1024, 1536, "tn"],
  [768, 128, 512, "nn"], // the small model's
  [768, 512, 128, "nt"],
  [128, 768, 512, "tn"],
  [1024, 384, 1152, "nn"], // the model of 384 channels'
  [384, 1024, 384, "tn"],
  [16, 384, 1536, "nn"],
  [1, 384, 1536, "nn"], // a token at a time, weights kept as they are
  [1, 768, 3072, "nn"],
  [1, 768, 50257, "nt"],
];

function products(device: Device, random: Random): Work[] {
  return PRODUCTS.map(([rows, depth, cols, form]) => {
    const [transposeA, transposeB] = [...form].map((letter) => letter === "t");
    const options = { transposeA, transposeB, keep: rows <= 16 };
    const matrix = (m: number, n: number, transposed: boolean) =>
      Tensor.randn(device, transposed ? [n, m] : [m, n], random);
    const a = matrix(rows, depth, transposeA);
    const b = matrix(depth, cols, transposeB);
    return {
      name: `matmul ${rows}x${depth}x${cols} ${form}`,
      run: () => product(a, b, options),
      flops: 2 * rows * depth * cols,
      ...(rows === 1 && { bytes: b.bytes }),
    };
  });
}

function attentions(device: Device, random: Random): Work[] {
  const work = (
    [batch, heads, time, size]: readonly [number, number, number, number],
    rate = 0,
  ): Work[] => {
    const channels = heads * size;
    const qkv = trainable(device, random, [batch, time, 3 * channels]);
    const dy = Tensor.randn(device, [batch, time, channels], random);
    const dropout = rate > 0 ? { rate, random } : undefined;
    const attend = () => ops.attention(qkv, heads, { dropout });
    const name = `attention B${batch} H${heads} T${time} D${size}${
      rate > 0 ? ` dropout ${rate}` : ""
    }`;
    // A product of [T, D] and [D, T], of which causality needs half.
    const flops = batch * heads * time * time * size;
    return [
      { name, run: () => noGrad(attend), flops: 2 * flops },
      {
        name: `${name} and back`,
        run: () => back(attend(), dy),
        flops: 7 * flops,
      },
    ];
  };
  return [
    ...work([12, 4, 64, 32]),
    ...work([4, 6, 256, 64]),
    ...work([4, 6, 256, 64], 0.1),
    ...work([1, 12, 1024, 64]),
  ];
}

function rowKernels(device: Device, random: Random): Work[] {
  const [rows, cols] = [1024, 384];
  const x = trainable(device, random, [rows, cols]);
  const dy = Tensor.randn(device, [rows, cols], random);
  const weight = trainable(device, random, [cols]);
  const bias = trainable(device, random, [cols]);
  const norm = () => ops.layerNorm(x, weight, bias);
  const softmax = () => ops.softmax(x);
  const shape = `${rows}x${cols}`;
  return [
    { name: `layerNorm ${shape}`, run: () => noGrad(norm), bytes: 2 * x.bytes },
    {
      name: `layerNorm ${shape} and back`,
      run: () => back(norm(), dy),
      bytes: 5 * x.bytes,
    },
    {
      name: `softmax ${shape}`,
      run: () => noGrad(softmax),
      bytes: 2 * x.bytes,
    },
    {
      name: `softmax ${shape} and back`,
      run: () => back(softmax(), dy),
      bytes: 5 * x.bytes,
    },
    ...crossEntropies(device, random, 768, 65),
    ...crossEntropies(device, random, 128, 50257),
    ...embeddings(device, random, 1024, [65, cols]),
    ...embeddings(device, random, 1024, [50257, cols]),
  ];
}

function crossEntropies(
  device: Device,
  random: Random,
  rows: number,
  cols: number,
): Work[] {
  const logits = trainable(device, random, [rows, cols]);
  const targets = ids(device, random, rows, cols);
  const dloss = Tensor.ones(device, []);
  const score = () => ops.crossEntropy(logits, targets);
  const name = `crossEntropy ${rows}x${cols}`;
  return [
    { name, run: () => noGrad(score), bytes: logits.bytes },
    {
      name: `${name} and back`,
      run: () => back(score(), dloss),
      bytes: 3 * logits.bytes,
    },
  ];
}

function embeddings(
  device: Device,
  random: Random,
  count: number,
  [rows, cols]: readonly [number, number],
): Work[] {
  const table = trainable(device, random, [rows, cols]);
  const looked = ids(device, random, count, rows);
  const dy = Tensor.randn(device, [count, cols], random);
  const name = `embedding ${count} of ${rows}x${cols}`;
  const lookUp = () => ops.embedding(table, looked);
  return [
    { name, run: () => noGrad(lookUp), bytes: 2 * dy.bytes },
    {
      name: `${name} and back`,
      run: () => back(lookUp(), dy),
      bytes: 4 * dy.bytes + table.bytes,
    },
  ];
}

function elementwise(device: Device, random: Random): Work[] {
  const [rows, cols] = [1024, 384];
  const x = Tensor.randn(device, [rows, cols], random);
  const z = Tensor.randn(device, [rows, cols], random);
  const row = Tensor.randn(device, [cols], random);
  const weight = trainable(device, random, [1 << 20]);
  const grad = Tensor.randn(device, [1 << 20], random);
  const optimizer = new AdamW(new Map([["weight", weight]]));
  const { bytes } = x;
  const shape = `${rows}x${cols}`;
  return [
    { name: `add ${shape}`, run: () => ops.add(x, z), bytes: 3 * bytes },
    {
      name: `add ${shape} to a row`,
      run: () => ops.add(x, row),
      bytes: 2 * bytes,
    },
    { name: `gelu ${shape}`, run: () => ops.gelu(x), bytes: 2 * bytes },
    {
      name: `dropout ${shape}`,
      run: () => ops.dropout(x, 0.1, random),
      bytes: 2 * bytes,
    },
    {
      name: `transpose ${shape}`,
      run: () => ops.transpose(x),
      bytes: 2 * bytes,
    },
    { name: `sum ${shape}`, run: () => ops.sum(x), bytes },
    {
      name: `sum ${shape} over rows`,
      run: () => ops.sum(x, { axis: 0 }),
      bytes,
    },
    {
      name: `adamw ${weight.size}`,
      run: () => {
        weight.grad = grad.view(grad.shape).keep();
        optimizer.step(1e-3);
      },
      bytes: 8 * weight.bytes,
    },
  ];
}

function trainable(
  device: Device,
  random: Random,
  shape: readonly number[],
): Parameter {
  const size = shape.reduce((product, n) => product * n, 1);
  return new Parameter(device, random.normal(size), shape);
}

function ids(
  device: Device,
  random: Random,
  count: number,
  below: number,
): Tensor {
  const numbers = Uint32Array.from(
    { length: count },
    () => random.integer(below),
  );
  return Tensor.from(device, numbers);
}

/** Queues the backward pass of one op alone. */
function back(y: Tensor, dy: Tensor): void {
  const { backward, inputs } = y.origin!;
  noGrad(() => backward(dy, inputs.map(() => null)));
}
