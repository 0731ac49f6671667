/**
 * Running attention with the kernels that suit a device.
 *
 * @module
 */

import { Kernel } from "../gpu/kernel.ts";
import type { Work } from "../gpu/queue.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { RowKernel } from "./rows.ts";
import backwardSource from "../../kernels/attention_backward.wgsl" with {
  type: "text",
};
import documentsSource from "../../kernels/shared/documents.wgsl" with {
  type: "text",
};
import forwardSource from "../../kernels/attention.wgsl" with { type: "text" };
import gridSource from "../../kernels/shared/grid.wgsl" with { type: "text" };
import bufferSource from "../../kernels/shared/heads_buffer.wgsl" with {
  type: "text",
};
import headsSource from "../../kernels/shared/heads.wgsl" with { type: "text" };
import imageSource from "../../kernels/shared/heads_image.wgsl" with {
  type: "text",
};
import oneDocumentSource from "../../kernels/shared/one_document.wgsl" with {
  type: "text",
};
import randomSource from "../../kernels/shared/random.wgsl" with {
  type: "text",
};
import subgroupSource from "../../kernels/attention_subgroup.wgsl" with {
  type: "text",
};
import vectorSource from "../../kernels/shared/vector.wgsl" with {
  type: "text",
};

/** Over what attention runs. */
export interface Heads {
  readonly batch: number;
  readonly time: number;
  /** Heads of queries. */
  readonly heads: number;
  /** Heads of keys, and of values; each serves as many heads of queries. */
  readonly keyHeads: number;
  /** Channels of a head. */
  readonly size: number;
  /** The chance that a probability is dropped. */
  readonly rate: number;
  /** What the dropped ones are drawn from. */
  readonly seed_x: number;
  readonly seed_y: number;
}

/** What the forward kernel reads and writes. */
export interface ForwardTensors {
  /** `[B, T, (H + 2 G) D]`: queries, keys, values. */
  readonly qkv: Tensor;
  /** u32 `[B, T]`: where the document of each position begins, if not at 0. */
  readonly starts?: Tensor;
  /** `[B, T, C]`, written. */
  readonly y: Tensor;
  /** `[B, H, T]`, written: the logarithm of each softmax's denominator. */
  readonly lse: Tensor;
}

/** What the backward kernels read and write. */
export interface BackwardTensors extends ForwardTensors {
  /** `[B, T, C]`. */
  readonly dy: Tensor;
  /** `[B, H, T]`, written, then read: `dy . y` of each query. */
  readonly delta: Tensor;
  /** As `qkv`, written. */
  readonly dqkv: Tensor;
}

/** Threads of a workgroup, and how many rows each works on. */
export interface Tile {
  readonly DOWN: number;
  readonly ACROSS: number;
  readonly EACH: number;
}

/** How to compute: by broadcast round narrow subgroups, or in tiles. */
export type Way = "broadcast" | Tile;

type Entry = "forward" | "backward_q" | "backward_kv";

/** Queues attention, writing `y` and `lse`. */
export function attend(
  heads: Heads,
  { qkv, starts, y, lse }: ForwardTensors,
  way: Way,
): void {
  runnerFor(way, heads, { qkv, starts })("forward", { y, lse });
}

/** Queues its backward pass, writing `delta` and `dqkv`. */
export function attendBackward(
  heads: Heads,
  { qkv, starts, y, lse, dy, delta, dqkv }: BackwardTensors,
  way: Way,
): void {
  const run = runnerFor(way, heads, { qkv, dy, starts });
  run("backward_q", { y_kept: y, lse_kept: lse, delta, dqkv });
  run("backward_kv", { lse_kept: lse, delta_kept: delta, dqkv });
}

/** What the kernels of both families read most. */
interface Sources {
  readonly qkv: Tensor;
  readonly dy?: Tensor;
  readonly starts?: Tensor;
}

type Runner = (entry: Entry, tensors: Readonly<Record<string, Tensor>>) => void;

function runnerFor(way: Way, heads: Heads, sources: Sources): Runner {
  return way === "broadcast"
    ? broadcastRunner(heads, sources)
    : tiledRunner(heads, sources, way);
}

const shared = [vectorSource, gridSource, randomSource, headsSource];
const [bufferKernels, imageKernels] = [bufferSource, imageSource].map((from) =>
  byDocuments((documents) =>
    new Kernel(
      "attention_subgroup",
      subgroupSource,
      ...shared,
      from,
      documents,
    )
  )
);

/** A kernel for rows that are one document, and one for rows of several. */
function byDocuments<K>(kernelWith: (include: string) => K) {
  return {
    one: kernelWith(oneDocumentSource),
    several: kernelWith(documentsSource),
  };
}

/** For narrow subgroups: values go round by broadcast. */
function broadcastRunner(heads: Heads, { qkv, dy, starts }: Sources): Runner {
  const { device } = qkv;
  const { size, time, rate } = heads;
  const LANES = device.subgroupSize;
  const SIZE = size / 4;
  const images = qkv.dtype === "f32" && qkv.bytes <= device.images.most;
  const kernels = images ? imageKernels : bufferKernels;
  const kernel = starts ? kernels.several : kernels.one;
  const read = dy ? [qkv, dy] : [qkv];
  const [ofQkv, ofDy] = images ? device.images.copies(read) : read;
  const sources = {
    qkv: ofQkv,
    ...(dy && { dy: ofDy }),
    ...(starts && { starts }),
  };
  return (entry, tensors) => {
    const { QUERIES, KEYS } = ownedAndMet(entry, SIZE, LANES);
    const blocks = Math.ceil(time / (QUERIES * LANES));
    kernel.run(entry, {
      args: { ...sources, ...tensors, ...sizesOf(heads), blocks },
      grid: { groups: rowsOf(entry, heads) * blocks },
      constants: { LANES, QUERIES, KEYS, SIZE, DROPOUT: rate > 0 },
      ...(qkv.dtype === "f16" && { types: { Stored: "vec4h" } }),
      work: workOf(entry, heads, qkv),
      trips: turnsOf(entry, heads) * Math.ceil(time / KEYS) +
        (starts ? searchTrips(time, QUERIES) : 0),
      images: images ? ["y_kept", "lse_kept", "delta_kept"] : [],
    });
  };
}

/**
 * Rows that a lane owns, and rows that it meets in a step: enough for their vectors
 * to fill the lanes. Where lanes are few, so that each instruction does little,
 * long rows are taken one by one: the caches of code are small.
 */
function ownedAndMet(entry: Entry, size: number, lanes: number) {
  const few = lanes < 16;
  // Vectors of a row up to which a lane owns two; the last kernel has most text.
  const most = few && entry === "backward_kv" ? 15 : 16;
  return {
    QUERIES: size <= most ? 2 : 1,
    KEYS: few && size >= 12 ? 1 : 2 * size % lanes === 0 ? 2 : 4,
  };
}

const tiled = [randomSource, headsSource, bufferSource];
const tiledForward = byDocuments((documents) =>
  new RowKernel("attention", forwardSource, ...tiled, documents)
);
const tiledBackward = byDocuments((documents) =>
  new RowKernel("attention_backward", backwardSource, ...tiled, documents)
);

/** For fast workgroup memory: tiles of rows and columns lie there. */
function tiledRunner(heads: Heads, sources: Sources, tile: Tile): Runner {
  const { time, size, rate } = heads;
  const { qkv, dy, starts } = sources;
  const { device: { adapter }, dtype } = qkv;
  const blocks = Math.ceil(time / (tile.DOWN * tile.EACH));
  const turns = Math.ceil(time / (4 * tile.ACROSS)) + 1;
  // Written-out loops take software adapters long to compile.
  const [AHEAD, ...steps] = adapter.software ? [1, 2, 1] : [4, 4, 3, 2, 1];
  return (entry, tensors) => {
    const kernels = entry === "forward" ? tiledForward : tiledBackward;
    const kernel = starts ? kernels.several : kernels.one;
    const SIZE = size / kernel.width(size);
    const STEP = steps.find((step) => SIZE % step === 0)!;
    const loads = Math.ceil(4 * SIZE / tile.DOWN / AHEAD);
    kernel.run(entry, size, {
      args: {
        ...{ qkv, ...(dy && { dy }), ...(starts && { starts }) },
        ...{ ...tensors, ...sizesOf(heads), blocks },
      },
      grid: { groups: rowsOf(entry, heads) * blocks },
      constants: { ...tile, SIZE, STEP, AHEAD, DROPOUT: rate > 0 },
      stored: dtype,
      work: workOf(entry, heads, qkv),
      trips: turnsOf(entry, heads) * turns *
          (1 + 2 * loads + SIZE / STEP + tile.ACROSS) +
        (starts ? searchTrips(time, tile.EACH) : 0),
    });
  };
}

function sizesOf({ size, keyHeads, ...heads }: Heads) {
  return { ...heads, key_heads: keyHeads, scale: 1 / Math.sqrt(size) };
}

/** Whose blocks workgroups take: heads of queries, or of keys. */
function rowsOf(entry: Entry, { batch, heads, keyHeads }: Heads): number {
  return batch * (entry === "backward_kv" ? keyHeads : heads);
}

/** How many heads a workgroup meets. */
function turnsOf(entry: Entry, { heads, keyHeads }: Heads): number {
  return entry === "backward_kv" ? heads / keyHeads : 1;
}

/** Steps of looking for the ends of the documents of a block, and of `rows`. */
function searchTrips(time: number, rows: number): number {
  return (rows + 1) * Math.ceil(Math.log2(time + 1));
}

/** Products of [T, D] and [D, T], of which causality needs half. */
function workOf(
  entry: Entry,
  { batch, heads, time, size }: Heads,
  qkv: Tensor,
): Work {
  const products = { forward: 2, backward_q: 3, backward_kv: 4 }[entry];
  const parts = { forward: 4, backward_q: 6, backward_kv: 6 }[entry];
  return {
    flops: products * batch * heads * time * time * size,
    bytes: parts / 3 * qkv.bytes + 4 * batch * heads * time,
  };
}
