/**
 * Running a matrix product whose tiles are a subgroup's, and its settings.
 *
 * @module
 */

import type { Device } from "../gpu/device.ts";
import {
  argsOf,
  halvesOf,
  imagesOf,
  type Layout,
  MOST_MATRICES,
  typesOf,
  workOf,
} from "./product_bindings.ts";
import { kernelFor } from "./product_files.ts";
import type { Job, Stored } from "./product_job.ts";
import type { VariantOf } from "./product_variants.ts";

/** Queues a job with matmul_subgroup. */
export function runSubgroup(
  device: Device,
  job: Job,
  { tile: [TILE_M, TILE_N], sources }: VariantOf<"subgroup">,
): void {
  const LANES = device.subgroupSize;
  const { transposeA: TRANSPOSE_A, transposeB: TRANSPOSE_B } = job;
  // Down the rows first, which share what they read of b.
  const x = Math.ceil(job.rows / TILE_M);
  const y = Math.ceil(job.cols / (4 * LANES * TILE_N));
  const { args: read, layout } = imagesOf(device, job, sources);
  const args = { ...argsOf(job), ...read };
  const PART = rowsAtOnce(job, TILE_M, LANES);
  const constants = {
    LANES,
    TILE_M,
    TILE_N,
    ...handingRound(job, TILE_M, LANES),
    PART,
    PARTED: PART < TILE_M,
    TRANSPOSE_A,
    TRANSPOSE_B,
    WHOLE: isWhole(job, layout),
    ADD: job.add,
    ...job.sums && { ADD_SUMS: job.sums.add },
    ...halvesOf(job, sources),
    ...layout,
  };
  for (let first = 0; first < job.batch; first += MOST_MATRICES) {
    kernelFor("matmul_subgroup", job, sources).run("product", {
      args: { ...args, first },
      constants,
      grid: { groups: [x, y, Math.min(MOST_MATRICES, job.batch - first)] },
      types: typesOf(job, sources),
      work: workOf(job),
      trips: Math.ceil(job.depth / 4),
      images: sources === "images" ? readAtEnd(job) : [],
    });
  }
}

/** What the end of a product reads, besides what all ends read. */
function readAtEnd({ add, bias, times, residual }: Job): string[] {
  return [
    ...add ? ["c"] : [],
    ...bias ? ["bias"] : [],
    ...times ? ["times"] : [],
    ...residual ? ["residual"] : [],
  ];
}

/**
 * How lanes hand round what they hold: rows within four, the most that one
 * instruction reaches, whose columns go from four to four. Where lanes are many,
 * columns of so many turns crowd the first cache, and rows go round all lanes; by
 * fours, so that they are written to the same lines of a cache in turn, or at
 * once for long sums, which gain more from fewer instructions.
 */
function handingRound({ transposeA }: Job, rows: number, lanes: number) {
  const HOLDERS = Math.min(transposeA ? rows / 4 : rows, lanes);
  const many = lanes >= 16;
  const SPIN = many && transposeA ? HOLDERS : Math.min(4, HOLDERS);
  const TURNS = many ? 1 : HOLDERS / SPIN;
  return { HOLDERS, SPIN, TURNS, HANDED: HOLDERS > SPIN * TURNS };
}

/**
 * Whether steps of four along the shared axis need no test at its end: where rows
 * of a factor lie along it, images that have zeros after their last row see to
 * that, and else the zeros that rows are filled up with.
 */
function isWhole(
  { a, b, transposeA, transposeB, depth }: Job,
  { LINES_A = false, LINES_B = false }: Layout,
): boolean {
  const ends = ({ tensor, matrix }: Stored, inLines: boolean) =>
    inLines && matrix === 0 && tensor.shape[0] === depth;
  return depth % 4 === 0 ||
    (!transposeA || ends(a, LINES_A)) &&
      (transposeB || ends(b, LINES_B));
}

/**
 * Rows of a tile to finish in one go. In parts they take half the time to compile
 * and, at a depth of 128, 3 to 9 % longer to run with 16 lanes, no longer with 8.
 */
function rowsAtOnce(job: Job, rows: number, lanes: number): number {
  const long = job.slope !== null || job.times !== null ||
    job.residual !== null;
  return rows >= 32 && (long || lanes < 16) ? rows / 4 : rows;
}
