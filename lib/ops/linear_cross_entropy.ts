import type { Device } from "../gpu/device.ts";
import { Kernel } from "../gpu/kernel.ts";
import { expectDtype, expectShape } from "../tensor/expect.ts";
import { Parameter } from "../tensor/parameter.ts";
import { record, recorded } from "../tensor/tape.ts";
import { type GradientPlace, Tensor } from "../tensor/tensor.ts";
import { windows } from "../tensor/windows.ts";
import { convert } from "./convert.ts";
import {
  type CrossEntropyOptions,
  meanLoss,
  rowsScored,
} from "./cross_entropy.ts";
import { storedAs, vectorsOf } from "./elementwise.ts";
import { concat } from "./layout.ts";
import { product } from "./product.ts";
import {
  longRowBlock,
  longRowReductions,
  rowBlock,
  rowReductions,
} from "./rows.ts";
import { expectRows, pickRows, pickTargets } from "./scored_rows.ts";
import gridSource from "../../kernels/shared/grid.wgsl" with { type: "text" };
import vectorSource from "../../kernels/shared/vector.wgsl" with {
  type: "text",
};
import source from "../../kernels/linear_cross_entropy.wgsl" with {
  type: "text",
};

const [kernel, longKernel] = [rowReductions, longRowReductions].map(
  (reductions) =>
    new Kernel(
      "linear_cross_entropy",
      source,
      vectorSource,
      gridSource,
      reductions,
    ),
);

/** Options of {@linkcode linearCrossEntropy}. */
export interface LinearCrossEntropyOptions extends CrossEntropyOptions {
  /**
   * Rows scored together, a multiple of 128: as many as 32 MiB of logits hold, 96
   * on GPUs, unless said otherwise.
   */
  chunk?: number;
  /**
   * u32 `[n]`: the rows to score, each named once, where the others do not count:
   * what is ignored this way costs no products. Where it names a row that is not
   * there, as to fill up, nothing counts. All rows unless said otherwise.
   */
  rows?: Tensor;
  /**
   * f32 `[rows, 2]`, of the rows scored, written: 1 where the highest logit of a row, the first of
   * them if several are, is that of its target, else 0; and the entropy of the
   * row's probabilities in nats. Both 0 where the target is ignored. No gradient
   * passes through.
   */
  statistics?: Tensor;
}

const CHUNK_BYTES = 32 * 2 ** 20;
const GPU_CHUNK_BYTES = 96 * 2 ** 20; // more rows keep more of a GPU busy
const ALIGNED_ROWS = 128; // begin where kernels can bind them
const PITCH = 64; // rows are a multiple of it long, so that images hold one to a line

/**
 * `crossEntropy(linear(hidden, weight), targets)` without ever holding all
 * logits: `hidden` `[..., C]`, `weight` f32 `[V, C]`, targets u32 or i32 `[...]`.
 *
 * Rows go in chunks. The gradients of a chunk follow from its logits at once, for
 * the sum of the losses; backward scales them. See docs/decisions/0008.
 */
export function linearCrossEntropy(
  hidden: Tensor,
  weight: Tensor,
  targets: Tensor,
  options: LinearCrossEntropyOptions = {},
): Tensor {
  const { ignoreIndex = -100, chunk, statistics } = options;
  const { device, dtype } = hidden;
  const rows = rowsScored(hidden, targets);
  const [cols, depth] = weight.shape;
  if (weight.shape.length !== 2 || hidden.shape.at(-1) !== depth) {
    throw new RangeError(
      `Cannot score [${hidden.shape}] by a head [${weight.shape}]: the last axes must be equal`,
    );
  }
  expectDtype("score by", weight, "f32");
  if (depth % 4 !== 0) {
    const [left, right] = [hidden, weight].map(inFours);
    return linearCrossEntropy(left, right, targets, options);
  }
  const ignored = ignoreIndex >>> 0;
  if (options.rows) {
    expectRows(options.rows);
    const picked = pickRows(hidden, options.rows);
    const goals = pickTargets(targets, options.rows, ignored);
    const rest = { ...options, rows: undefined };
    return linearCrossEntropy(picked, weight, goals, rest);
  }
  if (statistics) {
    expectDtype("measure rows into", statistics, "f32");
    expectShape("measure rows", "statistics", statistics, [rows, 2]);
  }
  const pitch = Math.ceil(cols / PITCH) * PITCH;
  const step = chunk ?? chunkRows(device, rows, 4 * pitch);
  const GRADIENT = recorded([hidden, weight]);

  using losses = Tensor.empty(device, [rows]);
  using seen = hidden.view([rows, depth]);
  const head = headAs(weight, dtype);
  const dhidden = GRADIENT && hidden.needsGrad
    ? Tensor.empty(device, hidden.shape, dtype)
    : null;
  const dweight = GRADIENT && weight.needsGrad
    ? Tensor.empty(device, weight.shape)
    : null;
  for (let first = 0; first < rows; first += step) {
    const end = Math.min(first + step, rows);
    using part = seen.rows(first, end);
    using logits = Tensor.empty(device, [end - first, pitch]);
    product(part, head, {
      transposeB: true,
      into: { tensor: logits, add: false },
      sizes: { cols },
    });
    const tensors = { logits, targets, losses, statistics };
    score(tensors, { first, cols, ignored, GRADIENT });
    if (dhidden !== null) {
      using flat = dhidden.view([rows, depth]);
      using tensor = flat.rows(first, end);
      const into = { tensor, add: false };
      product(logits, head, { into, sizes: { depth: cols } });
    }
    if (dweight !== null) {
      const into = { tensor: dweight, add: first > 0 };
      product(logits, part, { transposeA: true, into, sizes: { rows: cols } });
    }
  }
  if (head !== weight && !(weight instanceof Parameter)) {
    head[Symbol.dispose]();
  }
  const { loss, counted } = meanLoss(losses, targets, ignored);

  return record(
    loss,
    "linearCrossEntropy",
    [hidden, weight],
    (dloss, [intoHidden, intoWeight]) => [
      dhidden && scaled(dhidden, { dloss, counted, into: intoHidden }),
      dweight && scaled(dweight, { dloss, counted, into: intoWeight }),
    ],
  );
}

/** Rows lengthened with zeros to a multiple of four, as products want them. */
function inFours(x: Tensor): Tensor {
  const shape = [...x.shape.slice(0, -1), 4 - x.shape.at(-1)! % 4];
  return concat([x, Tensor.zeros(x.device, shape, x.dtype)], -1);
}

/** Scores a chunk of logits, and turns them into their gradient if asked. */
function score(
  { logits, targets, losses, statistics }: {
    logits: Tensor;
    targets: Tensor;
    losses: Tensor;
    statistics?: Tensor;
  },
  { first, cols, ignored, GRADIENT }: {
    first: number;
    cols: number;
    ignored: number;
    GRADIENT: boolean;
  },
): void {
  const { device, shape: [rows, columns] } = logits;
  const wide = Math.ceil(cols / 4);
  const long = longRowBlock(device, wide);
  const BLOCK = long ?? rowBlock(device);
  const passes = statistics ? 3 : 2;
  (long ? longKernel : kernel).run(statistics ? "score_and_measure" : "score", {
    args: {
      ...{ logits, targets, losses, ...(statistics && { statistics }) },
      ...{ first, rows, cols, wide, pitch: columns / 4, ignored, vectors: 0 },
    },
    grid: { groups: rows },
    constants: { BLOCK, GRADIENT },
    trips: passes * Math.ceil(wide / BLOCK),
    work: { bytes: (GRADIENT ? 2 : 1) * logits.bytes },
  });
}

/** A gradient of the sum of the losses made that of their mean, times `dloss`. */
function scaled(
  gradient: Tensor,
  { dloss, counted, into }: {
    dloss: Tensor;
    counted: Tensor;
    into: GradientPlace | null;
  },
): Tensor {
  const none = { first: 0, rows: 0, cols: 0, wide: 0, pitch: 0, ignored: 0 };
  for (const [x, y] of windows([gradient, into?.tensor ?? gradient])) {
    const vectors = vectorsOf(x);
    kernel.run(into === null ? "scale_own" : "scale", {
      args: { x, y, dloss, counted, ...none, vectors },
      grid: { threads: vectors },
      constants: into === null ? {} : { ADD: into.add },
      types: storedAs(gradient.dtype),
      images: into === null || into.add ? ["x", "y"] : ["x"],
    });
  }
  if (into === null) return gradient;
  gradient[Symbol.dispose]();
  return into.tensor;
}

/** The head's weight as rows of `dtype` are multiplied by it. */
function headAs(weight: Tensor, dtype: Tensor["dtype"]): Tensor {
  if (weight.dtype === dtype) return weight;
  return weight instanceof Parameter
    ? weight.as(dtype)
    : convert(weight, dtype);
}

/** Rows of a chunk, so that all chunks are about as large. */
function chunkRows(
  { adapter: { software } }: Device,
  rows: number,
  rowBytes: number,
): number {
  const bytes = software ? CHUNK_BYTES : GPU_CHUNK_BYTES;
  const most = Math.floor(bytes / rowBytes / ALIGNED_ROWS);
  const chunks = Math.ceil(rows / ALIGNED_ROWS / Math.max(1, most));
  return Math.ceil(rows / chunks / ALIGNED_ROWS) * ALIGNED_ROWS;
}
