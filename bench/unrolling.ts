/**
 * What writing out loops is worth; see docs/decisions/0001.
 *
 * The matrix product for GPUs, once as it runs and once with its loops in a form
 * that `unroll` in lib/gpu/unroll.ts leaves alone. Its twin for software
 * adapters cannot run in loops at all: the lane that a broadcast names must be a
 * constant.
 *
 * @module
 */

import type { Device } from "../lib/gpu/device.ts";
import { Kernel } from "../lib/gpu/kernel.ts";
import { Random } from "../lib/random.ts";
import { Tensor } from "../lib/tensor/tensor.ts";
import source from "../kernels/matmul.wgsl" with { type: "text" };
import bufferA from "../kernels/shared/a_buffer.wgsl" with { type: "text" };
import bufferB from "../kernels/shared/b_buffer.wgsl" with { type: "text" };
import ends from "../kernels/shared/ends.wgsl" with { type: "text" };
import finish from "../kernels/shared/finish.wgsl" with { type: "text" };
import { Stopwatch, type Work } from "./measure.ts";
import { type BenchOptions, wanted } from "./report.ts";

const SIZE = 512;

/** Measures a matrix product with its loops and without. */
export async function unrolling(
  { report, filters, quick = false }: BenchOptions,
): Promise<void> {
  using stopwatch = await Stopwatch.open();
  const { device } = stopwatch;
  report({ adapter: device.adapter.name, subgroup: device.subgroupSize });
  const works = (quick ? [1] : [1, 2]).flatMap((repeat) => pair(device, repeat))
    .filter(({ name }) => wanted(name, filters));
  for (const { work, seconds } of await stopwatch.measure(works)) {
    const speed = work.flops! / seconds / 1e9;
    report({ kernel: work.name, ms: 1e3 * seconds, "GFLOP/s": speed });
  }
}

/** The kernel in both forms, a thread owning `repeat` blocks each way. */
function pair(device: Device, repeat: number): Work[] {
  const random = new Random(1);
  const a = Tensor.randn(device, [SIZE, SIZE], random);
  const b = Tensor.randn(device, [SIZE, SIZE], random);
  const c = Tensor.empty(device, [SIZE, SIZE]);
  const row = SIZE / 4;
  const args = {
    a,
    b,
    bias: a,
    c,
    rows: SIZE,
    cols: SIZE,
    depth: SIZE,
    row_a: row,
    row_b: row,
    row_c: row,
    matrix_a: 0,
    matrix_b: 0,
    matrix_c: 0,
    start_a: 0,
    start_b: 0,
    start_c: 0,
    first: 0,
    parts: 1,
    part_depth: SIZE,
    biased: 0,
  };
  const tile = 32 * repeat;
  const constants = {
    TILE_M: tile,
    TILE_N: tile,
    TILE_K: 8,
    REPEAT_M: repeat,
    REPEAT_N: repeat,
  };
  const groups = [SIZE / tile, SIZE / tile] as const;
  const forms = { "written out": source, "in loops": keepLoops(source) };
  return Object.entries(forms).map(([form, code]) => {
    const kernel = new Kernel("matmul", code, bufferA, bufferB, ends, finish);
    return {
      name: `matmul ${SIZE}^3, tile ${tile}, ${form}`,
      run: () => kernel.run("product", { args, constants, grid: { groups } }),
      flops: 2 * SIZE ** 3,
    };
  });
}

/** The same loops, in a form that is not recognized as one with fixed trips. */
function keepLoops(source: string): string {
  return source.replaceAll(/(\w+)\+\+\)/g, "$1 = $1 + 1u)");
}
