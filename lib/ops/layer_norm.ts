import type { Device } from "../gpu/device.ts";
import { expectFloat, expectShape } from "../tensor/expect.ts";
import { record } from "../tensor/tape.ts";
import { type GradientPlace, Tensor } from "../tensor/tensor.ts";
import { rowBlock, RowKernel, rowReductions } from "./rows.ts";
import source from "../../kernels/layer_norm.wgsl" with { type: "text" };
import broadcastSource from "../../kernels/shared/reduce_broadcast.wgsl" with {
  type: "text",
};
import subgroupSource from "../../kernels/layer_norm_subgroup.wgsl" with {
  type: "text",
};

const kernel = new RowKernel("layer_norm", source, rowReductions);
const heldKernel = new RowKernel(
  "layer_norm_subgroup",
  subgroupSource,
  broadcastSource,
);
const ROWS_PER_PART = 64;
const MOST_PARTS = 1024;

/**
 * Normalizes each row of the last axis to mean 0 and variance 1, then scales it
 * by `weight` and shifts it by `bias`, both f32 and as long as the row.
 */
export function layerNorm(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  eps = 1e-5,
): Tensor {
  const { device } = x;
  const cols = x.shape.at(-1) ?? 1;
  const rows = cols === 0 ? 0 : x.size / cols;
  expectFloat("normalize", x);
  expectShape(`normalize [${x.shape}]`, "weight", weight, [cols]);
  if (bias) expectShape(`normalize [${x.shape}]`, "bias", bias, [cols]);
  const norm = { x, weight, bias, eps, rows, cols };
  const { forward, backward } = heldVectors(device, cols) > 0 ? held : walked;
  const y = Tensor.empty(device, x.shape, x.dtype);
  const moments = Tensor.empty(device, [rows, 2]);
  forward(norm, { y, moments });

  const inputs = bias ? [x, weight, bias] : [x, weight];
  return record(y, "layerNorm", inputs, (dy, [intoX, ...places]) => {
    const dx = intoX?.tensor ?? Tensor.empty(device, x.shape, x.dtype);
    const learned = weight.needsGrad || (bias?.needsGrad ?? false);
    const way = { moments, dy, dx, ADD: intoX?.add ?? false, learned };
    using partial = backward(norm, way);
    return partial ? [dx, ...sumAffine(norm, partial, places)] : [dx];
  });
}

/** A layer and what it is applied to. */
interface Norm {
  readonly x: Tensor;
  readonly weight: Tensor;
  readonly bias: Tensor | null;
  readonly eps: number;
  readonly rows: number;
  readonly cols: number;
}

/** What the way back reads, and writes to `dx`. */
interface WayBack {
  readonly moments: Tensor;
  readonly dy: Tensor;
  readonly dx: Tensor;
  readonly ADD: boolean;
  /** Whether the gradients of weight and bias are wanted. */
  readonly learned: boolean;
}

/** A way to compute: the second gives the partial sums of what is learned. */
interface Way {
  forward(norm: Norm, made: { y: Tensor; moments: Tensor }): void;
  backward(norm: Norm, way: WayBack): Partial | null;
}

/** Rows that threads walk along, any number of columns. */
const walked: Way = {
  forward(norm, made) {
    const { x, weight, bias, rows, cols } = norm;
    kernel.run("forward", cols, {
      args: { x, weight, bias: bias ?? weight, ...made, ...sizesOf(norm) },
      grid: { groups: rows },
      constants: constantsOf(norm),
      stored: x.dtype,
      passes: 3,
      images: ["x", "weight", "bias"],
    });
  },
  backward(norm, { moments, dy, dx, ADD, learned }) {
    const { x, weight, rows, cols } = norm;
    kernel.run("backward_x", cols, {
      args: { x, weight, kept: moments, dy, dx, ...sizesOf(norm) },
      grid: { groups: rows },
      constants: { ...constantsOf(norm), ADD },
      stored: x.dtype,
      passes: 2,
      images: ["x", "weight", "dy", ...ADD ? ["dx"] : []],
    });
    if (!learned) return null;
    const wanted = Math.ceil(rows / ROWS_PER_PART);
    const partial = new Partial(norm, clamp(wanted, 1, MOST_PARTS));
    const { parts } = partial;
    const sizes = { ...sizesOf(norm), parts };
    kernel.run("backward_affine", cols, {
      args: { x, kept: moments, dy, ...partial.args, ...sizes },
      grid: { threads: parts * sizes.cols },
      constants: constantsOf(norm),
      stored: x.dtype,
      trips: Math.ceil(rows / parts),
      images: ["x", "kept", "dy"],
    });
    return partial;
  },
};

const MOST_HELD = 24; // vectors of a row in the registers of a thread
const ROWS_HELD = 8; // by a workgroup, one after another, on the way forward
const ROWS_HELD_BACK = 32; // and at least so many on the way back

/** Rows that the threads of a narrow subgroup hold in registers. */
const held: Way = {
  forward(norm, made) {
    const { x, weight, bias, eps, rows, cols } = norm;
    heldKernel.run("forward", cols, {
      args: { x, weight, bias: bias ?? weight, ...made, rows, eps },
      grid: { groups: Math.ceil(rows / ROWS_HELD) },
      constants: heldConstantsOf(norm, ROWS_HELD),
      stored: x.dtype,
      trips: ROWS_HELD,
      images: ["x", "weight", "bias"],
    });
  },
  backward(norm, { moments, dy, dx, ADD, learned }) {
    const { x, weight, eps, rows, cols } = norm;
    let each = ROWS_HELD_BACK;
    while (rows / each > MOST_PARTS) each *= 2;
    const partial = new Partial(norm, Math.max(1, Math.ceil(rows / each)));
    const args = { x, weight, kept: moments, dy, dx, ...partial.args };
    heldKernel.run("backward", cols, {
      args: { ...args, rows, eps },
      grid: { groups: partial.parts },
      constants: { ...heldConstantsOf(norm, each), ADD },
      stored: x.dtype,
      trips: each,
      images: ["x", "weight", "kept", "dy", ...ADD ? ["dx"] : []],
    });
    if (learned) return partial;
    partial[Symbol.dispose]();
    return null;
  },
};

/** Sums over parts of the rows, from which those over all rows follow. */
class Partial implements Disposable {
  readonly parts: number;
  readonly args: { partial_weight: Tensor; partial_bias: Tensor };

  constructor({ x: { device }, bias, cols }: Norm, parts: number) {
    this.parts = parts;
    this.args = {
      partial_weight: Tensor.empty(device, [parts, cols]),
      partial_bias: Tensor.empty(device, bias ? [parts, cols] : [1]),
    };
  }

  [Symbol.dispose](): void {
    this.args.partial_weight[Symbol.dispose]();
    this.args.partial_bias[Symbol.dispose]();
  }
}

/** The gradients of weight and bias, in their places if they have any. */
function sumAffine(
  norm: Norm,
  { parts, args }: Partial,
  [intoWeight, intoBias]: readonly (GradientPlace | null)[],
): Tensor[] {
  const { x: { device }, bias, cols } = norm;
  const dweight = intoWeight?.tensor ?? Tensor.empty(device, [cols]);
  const dbias = intoBias?.tensor ?? Tensor.empty(device, [bias ? cols : 1]);
  const sizes = { ...sizesOf(norm), parts };
  kernel.run("sum_affine", cols, {
    args: { ...args, dweight, dbias, ...sizes },
    grid: { threads: sizes.cols },
    constants: {
      ...constantsOf(norm),
      ADD_WEIGHT: intoWeight?.add ?? false,
      ADD_BIAS: intoBias?.add ?? false,
    },
  });
  return bias ? [dweight, dbias] : [dweight];
}

function sizesOf({ rows, cols, eps }: Norm) {
  return { rows, cols: cols / kernel.width(cols), eps, parts: 0 };
}

function constantsOf({ x: { device }, bias }: Norm) {
  return { BLOCK: rowBlock(device), BIAS: bias !== null };
}

function heldConstantsOf(norm: Norm, ROWS: number) {
  const HELD = heldVectors(norm.x.device, norm.cols);
  return { ...constantsOf(norm), HELD, ROWS };
}

/** Vectors that a thread holds of a row, or 0 where none are held. */
function heldVectors(device: Device, cols: number): number {
  const vectors = cols / 4 / rowBlock(device);
  const few = Number.isInteger(vectors) && vectors <= MOST_HELD;
  return device.prefersBroadcast && few ? vectors : 0;
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}
