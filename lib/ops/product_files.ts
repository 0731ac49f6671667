/**
 * The WGSL of a matrix product: a file, and how it reads factors and ends.
 *
 * @module
 */

import { Kernel } from "../gpu/kernel.ts";
import type { Job } from "./product_job.ts";
import type { Sources } from "./product_variants.ts";
import { rowReductions } from "./rows.ts";
import rowSource from "../../kernels/matmul_row_subgroup.wgsl" with {
  type: "text",
};
import rowsSource from "../../kernels/matmul_rows.wgsl" with { type: "text" };
import subgroupSource from "../../kernels/matmul_subgroup.wgsl" with {
  type: "text",
};
import workgroupSource from "../../kernels/matmul.wgsl" with { type: "text" };
import bufferA from "../../kernels/shared/a_buffer.wgsl" with { type: "text" };
import imageA from "../../kernels/shared/a_image.wgsl" with { type: "text" };
import bufferB from "../../kernels/shared/b_buffer.wgsl" with { type: "text" };
import imageB from "../../kernels/shared/b_image.wgsl" with { type: "text" };
import columnSums from "../../kernels/shared/column_sums.wgsl" with {
  type: "text",
};
import ends from "../../kernels/shared/ends.wgsl" with { type: "text" };
import finish from "../../kernels/shared/finish.wgsl" with { type: "text" };
import finishGelu from "../../kernels/shared/finish_gelu.wgsl" with {
  type: "text",
};
import finishResidual from "../../kernels/shared/finish_residual.wgsl" with {
  type: "text",
};
import finishTimes from "../../kernels/shared/finish_times.wgsl" with {
  type: "text",
};
import gridSource from "../../kernels/shared/grid.wgsl" with { type: "text" };
import noColumnSums from "../../kernels/shared/no_column_sums.wgsl" with {
  type: "text",
};

const SOURCES = {
  matmul: workgroupSource,
  matmul_row_subgroup: rowSource,
  matmul_rows: rowsSource,
  matmul_subgroup: subgroupSource,
};
const ENDS = {
  sum: finish,
  gelu: finishGelu,
  times: finishTimes,
  residual: finishResidual,
};
const kernels = new Map<string, Kernel>();

/** A file with the includes that a job needs. */
export function kernelFor(
  name: keyof typeof SOURCES,
  { slope, times, residual, sums }: Job,
  sources: Sources = "buffers",
): Kernel {
  const end = slope ? "gelu" : times ? "times" : residual ? "residual" : "sum";
  const key = `${name} ${sources} ${end} ${sums !== null}`;
  let kernel = kernels.get(key);
  if (kernel === undefined) {
    kernel = new Kernel(
      name,
      SOURCES[name],
      sources === "images" ? imageA : bufferA,
      sources === "buffers" ? bufferB : imageB,
      ends,
      ENDS[end],
      ...name === "matmul_rows" ? [gridSource, rowReductions] : [],
      ...name === "matmul_subgroup" ? [sums ? columnSums : noColumnSums] : [],
    );
    kernels.set(key, kernel);
  }
  return kernel;
}
