/**
 * The kernels a matrix product can run with, and which one suits.
 *
 * Software adapters go by a table that was measured once; for GPUs the tuner may
 * have found better. See docs/decisions/0007.
 *
 * @module
 */

import type { Device } from "../gpu/device.ts";
import type { ImageBlocks } from "../gpu/image_maker.ts";
import type { Job } from "./product_job.ts";

/** A way to compute a product: a kernel, its settings, and what it reads. */
export type Variant =
  | {
    /** A subgroup per tile, values handed round it; see matmul_subgroup.wgsl. */
    readonly family: "subgroup";
    /** Rows of a tile, and vectors of columns that a lane owns. */
    readonly tile: readonly [rows: number, vectors: number];
    readonly sources: Sources;
  }
  | {
    /** A workgroup per tile, staged in its memory; see matmul.wgsl. */
    readonly family: "workgroup";
    /** Rows, columns and depth of a tile. */
    readonly tile: readonly [rows: number, cols: number, depth: number];
    /** Blocks of 4 x 4 that a thread owns along each side. */
    readonly repeat: number;
    /** Parts of the shared axis that are summed apart. */
    readonly parts: number;
  }
  | {
    /** Few rows, every element of `b` read once; see matmul_rows.wgsl and matmul_row_subgroup.wgsl. */
    readonly family: "rows";
    /** The rows a thread has sums for, at least as many as there are. */
    readonly rows: number;
    readonly sources: Exclude<Sources, "images">;
  };

/** The variants of a family. */
export type VariantOf<Family> = Variant & { readonly family: Family };

/** Which factors a kernel reads from images; the others lie in buffers. */
export type Sources = "buffers" | "image b" | "images";

/** What decides between variants: the sizes of a product and its form. */
export type Shape = Pick<
  Job,
  "batch" | "rows" | "cols" | "depth" | "transposeA" | "transposeB"
>;

const MOST_ROWS = 4; // that are few
/** Vectors of columns that a lane of matmul_row_subgroup has sums for, the best first. */
const WIDTHS = [4, 3, 5, 2, 1];

/**
 * How a twin of `b` lies on a software adapter: the columns of a workgroup of
 * matmul_row_subgroup one after another; null where it lies as in memory.
 */
export function blocksOf({ b, transposeB }: Job): ImageBlocks | null {
  const { tensor, row, matrix } = b;
  const { dtype, device: { images, subgroupSize } } = tensor;
  if (transposeB || matrix > 0) return null;
  const bytes = dtype === "f16" ? 8 : 16; // of a vector
  for (const wide of WIDTHS) {
    const blocks = { row: bytes * row, block: bytes * wide * subgroupSize };
    if (images.twins.takes(tensor, blocks)) return blocks;
  }
  return null;
}

const IMAGE_FLOPS = 4e6; // from where a copy to an image pays for itself

/**
 * The variant for a software adapter with subgroups of so many lanes; `twin` says
 * whether `b` has an image already.
 */
export function subgroupVariant(
  { batch, rows, cols, depth, transposeA }: Shape,
  { lanes, twin }: { lanes: number; twin: boolean },
): Variant {
  if (rows === 1 && !transposeA && batch === 1 && twin) {
    return { family: "rows", rows: 1, sources: "image b" };
  }
  const copies = rows > 16 && 2 * batch * rows * cols * depth >= IMAGE_FLOPS;
  if (copies) {
    // With few lanes a small tile is as fast, and compiled in half of the time.
    const most = lanes < 16 ? 32 : 64;
    return { family: "subgroup", tile: [most, 1], sources: "images" };
  }
  const tile = rows <= 4
    ? [4, 1] as const
    : rows <= 16
    ? [16, 2] as const
    : [32, 1] as const;
  return { family: "subgroup", tile, sources: twin ? "image b" : "buffers" };
}

/** The tiles that suit one GPU or another, the portable one first. */
const TILES = {
  "32x32x8 4x4": { tile: [32, 32, 8], repeat: 1 },
  "64x64x16 8x8": { tile: [64, 64, 16], repeat: 2 },
  "64x64x16 4x4": { tile: [64, 64, 16], repeat: 1 },
  "128x64x16 8x8": { tile: [128, 64, 16], repeat: 2 },
  "128x128x8 8x8": { tile: [128, 128, 8], repeat: 2 },
  "128x128x16 8x8": { tile: [128, 128, 16], repeat: 2 },
} as const;

/** The name of a tile. */
export type TileName = keyof typeof TILES;

/** The names of the tiles to try for a shape, the table's choice first. */
export function tileNames(device: Device, shape: Shape): TileName[] {
  const first = tileFor(device, shape);
  const names = Object.keys(TILES) as TileName[];
  return [first, ...names.filter((name) => name !== first)]
    .filter((name) => fits(device, name));
}

/** The variant for a GPU that has this tile. */
export function tiledVariant(name: TileName, shape: Shape): Variant {
  const { tile, repeat } = TILES[name];
  return { family: "workgroup", tile, repeat, parts: partsOf(tile, shape) };
}

/** The variant for a GPU and few rows, or null where there are many. */
export function fewRowsVariant(
  { batch, rows, transposeA }: Shape,
): Variant | null {
  if (rows > MOST_ROWS || transposeA || batch > 1) return null;
  return { family: "rows", rows: rows === 3 ? 4 : rows, sources: "buffers" };
}

const BUSY = 256; // workgroups that keep a large GPU busy
const SHORTEST_PART = 256; // of the shared axis
const MOST_PARTS = 16;

/** The largest tile that leaves no part of a large GPU idle: the table. */
export function tileFor(device: Device, shape: Shape): TileName {
  for (const name of ["128x128x8 8x8", "64x64x16 8x8"] as const) {
    const { tile } = TILES[name];
    const groups = tilesOf(tile, shape) * partsOf(tile, shape);
    if (groups >= BUSY && fits(device, name)) return name;
  }
  return "32x32x8 4x4";
}

/** Whether a device has the threads and the workgroup memory for a tile. */
function fits({ limits }: Device, name: TileName): boolean {
  const { tile: [rows, cols, depth], repeat } = TILES[name];
  const threads = rows * cols / (4 * repeat) ** 2;
  const bytes = 2 * depth * 16 * (rows / 4 + 1 + cols / 4 + 1);
  return threads <= limits.maxComputeInvocationsPerWorkgroup &&
    bytes <= limits.maxComputeWorkgroupStorageSize;
}

function tilesOf([height, width]: readonly number[], shape: Shape): number {
  const { batch, rows, cols } = shape;
  return batch * Math.ceil(rows / height) * Math.ceil(cols / width);
}

/** In how many parts to sum, so that few tiles of great depth fill a GPU. */
function partsOf(tile: readonly number[], shape: Shape): number {
  if (shape.batch > 1) return 1;
  const wanted = Math.ceil(BUSY / tilesOf(tile, shape));
  const most = Math.floor(shape.depth / SHORTEST_PART);
  return Math.max(1, Math.min(MOST_PARTS, wanted, most));
}
