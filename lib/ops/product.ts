/**
 * The matrix product every op with one is built from.
 *
 * @module
 */

import { count } from "../tensor/shape.ts";
import { type Dtype, type GradientPlace, Tensor } from "../tensor/tensor.ts";
import { copyElements } from "./copy.ts";
import { type Job, slices, type Stored } from "./product_job.ts";
import { runVariant } from "./product_kernels.ts";
import { tunedVariant } from "./product_tuning.ts";
import {
  blocksOf,
  fewRowsVariant,
  subgroupVariant,
  type Variant,
} from "./product_variants.ts";
import { sumLine } from "./sums.ts";

/** How to multiply. */
export interface ProductOptions {
  /** Whether `a` is stored `[batch, depth, rows]`. */
  transposeA?: boolean;
  /** Whether `b` is stored `[batch, cols, depth]`. */
  transposeB?: boolean;
  /** Added to every row of the result, `[cols]`. */
  bias?: Tensor | null;
  /**
   * How much of the operands counts, where they have rows or columns to spare.
   * Columns to spare along the shared axis hold zeros.
   */
  sizes?: { rows?: number; cols?: number; depth?: number };
  /**
   * Where to leave the result, or to add it. Its rows may be longer than the
   * result's, and are a multiple of four long. It is returned as it is.
   */
  into?: GradientPlace | null;
  /** What the result is rounded to; as `a` is, if left out. */
  dtype?: Dtype;
  /** Where the derivative is left, if GPT-2's approximation of the GELU is given. */
  slope?: Tensor | null;
  /** What the result is multiplied by, element by element. */
  times?: Tensor | null;
  /** What the result is added to, element by element. */
  residual?: Tensor | null;
  /**
   * Where to leave the sums of the columns of `b`, or to add them, `[cols]` in
   * f32: the gradient of a bias. For a single `b` as it is stored.
   */
  sums?: GradientPlace | null;
  /** What the next product reads besides, so that both are made ready at once. */
  soon?: Tensor | null;
  /** Whether `b` will serve again and again as it is, as in writing. */
  keep?: boolean;
  /** How to compute it, if not as suits the device. */
  variant?: (job: Job) => Variant;
}

/**
 * `op(a) op(b) + bias`, without a gradient, for batches of matrices in the last
 * two axes. A batch of one is used for every matrix of the other operand. Gives
 * `[batch, rows, cols]`.
 */
export function product(
  a: Tensor,
  b: Tensor,
  options: ProductOptions = {},
): Tensor {
  const { transposeA = false, transposeB = false, sizes, into = null } =
    options;
  const { device } = a;
  using owned = new DisposableStack();
  const left = inFours(a, owned);
  const right = inFours(b, owned);
  const rows = sizes?.rows ?? (transposeA ? left.cols : left.rows);
  const depth = sizes?.depth ?? (transposeA ? left.rows : left.cols);
  const cols = sizes?.cols ?? (transposeB ? right.rows : right.cols);
  const batch = Math.max(left.batch, right.batch);
  const wide = into?.tensor.shape.at(-1) ?? roundUp(cols);
  if (wide % 4 !== 0) {
    throw new RangeError(
      `Cannot leave a product in rows of ${wide}: expected a multiple of four`,
    );
  }
  const c = into?.tensor ??
    Tensor.empty(device, [batch, rows, wide], options.dtype ?? a.dtype);
  const given = () => into || wide === cols ? c : cropRows(c, cols);
  // Software adapters sum the columns while they multiply, which saves the loads.
  const together = device.prefersBroadcast && cols % 4 === 0 &&
    rows * depth > 0;
  const sums = options.sums ?? null;
  if (sums !== null && !together) {
    sumLine(b, { outer: 1, length: depth, inner: cols }, { into: sums });
  }
  if (batch * rows * cols === 0) return given();
  if (depth === 0) {
    if (!into?.add) c.fill(0);
    return given();
  }
  // Gradients of weights come with sums in any case: where no bias wants them they
  // cost next to nothing, and a kernel without took most of a second to compile.
  const summed = transposeA && !transposeB && batch === 1;
  const job: Job = {
    a: left.stored,
    b: right.stored,
    c: {
      tensor: owned.use(c.view([c.size / wide, wide])),
      row: wide / 4,
      matrix: rows * wide / 4,
      start: 0,
    },
    slope: options.slope ?? null,
    times: options.times ?? null,
    residual: options.residual ?? null,
    bias: options.bias ?? null,
    add: into?.add ?? false,
    sums: !together
      ? null
      : sums ?? (summed
        ? { tensor: owned.use(Tensor.empty(device, [cols])), add: false }
        : null),
    transposeA,
    transposeB,
    batch,
    rows,
    cols,
    depth,
    soon: options.soon ?? null,
    keep: (options.keep ?? false) && right.stored.row === right.cols / 4,
  };
  const choose = options.variant ?? variantFor;
  for (const slice of slices(device, job, owned)) {
    runVariant(device, slice, choose(slice));
  }
  return given();
}

/** Computes a gradient in the place meant for it, if its rows are in fours. */
export function inPlace(
  place: GradientPlace | null | undefined,
  shape: readonly number[],
  compute: (into: GradientPlace | null) => Tensor,
): Tensor {
  const fits = place && shape.at(-1)! % 4 === 0;
  const gradient = compute(fits ? place : null);
  return fits ? place.tensor : reshaped(gradient, shape);
}

/** A tensor under another shape, in place of the tensor. */
export function reshaped(tensor: Tensor, shape: readonly number[]): Tensor {
  const view = tensor.view(shape);
  tensor[Symbol.dispose]();
  return view;
}

/** What suits a device. */
function variantFor(job: Job): Variant {
  const { b: { tensor }, rows, keep } = job;
  const { device } = tensor;
  if (!device.prefersBroadcast) return fewRowsVariant(job) ?? tunedVariant(job);
  const blocks = blocksOf(job);
  if (keep && rows <= 16) device.images.twins.make(tensor, blocks);
  return subgroupVariant(job, {
    lanes: device.subgroupSize,
    twin: device.images.twins.of(tensor, blocks) !== undefined,
  });
}

/** Matrices whose rows are a multiple of four long, and the sizes that count. */
interface Matrices {
  readonly stored: Stored;
  readonly batch: number;
  readonly rows: number;
  readonly cols: number;
}

/** Rows are read in vectors of four; others are copied with zeros after them. */
function inFours(tensor: Tensor, owned: DisposableStack): Matrices {
  const [rows, cols] = tensor.shape.slice(-2);
  const batch = count(tensor.shape.slice(0, -2));
  const wide = roundUp(cols);
  const lines = [batch * rows, wide];
  let matrix = tensor;
  if (wide !== cols && tensor.size > 0) {
    matrix = owned.use(
      Tensor.zeros(tensor.device, lines, tensor.dtype),
    );
    copyElements(tensor, matrix, [batch * rows, cols], {
      source: { strides: [cols, 1] },
      target: { strides: [wide, 1] },
    });
  } else if (tensor.size > 0) matrix = owned.use(tensor.view(lines));
  const stored = {
    tensor: matrix,
    row: wide / 4,
    matrix: batch === 1 ? 0 : rows * wide / 4,
    start: 0,
  };
  return { stored, batch, rows, cols };
}

function cropRows(padded: Tensor, cols: number): Tensor {
  const [batch, rows, wide] = padded.shape;
  const cropped = Tensor.empty(
    padded.device,
    [batch, rows, cols],
    padded.dtype,
  );
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
