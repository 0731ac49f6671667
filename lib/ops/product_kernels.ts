/**
 * Running one variant of a matrix product.
 *
 * @module
 */

import type { Device } from "../gpu/device.ts";
import type { Work } from "../gpu/queue.ts";
import type { Constants, Types } from "../gpu/specialize.ts";
import type { Image } from "../gpu/image.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Job, Stored } from "./product_job.ts";
import { kernelFor } from "./product_files.ts";
import { blocksOf, type Sources, type Variant } from "./product_variants.ts";
import { rowBlock } from "./rows.ts";

/** Queues a job with one variant. */
export function runVariant(device: Device, job: Job, variant: Variant): void {
  if (variant.family === "subgroup") runSubgroup(device, job, variant);
  else if (variant.family === "workgroup") runTiled(device, job, variant);
  else runRows(device, job, variant);
}

type Of<Family> = Variant & { readonly family: Family };

const MOST_MATRICES = 65535; // in one run: the grid's third axis

function runSubgroup(
  device: Device,
  job: Job,
  { tile: [TILE_M, TILE_N], sources }: Of<"subgroup">,
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

function runTiled(
  device: Device,
  job: Job,
  { tile: [TILE_M, TILE_N, TILE_K], repeat, parts }: Of<"workgroup">,
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
  { rows: ROWS, sources }: Of<"rows">,
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

/** How factors lie in images: a row to a line, or `b` in blocks of columns. */
type Layout = {
  readonly LINES_A?: boolean;
  readonly LINES_B?: boolean;
  readonly BLOCK_B?: number;
};

/** The factors that are read from images, and how they lie there. */
function imagesOf(
  { images }: Device,
  job: Job,
  sources: Sources,
): { args?: { a?: Image; b: Image; row_b?: number }; layout: Layout } {
  if (sources === "buffers") return { layout: {} };
  const { a, b, soon } = job;
  const blocks = blocksOf(job);
  const twin = images.twins.of(b.tensor, blocks);
  const inBlocks = twin && blocks;
  const row_b = inBlocks ? b.tensor.shape[0] : b.row;
  const BLOCK_B = inBlocks ? b.row * blocks.block / blocks.row : 0;
  if (sources === "image b") {
    const image = twin ?? images.copies([b.tensor])[0];
    return { args: { b: image, row_b }, layout: { BLOCK_B } };
  }
  const read = twin ? [a.tensor] : [a.tensor, b.tensor];
  if (soon && soon.bytes <= images.most) read.push(soon);
  const lines = read.map((tensor) =>
    images.lineOf(tensor, tensor.bytes / tensor.size * tensor.shape.at(-1)!)
  );
  const [first, second] = images.copies(read, { lines });
  return {
    args: { a: first, b: twin ?? second, row_b },
    layout: {
      LINES_A: lines[0] > 0,
      LINES_B: !twin && lines[1] > 0,
      BLOCK_B,
    },
  };
}

/** The arguments that all kernels share. */
function argsOf(job: Job) {
  const { a, b, c, slope, times, residual, bias, sums } = job;
  const { rows, cols, depth } = job;
  return {
    a: a.tensor,
    b: b.tensor,
    c: c.tensor,
    slope: slope ?? undefined,
    times: times ?? undefined,
    residual: residual ?? undefined,
    column_sums: sums?.tensor,
    bias: bias ?? a.tensor, // bound, but not read
    biased: Number(bias !== null),
    rows,
    cols,
    depth,
    row_a: a.row,
    row_b: b.row,
    row_c: c.row,
    matrix_a: a.matrix,
    matrix_b: b.matrix,
    matrix_c: c.matrix,
    start_a: a.start,
    start_b: b.start,
    start_c: c.start,
  };
}

/** The types of what is kept in 16 bits, in buffers. */
function typesOf({ a, b, c }: Job, sources: Sources = "buffers"): Types {
  const types: Record<string, "vec4h"> = {};
  if (a.tensor.dtype === "f16" && sources !== "images") types.StoredA = "vec4h";
  if (b.tensor.dtype === "f16" && sources === "buffers") {
    types.StoredB = "vec4h";
  }
  if (c.tensor.dtype === "f16") types.StoredC = "vec4h";
  return types;
}

/** Which images hold 16-bit floats. */
function halvesOf({ a, b }: Job, sources: Sources): Constants {
  return {
    ...sources === "images" && { HALF_A: a.tensor.dtype === "f16" },
    ...sources !== "buffers" && { HALF_B: b.tensor.dtype === "f16" },
  };
}

function workOf({ a, b, c, batch, rows, cols, depth }: Job): Work {
  return {
    flops: 2 * batch * rows * cols * depth,
    bytes: a.tensor.bytes + b.tensor.bytes + c.tensor.bytes,
  };
}
