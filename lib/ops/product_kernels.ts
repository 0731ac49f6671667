/**
 * Running one variant of a matrix product.
 *
 * @module
 */

import type { Device } from "../gpu/device.ts";
import { Tensor } from "../tensor/tensor.ts";
import {
  argsOf,
  halvesOf,
  imagesOf,
  MOST_MATRICES,
  typesOf,
  workOf,
} from "./product_bindings.ts";
import { kernelFor } from "./product_files.ts";
import type { Job } from "./product_job.ts";
import { runSubgroup } from "./product_subgroup.ts";
import type { Variant, VariantOf } from "./product_variants.ts";
import { rowBlock } from "./rows.ts";

/** Queues a job with one variant. */
export function runVariant(device: Device, job: Job, variant: Variant): void {
  if (variant.family === "subgroup") runSubgroup(device, job, variant);
  else if (variant.family === "workgroup") runTiled(device, job, variant);
  else runRows(device, job, variant);
}

function runTiled(
  device: Device,
  job: Job,
  { tile: [TILE_M, TILE_N, TILE_K], repeat, parts }: VariantOf<"workgroup">,
): void {
  // Parts of the shared axis are summed each by itself, then in their order.
  using sums = parts === 1
    ? null
    : Tensor.empty(device, [parts, job.rows, 4 * job.c.row]);
  const summed = sums === null ? job : {
    ...job,
    c: { tensor: sums, row: job.c.row, matrix: job.rows * job.c.row, start: 0 },
    bias: null,
    slope: null,
    times: null,
    residual: null,
    add: false,
  };
  const part_depth = TILE_K * Math.ceil(job.depth / parts / TILE_K);
  const args = { ...argsOf(summed), parts, part_depth };
  const { transposeA: TRANSPOSE_A, transposeB: TRANSPOSE_B } = job;
  const x = Math.ceil(job.cols / TILE_N);
  const y = Math.ceil(job.rows / TILE_M);
  const z = parts === 1 ? job.batch : parts;
  for (let first = 0; first < z; first += MOST_MATRICES) {
    kernelFor("matmul", summed).run("product", {
      args: { ...args, first },
      constants: {
        TILE_M,
        TILE_N,
        TILE_K,
        REPEAT_M: repeat,
        REPEAT_N: repeat,
        TRANSPOSE_A,
        TRANSPOSE_B,
        ADD: summed.add,
      },
      grid: { groups: [x, y, Math.min(MOST_MATRICES, z - first)] },
      types: typesOf(summed),
      work: workOf(job),
      trips: part_depth / TILE_K,
    });
  }
  if (sums === null) return;
  const combined = { ...job, a: summed.c };
  kernelFor("matmul", job).run("combine", {
    args: { ...argsOf(combined), first: 0, parts, part_depth },
    grid: { groups: [Math.ceil(job.cols / 4 / BLOCK), job.rows] },
    constants: { BLOCK, ADD: job.add },
    types: typesOf(combined),
  });
}

const BLOCK = 64;
const MANY_READ = 1 << 18; // elements of a matrix, for which a row is read again and again

function runRows(
  device: Device,
  job: Job,
  { rows: ROWS, sources }: VariantOf<"rows">,
): void {
  const single = device.prefersBroadcast && ROWS === 1 && !job.transposeB;
  const name = single ? "matmul_row_subgroup" : "matmul_rows";
  const kernel = kernelFor(name, job, sources);
  const { args, layout } = imagesOf(device, job, sources);
  const given = {
    args: { ...argsOf(job), ...args },
    types: typesOf(job, sources),
    work: workOf(job),
  };
  const shared = { ADD: job.add, ...halvesOf(job, sources), ...layout };
  const WHOLE = job.depth % 4 === 0;
  const BLOCK = rowBlock(device);
  if (single) {
    const LANES = device.subgroupSize;
    const WIDE = (layout.BLOCK_B ?? 0) / LANES || 4;
    kernel.run("product", {
      ...given,
      constants: { ...shared, LANES, WIDE, WHOLE },
      grid: { groups: Math.ceil(job.cols / (4 * LANES * WIDE)) },
      trips: Math.ceil(job.depth / 4 * (1 + 1 / LANES)),
    });
  } else if (job.transposeB) {
    const COLS = device.prefersBroadcast ? 8 : 4;
    kernel.run("transposed", {
      ...given,
      constants: { ...shared, ROWS, BLOCK, COLS },
      grid: { groups: Math.ceil(job.cols / COLS) },
      trips: Math.ceil(job.depth / 4 / BLOCK),
      // Every workgroup reads the row, which is worth a copy where they are many.
      images: job.cols * job.depth >= MANY_READ ? ["a"] : [],
    });
  } else {
    const [ACROSS, DEEP] = [8, 32];
    kernel.run("product", {
      ...given,
      constants: { ...shared, ROWS, BLOCK, ACROSS, DEEP, WHOLE },
      grid: { groups: Math.ceil(job.cols / (4 * ACROSS)) },
      trips: Math.ceil(job.depth / 4 / DEEP),
    });
  }
}
