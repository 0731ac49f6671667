import type { Device } from "../gpu/device.ts";
import { record } from "../tensor/tape.ts";
import { expectDtype } from "../tensor/expect.ts";
import { Tensor } from "../tensor/tensor.ts";
import { rowBlock, RowKernel, rowSlices } from "./rows.ts";
import source from "../../kernels/embedding.wgsl" with { type: "text" };

const kernel = new RowKernel("embedding", source);
const MOST_COPIED = 4; // times as much as is looked up: of a larger table little is read
const IDS_PER_RUN = 1 << 17; // four a trip: half of what software adapters bear

/** How rows come out of {@linkcode embedding}. */
export interface EmbeddingOptions {
  /** What they are rounded to: f32, as the table is, unless said otherwise. */
  dtype?: "f32" | "f16";
}

/**
 * Looks up a row of `table`, `[V, C]`, for each of the `ids`, u32 of any shape:
 * `[..., C]`. An id that is not below V gives a row of NaN.
 */
export function embedding(
  table: Tensor,
  ids: Tensor,
  { dtype = "f32" }: EmbeddingOptions = {},
): Tensor {
  if (table.shape.length !== 2) {
    throw new RangeError(
      `Cannot look up rows of [${table.shape}]: expected a table of two axes`,
    );
  }
  expectDtype("look up rows by", ids, "u32");
  expectDtype("look up rows of", table, "f32");
  const { device } = table;
  const [total, width] = table.shape;
  const cols = width / kernel.width(width);
  const y = Tensor.empty(device, [...ids.shape, width], dtype);
  for (const { first: base, tensor: slice } of rowSlices(table)) {
    const rows = slice.shape[0];
    const sizes = { rows, cols, base, total, first: 0, end: ids.size };
    kernel.run("forward", width, {
      args: { ids, table: slice, y, ...sizes },
      grid: { threads: ids.size * cols },
      stored: dtype,
      work: { bytes: ids.bytes + 2 * y.bytes },
      images: slice.bytes <= MOST_COPIED * y.bytes ? ["ids", "table"] : [],
    });
  }

  return record(y, "embedding", [table], (dy, [into]) => {
    const dtable = into?.tensor ?? Tensor.empty(device, table.shape);
    const BLOCK = rowBlock(device);
    const PARTS = partsOf(device, total);
    for (const { first: base, tensor: slice } of rowSlices(dtable)) {
      if (!into?.add) slice.fill(0);
      const sizes = { rows: slice.shape[0], cols, base, total };
      for (let first = 0; first < ids.size; first += IDS_PER_RUN) {
        const end = Math.min(first + IDS_PER_RUN, ids.size);
        kernel.run("backward", width, {
          args: { ids_in_fours: ids, dy, dtable: slice, ...sizes, first, end },
          grid: { groups: [Math.ceil(cols / BLOCK), PARTS] },
          constants: { BLOCK, PARTS },
          stored: dtype,
          trips: Math.ceil((end - first) / 4),
          images: ["ids_in_fours", "dy"],
          work: { bytes: ids.bytes + 3 * dy.bytes },
        });
      }
    }
    return [dtable];
  });
}

/**
 * Into how many parts the ids go. Every part walks all of them, which buys
 * threads where there are many to keep busy, and only costs where there are few.
 */
function partsOf({ adapter, subgroupSize }: Device, rows: number): number {
  if (adapter.software && subgroupSize > 0) return 1;
  return Math.min(64, 2 ** Math.floor(Math.log2(Math.max(1, rows))));
}
