/**
 * A matrix product as kernels see it, and how it is cut where its matrices are
 * longer than what a kernel can bind.
 *
 * @module
 */

import type { Device } from "../gpu/device.ts";
import type { GradientPlace, Tensor } from "../tensor/tensor.ts";

/** A matrix in memory, or a batch of them. Lengths are in vectors of four. */
export interface Stored {
  /** The memory: stored rows and their length, for a single matrix. */
  readonly tensor: Tensor;
  /** From one stored row to the next. */
  readonly row: number;
  /** From one matrix to the next; 0 where one serves the whole batch. */
  readonly matrix: number;
  /** Before the first element. */
  readonly start: number;
}

/**
 * `c = op(a) op(b) (+ bias) (+ c)`; or of this x, `c = gelu(x)` and
 * `slope = gelu'(x)`; or `c = times x`; or `c = residual + x`.
 */
export interface Job {
  readonly a: Stored;
  readonly b: Stored;
  readonly c: Stored;
  /** Laid out as `c`. */
  readonly slope: Tensor | null;
  /** Laid out as `c`. */
  readonly times: Tensor | null;
  /** Laid out as `c`. */
  readonly residual: Tensor | null;
  readonly bias: Tensor | null;
  readonly add: boolean;
  /** Where `op(b)` summed along the shared axis is left, if it is wanted. */
  readonly sums: GradientPlace | null;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly batch: number;
  readonly rows: number;
  readonly cols: number;
  readonly depth: number;
  /** What the next product reads besides, if that is known. */
  readonly soon: Tensor | null;
  /** Whether `b` stays as it is for many products to come. */
  readonly keep: boolean;
}

type Axis = "rows" | "cols" | "depth";

/** Rows of a slice start at multiples of this, where every kernel can bind them. */
const ALIGNED_ROWS = 64;
// A step of the shared axis takes four or more of it, and software adapters end
// loops after 65,535.
const MOST_DEPTH = 4 * 60000;

/** The jobs that together do one, each within what the device can bind. */
export function* slices(
  device: Device,
  job: Job,
  owned: DisposableStack,
): Generator<Job> {
  const { a, b, c, transposeA, transposeB, batch } = job;
  const { maxStorageBufferBindingSize } = device.limits;
  const { software } = device.adapter;
  const most = software
    ? Math.min(maxStorageBufferBindingSize, device.images.most)
    : maxStorageBufferBindingSize;
  const cutAlong = (axis: Axis, { tensor }: Stored) => {
    const rowBytes = tensor.bytes / tensor.shape[0];
    const rows = Math.floor(most / rowBytes / ALIGNED_ROWS) * ALIGNED_ROWS;
    return cuts(
      device,
      job,
      { axis, size: Math.max(ALIGNED_ROWS, rows) },
      owned,
    );
  };
  if (batch > 1) yield job;
  else if (a.tensor.bytes > most) {
    yield* cutAlong(transposeA ? "depth" : "rows", a);
  } else if (b.tensor.bytes > most) {
    yield* cutAlong(transposeB ? "cols" : "depth", b);
  } else if (c.tensor.bytes > most) {
    yield* cutAlong("rows", c);
  } else if (software && job.depth > MOST_DEPTH) {
    yield* cuts(device, job, { axis: "depth", size: MOST_DEPTH }, owned);
  } else yield job;
}

function* cuts(
  device: Device,
  job: Job,
  { axis, size }: { axis: Axis; size: number },
  owned: DisposableStack,
): Generator<Job> {
  if (job[axis] <= size) return yield job; // a few rows are too much: refused below
  for (let first = 0; first < job[axis]; first += size) {
    const end = Math.min(job[axis], first + size);
    yield* slices(device, cut(job, { axis, first, end }, owned), owned);
  }
}

/** The part of a job between two indices of an axis. */
function cut(
  job: Job,
  { axis, first, end }: { axis: Axis; first: number; end: number },
  owned: DisposableStack,
): Job {
  const { transposeA, transposeB, bias, slope, times, residual, sums } = job;
  const rowsOf = (tensor: Tensor) => owned.use(tensor.rows(first, end));
  const part = (matrix: Stored, stored: Axis, across: Axis): Stored =>
    axis === stored
      ? { ...matrix, tensor: rowsOf(matrix.tensor) }
      : axis === across
      ? { ...matrix, start: matrix.start + first / 4 }
      : matrix;
  const sliced = {
    ...job,
    a: part(job.a, ...ordered("rows", "depth", transposeA)),
    b: part(job.b, ...ordered("depth", "cols", transposeB)),
    c: part(job.c, "rows", "cols"),
    slope: slope && axis === "rows" ? rowsOf(slope) : slope,
    times: times && axis === "rows" ? rowsOf(times) : times,
    residual: residual && axis === "rows" ? rowsOf(residual) : residual,
    bias: bias && axis === "cols"
      ? owned.use(bias.part(first, [end - first]))
      : bias,
    sums: sums && axis === "cols"
      ? { ...sums, tensor: owned.use(sums.tensor.part(first, [end - first])) }
      : axis === "rows" && first > 0
      ? null
      : sums,
    [axis]: end - first,
  };
  if (axis !== "depth") return sliced;
  // The first slice brings the bias, the last applies what comes after the sum.
  const last = end === job.depth;
  return {
    ...sliced,
    bias: first === 0 ? bias : null,
    add: job.add || first > 0,
    sums: sums && { ...sums, add: sums.add || first > 0 },
    times: last ? times : null,
    residual: last ? residual : null,
    ...!last && slope ? { slope: null, c: { ...job.c, tensor: slope } } : {},
  };
}

function ordered(rows: Axis, cols: Axis, transposed: boolean): [Axis, Axis] {
  return transposed ? [cols, rows] : [rows, cols];
}
