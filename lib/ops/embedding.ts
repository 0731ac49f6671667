import { record } from "../tensor/tape.ts";
import { expectDtype } from "../tensor/expect.ts";
import { Tensor } from "../tensor/tensor.ts";
import { RowKernel } from "./rows.ts";
import source from "../../kernels/embedding.wgsl" with { type: "text" };

const kernel = new RowKernel("embedding", source);
// Software adapters end a loop after 65,535 trips, silently.
const IDS_PER_RUN = 16384;

/**
 * Looks up a row of `table`, `[V, C]`, for each of the `ids`, u32 of any shape:
 * `[..., C]`. An id that is not below V gives a row of NaN.
 */
export function embedding(table: Tensor, ids: Tensor): Tensor {
  if (table.shape.length !== 2) {
    throw new RangeError(
      `Cannot look up rows of [${table.shape}]: expected a table of two axes`,
    );
  }
  expectDtype("look up rows by", ids, "u32");
  expectDtype("look up rows of", table, "f32");
  const { device } = table;
  const [rows, cols] = table.shape;
  const sizes = { rows, cols: cols / kernel.width(cols) };
  const y = Tensor.empty(device, [...ids.shape, cols]);
  kernel.run("forward", cols, {
    args: { ids, table, y, ...sizes, first: 0, end: ids.size },
    grid: { threads: ids.size * sizes.cols },
  });

  return record(y, "embedding", [table], (dy) => {
    const dtable = Tensor.zeros(device, table.shape);
    for (let first = 0; first < ids.size; first += IDS_PER_RUN) {
      const end = Math.min(first + IDS_PER_RUN, ids.size);
      kernel.run("backward", cols, {
        args: { ids, dy, dtable, ...sizes, first, end },
        grid: { threads: sizes.cols },
      });
    }
    return [dtable];
  });
}
