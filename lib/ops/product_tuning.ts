/**
 * Which tile a GPU takes for which matrix product: the table's, or what the
 * tuner found.
 *
 * @module
 */

import type { Device } from "../gpu/device.ts";
import type { Trial, Tunable } from "../gpu/tuning.ts";
import { Random } from "../random.ts";
import { Tensor } from "../tensor/tensor.ts";
import { copyElements } from "./copy.ts";
import type { Job, Stored } from "./product_job.ts";
import { runVariant } from "./product_kernels.ts";
import {
  tiledVariant,
  tileFor,
  type TileName,
  tileNames,
  type Variant,
} from "./product_variants.ts";

/** The variant for a GPU. */
export function tunedVariant(job: Job): Variant {
  const { a: { tensor: { device } } } = job;
  const { tuning } = device;
  const chosen = tuning.active || tuning.choices.size > 0
    ? tuning.choose(classOf(job), () => tunable(device, job))
    : null;
  return tiledVariant((chosen as TileName) ?? tileFor(device, job), job);
}

const MOST_BATCH = 16; // in a trial
const PERIOD = 1 << 14; // random numbers that repeat

/** What products are tuned together: `product nt f32 f16 f32 10 9 8`. */
function classOf(job: Job): string {
  const { a, b, c, transposeA, transposeB, batch, rows, cols, depth } = job;
  const form = (transposeA ? "t" : "n") + (transposeB ? "t" : "n");
  const types = [a, b, c].map(({ tensor: { dtype } }) => dtype).join(" ");
  const sizes = [rows, cols, depth].map(bucket).join(" ");
  return `product ${form} ${types} ${sizes}${batch > 1 ? " batched" : ""}`;
}

function bucket(size: number): number {
  return Math.round(Math.log2(size));
}

/** The tiles to try for a class, and what to try them on. */
function tunable(device: Device, job: Job): Tunable {
  const { a, b, c } = job;
  const half = [a, b, c].some(({ tensor: { dtype } }) => dtype === "f16");
  const depth = 2 ** bucket(job.depth);
  return {
    candidates: tileNames(device, job),
    reference: "32x32x8 4x4",
    tolerance: half ? 1e-2 : 1e-5 * Math.sqrt(depth),
    trial: (device: Device) => trial(device, job),
  };
}

function trial(device: Device, job: Job): Trial {
  const [rows, cols, depth] = [job.rows, job.cols, job.depth]
    .map((size) => Math.max(4, 2 ** bucket(size)));
  const batch = Math.min(MOST_BATCH, job.batch);
  const random = new Random(1);
  const matrix = ({ tensor: { dtype } }: Stored, sizes: [number, number]) =>
    noise(Tensor.empty(device, [batch * sizes[0], sizes[1]], dtype), random);
  const a = matrix(job.a, job.transposeA ? [depth, rows] : [rows, depth]);
  const b = matrix(job.b, job.transposeB ? [cols, depth] : [depth, cols]);
  const place = (tensor: Tensor, [, row] = tensor.shape): Stored => ({
    tensor,
    row: row / 4,
    matrix: tensor.size / batch / 4,
    start: 0,
  });
  return {
    run(candidate) {
      const shape = [batch * rows, cols];
      const c = Tensor.empty(device, shape, job.c.tensor.dtype);
      const tried = {
        ...job,
        ...{ a: place(a), b: place(b), c: place(c) },
        ...{ batch, rows, cols, depth },
        ...{ add: false, bias: null, sums: null },
        ...{ slope: null, times: null, residual: null },
      };
      runVariant(device, tried, tiledVariant(candidate as TileName, tried));
      return c;
    },
    [Symbol.dispose]() {
      a[Symbol.dispose]();
      b[Symbol.dispose]();
    },
  };
}

/** Fills a tensor with the same few thousand random numbers over and over. */
function noise(tensor: Tensor, random: Random): Tensor {
  const HostArray = tensor.dtype === "f16" ? Float16Array : Float32Array;
  const some = HostArray.from(random.normal(PERIOD));
  if (tensor.size <= PERIOD) {
    tensor.write(some.subarray(0, tensor.size));
    return tensor;
  }
  // Sizes are powers of two, but for the number of matrices.
  const times = tensor.size / gcd(tensor.size, PERIOD);
  const period = tensor.size / times;
  using line = Tensor.from(tensor.device, some.subarray(0, period));
  copyElements(line, tensor, [times, period], { source: { strides: [0, 1] } });
  return tensor;
}

/** The greatest common divisor. */
function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
