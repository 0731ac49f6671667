/**
 * What a GPU makes of this project: the one command for figures of real hardware.
 *
 * ```sh
 * deno task bench gpu --json > gpu.jsonl
 * ```
 *
 * Software adapters would take hours over these sizes, so they get smaller ones
 * and lines that say what was left out.
 *
 * @module
 */

import type { Device } from "../lib/gpu/device.ts";
import { measureRoofline } from "../lib/gpu/roofline.ts";
import * as ops from "../lib/ops/mod.ts";
import { Random } from "../lib/random.ts";
import { noGrad } from "../lib/tensor/tape.ts";
import { type Dtype, Tensor } from "../lib/tensor/tensor.ts";
import { gpuRuns } from "./gpu_runs.ts";
import { Stopwatch, type Work } from "./measure.ts";
import { type BenchOptions, wanted } from "./report.ts";
import { tuneFor } from "./tuning.ts";

/** Measures the adapter's roofs, products, attention, training steps and writing. */
export async function gpu(options: BenchOptions): Promise<void> {
  const { report, filters } = options;
  {
    using stopwatch = await Stopwatch.open();
    const { device } = stopwatch;
    doctor(device, options);
    if (wanted("roofline", filters)) await roofline(device, options);
    const small = options.quick || device.adapter.software;
    const dtypes: Dtype[] = device.features.has("shader-f16")
      ? ["f32", "f16"]
      : ["f32"];
    const random = new Random(1);
    for (const dtype of dtypes) {
      const works = [
        ...products(device, random, dtype, small ? [256] : [1024, 2048, 4096]),
        ...attentions(device, random, dtype, small ? 128 : 1024),
      ].filter(({ name }) => wanted(name, filters));
      await tuneFor(device, options, () => {
        using _scope = device.scope();
        for (const { run } of works) run();
      });
      for (const { work, seconds } of await stopwatch.measure(works)) {
        report({
          gpu: work.name,
          ms: 1e3 * seconds,
          "TFLOP/s": work.flops! / seconds / 1e12,
        });
      }
    }
    if (small) {
      report({ skipped: "products above 256 and attention above 128 tokens" });
    }
  }
  await gpuRuns(options);
}

/** One line on what is measured. */
function doctor(device: Device, { report }: BenchOptions): void {
  const { adapter, info, gpu: { limits }, features } = device;
  report({
    adapter: adapter.name,
    vendor: info.vendor,
    runtime: `Deno ${Deno.version.deno}`,
    f16: features.has("shader-f16") ? "yes" : "no",
    subgroup: device.subgroupSize,
    "binding MiB": limits.maxStorageBufferBindingSize / 2 ** 20,
    "shared KiB": limits.maxComputeWorkgroupStorageSize / 2 ** 10,
  });
}

async function roofline(
  device: Device,
  { report }: BenchOptions,
): Promise<void> {
  using profiler = await device.profile();
  if (profiler === null) return;
  const { flops, bytes } = await measureRoofline(device, profiler);
  report({
    roofline: adapterPart(device),
    "TFLOP/s": flops / 1e12,
    "GB/s": bytes / 1e9,
  });
}

function adapterPart({ adapter }: Device): string {
  return adapter.software ? "f32, on the CPU" : "f32";
}

function products(
  device: Device,
  random: Random,
  dtype: Dtype,
  sizes: readonly number[],
): Work[] {
  return sizes.flatMap((size) => {
    const a = randn(device, random, [size, size], dtype);
    const b = randn(device, random, [size, size], dtype);
    const forms = { nn: [false, false], nt: [false, true], tn: [true, false] };
    return Object.entries(forms).map(([form, [transposeA, transposeB]]) => ({
      name: `matmul ${size}^3 ${form} ${dtype}`,
      run: () => noGrad(() => ops.matmul(a, b, { transposeA, transposeB })),
      flops: 2 * size ** 3,
    }));
  });
}

function attentions(
  device: Device,
  random: Random,
  dtype: Dtype,
  time: number,
): Work[] {
  const [batch, heads, size] = [4, 12, 64];
  const channels = heads * size;
  const qkv = randn(device, random, [batch, time, 3 * channels], dtype);
  const dy = randn(device, random, [batch, time, channels], dtype);
  qkv.origin = { op: "given", inputs: [], backward: () => [] };
  const name = `attention B${batch} H${heads} T${time} D${size} ${dtype}`;
  const attend = () => ops.attention(qkv, heads);
  // A product of [T, D] and [D, T], of which causality needs half.
  const flops = batch * heads * time * time * size;
  return [
    { name, run: () => noGrad(attend), flops: 2 * flops },
    {
      name: `${name} and back`,
      run: () => {
        const y = attend();
        noGrad(() => y.origin!.backward(dy, [null]));
      },
      flops: 7 * flops,
    },
  ];
}

function randn(
  device: Device,
  random: Random,
  shape: readonly number[],
  dtype: Dtype,
): Tensor {
  if (dtype === "f32") return Tensor.randn(device, shape, random);
  const numbers = random.normal(shape.reduce((size, n) => size * n, 1));
  return Tensor.from(device, new Float16Array(numbers), shape);
}
