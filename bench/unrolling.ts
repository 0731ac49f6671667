/**
 * What writing out loops is worth; see docs/decisions/0001.
 *
 * The same kernels, once as they run and once with loops in a form that
 * `unroll` in lib/gpu/specialize.ts leaves alone.
 *
 * @module
 */

import type { Device } from "../lib/gpu/device.ts";
import { Kernel } from "../lib/gpu/kernel.ts";
import { Random } from "../lib/random.ts";
import { Tensor } from "../lib/tensor/tensor.ts";
import subgroupSource from "../kernels/matmul_subgroup.wgsl" with {
  type: "text",
};
import workgroupSource from "../kernels/matmul.wgsl" with { type: "text" };
import { Stopwatch, type Work } from "./measure.ts";
import { type BenchOptions, wanted } from "./report.ts";

const [ROWS, DEPTH, COLS] = [1024, 384, 1536];

/** Measures both matrix products with and without their loops. */
export async function unrolling(
  { report, filters }: BenchOptions,
): Promise<void> {
  using stopwatch = await Stopwatch.open();
  const { device } = stopwatch;
  report({ adapter: device.adapter.name, subgroup: device.subgroupSize });
  const works = (device.subgroupSize > 0 ? ["matmul_subgroup"] : [])
    .concat("matmul")
    .filter((name) => wanted(name, filters))
    .flatMap((name) => pair(device, name));
  for (const { work, seconds } of await stopwatch.measure(works)) {
    const speed = work.flops! / seconds / 1e9;
    report({ kernel: work.name, ms: 1e3 * seconds, "GFLOP/s": speed });
  }
}

function pair(device: Device, name: string): Work[] {
  const random = new Random(1);
  const a = Tensor.randn(device, [ROWS, DEPTH], random);
  const b = Tensor.randn(device, [DEPTH, COLS], random);
  const c = Tensor.empty(device, [ROWS, COLS]);
  const args = {
    a,
    b,
    bias: a,
    c,
    rows: ROWS,
    cols: COLS,
    depth: DEPTH,
    row_a: DEPTH / 4,
    row_b: COLS / 4,
    row_c: COLS / 4,
    matrix_a: 0,
    matrix_b: 0,
    matrix_c: 0,
    first: 0,
  };
  const broadcasts = name === "matmul_subgroup";
  const source = broadcasts ? subgroupSource : workgroupSource;
  const lanes = device.subgroupSize;
  const constants: Record<string, number> = broadcasts ? { LANES: lanes } : {};
  const groups = [COLS / (broadcasts ? 4 * lanes : 32), ROWS / 32] as const;
  const flops = 2 * ROWS * DEPTH * COLS;
  return [["written out", source], ["in loops", keepLoops(source)]].map((
    [how, code],
  ) => {
    const kernel = new Kernel(name, code);
    return {
      name: `${name} ${ROWS}x${DEPTH}x${COLS} ${how}`,
      run: () => kernel.run("product", { args, constants, grid: { groups } }),
      flops,
    };
  });
}

/** The same loops, in a form that is not recognized as one with fixed trips. */
function keepLoops(source: string): string {
  return source.replaceAll(/(\w+)\+\+\)/g, "$1 = $1 + 1u)");
}
