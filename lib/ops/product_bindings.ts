/**
 * What the kernels of matrix products bind.
 *
 * @module
 */

import type { Device } from "../gpu/device.ts";
import type { Image } from "../gpu/image.ts";
import type { Work } from "../gpu/queue.ts";
import type { Constants, Types } from "../gpu/specialize.ts";
import type { Job } from "./product_job.ts";
import { blocksOf, type Sources } from "./product_variants.ts";

/** Matrices of a batch in one run: the grid's third axis. */
export const MOST_MATRICES = 65535;

/** How factors lie in images: a row to a line, or `b` in blocks of columns. */
export type Layout = {
  readonly LINES_A?: boolean;
  readonly LINES_B?: boolean;
  readonly BLOCK_B?: number;
};

/** The factors that are read from images, and how they lie there. */
export function imagesOf(
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
export function argsOf(job: Job) {
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
export function typesOf({ a, b, c }: Job, sources: Sources = "buffers"): Types {
  const types: Record<string, "vec4h"> = {};
  if (a.tensor.dtype === "f16" && sources !== "images") types.StoredA = "vec4h";
  if (b.tensor.dtype === "f16" && sources === "buffers") {
    types.StoredB = "vec4h";
  }
  if (c.tensor.dtype === "f16") types.StoredC = "vec4h";
  return types;
}

/** Which images hold 16-bit floats. */
export function halvesOf({ a, b }: Job, sources: Sources): Constants {
  return {
    ...sources === "images" && { HALF_A: a.tensor.dtype === "f16" },
    ...sources !== "buffers" && { HALF_B: b.tensor.dtype === "f16" },
  };
}

/** What a product asks, for the profiler. */
export function workOf({ a, b, c, batch, rows, cols, depth }: Job): Work {
  return {
    flops: 2 * batch * rows * cols * depth,
    bytes: a.tensor.bytes + b.tensor.bytes + c.tensor.bytes,
  };
}
