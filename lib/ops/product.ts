/**
 * The matrix product every op with one is built from.
 *
 * @module
 */

import type { Device } from "../gpu/device.ts";
import { Kernel } from "../gpu/kernel.ts";
import type { Constants } from "../gpu/specialize.ts";
import { count } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { copyElements } from "./copy.ts";
import subgroupSource from "../../kernels/matmul_subgroup.wgsl" with {
  type: "text",
};
import workgroupSource from "../../kernels/matmul.wgsl" with { type: "text" };

const subgroupKernel = new Kernel("matmul_subgroup", subgroupSource);
const workgroupKernel = new Kernel("matmul", workgroupSource);

const MOST_MATRICES = 65535; // in one run: the grid's third axis

/** How to multiply. */
export interface ProductOptions {
  /** Whether `a` is stored `[batch, depth, rows]`. */
  transposeA?: boolean;
  /** Whether `b` is stored `[batch, cols, depth]`. */
  transposeB?: boolean;
  /** Added to every row of the result, `[cols]`. */
  bias?: Tensor | null;
}

/** Matrices in memory: how many there are, and the sizes of one. */
interface Matrices {
  readonly tensor: Tensor;
  readonly batch: number;
  readonly rows: number;
  readonly cols: number;
}

/**
 * `op(a) op(b) + bias`, without a gradient, for batches of matrices in the last
 * two axes. A batch of one is used for every matrix of the other operand. Gives
 * `[batch, rows, cols]`.
 */
export function product(
  a: Tensor,
  b: Tensor,
  { transposeA = false, transposeB = false, bias = null }: ProductOptions = {},
): Tensor {
  const { device } = a;
  const left = padRows(matrices(a));
  const right = padRows(matrices(b));
  const rows = transposeA ? left.cols : left.rows;
  const depth = transposeA ? left.rows : left.cols;
  const cols = transposeB ? right.rows : right.cols;
  const batch = Math.max(left.batch, right.batch);
  const wide = roundUp(cols);
  const c = Tensor.empty(device, [batch, rows, wide]);
  if (c.size === 0) return c.view([batch, rows, cols]);
  if (depth === 0) return Tensor.zeros(device, [batch, rows, cols]);

  const { kernel, tile, constants } = variant(device, rows, cols);
  const args = {
    a: left.tensor,
    b: right.tensor,
    bias: bias ? padRows(matrices(bias.view([1, cols]))).tensor : left.tensor,
    c,
    rows,
    cols,
    depth,
    row_a: roundUp(left.cols) / 4,
    row_b: roundUp(right.cols) / 4,
    row_c: wide / 4,
    matrix_a: left.batch === 1 ? 0 : left.rows * roundUp(left.cols) / 4,
    matrix_b: right.batch === 1 ? 0 : right.rows * roundUp(right.cols) / 4,
    matrix_c: rows * wide / 4,
  };
  const across = [Math.ceil(cols / tile.cols), Math.ceil(rows / tile.rows)];
  for (let first = 0; first < batch; first += MOST_MATRICES) {
    kernel.run("product", {
      args: { ...args, first },
      constants: {
        ...constants,
        TRANSPOSE_A: transposeA,
        TRANSPOSE_B: transposeB,
        BIAS: bias !== null,
      },
      grid: {
        groups: [across[0], across[1], Math.min(MOST_MATRICES, batch - first)],
      },
    });
  }
  if (left.tensor !== a) left.tensor[Symbol.dispose]();
  if (right.tensor !== b) right.tensor[Symbol.dispose]();
  return wide === cols ? c : cropRows(c, cols);
}

/** A kernel, the part of the result one workgroup makes, and its settings. */
interface Variant {
  readonly kernel: Kernel;
  readonly tile: { readonly rows: number; readonly cols: number };
  readonly constants: Constants;
}

/** Which kernel, and how big a part of the result one workgroup makes. */
function variant(device: Device, rows: number, cols: number): Variant {
  if (device.prefersBroadcast) {
    const LANES = device.subgroupSize;
    const TILE_M = rows <= 4 ? 4 : rows <= 16 ? 16 : 32;
    const TILE_N = rows > 16 && rows * cols >= 128 * 128 ? 2 : 1;
    return {
      kernel: subgroupKernel,
      tile: { rows: TILE_M, cols: 4 * LANES * TILE_N },
      constants: { LANES, TILE_M, TILE_N },
    };
  }
  const big = rows * cols >= 512 * 512;
  const TILE = big ? 64 : 32;
  const REPEAT = big ? 2 : 1;
  return {
    kernel: workgroupKernel,
    tile: { rows: TILE, cols: TILE },
    constants: {
      TILE_M: TILE,
      TILE_N: TILE,
      TILE_K: big ? 16 : 8,
      REPEAT_M: REPEAT,
      REPEAT_N: REPEAT,
    },
  };
}

function matrices(tensor: Tensor): Matrices {
  const [rows, cols] = tensor.shape.slice(-2);
  return { tensor, batch: count(tensor.shape.slice(0, -2)), rows, cols };
}

/** Rows are read in vectors of four; others are copied with zeros after them. */
function padRows({ tensor, batch, rows, cols }: Matrices): Matrices {
  const wide = roundUp(cols);
  if (wide === cols || tensor.size === 0) return { tensor, batch, rows, cols };
  const padded = Tensor.zeros(tensor.device, [batch, rows, wide]);
  copyElements(tensor, padded, [batch * rows, cols], {
    source: { strides: [cols, 1] },
    target: { strides: [wide, 1] },
  });
  return { tensor: padded, batch, rows, cols };
}

function cropRows(padded: Tensor, cols: number): Tensor {
  const [batch, rows, wide] = padded.shape;
  const cropped = Tensor.empty(padded.device, [batch, rows, cols]);
  copyElements(padded, cropped, [batch * rows, cols], {
    source: { strides: [wide, 1] },
    target: { strides: [cols, 1] },
  });
  padded[Symbol.dispose]();
  return cropped;
}

function roundUp(cols: number): number {
  return Math.ceil(cols / 4) * 4;
}
