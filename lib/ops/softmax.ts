import { axisOf } from "../tensor/shape.ts";
import { record } from "../tensor/tape.ts";
import { expectFloat } from "../tensor/expect.ts";
import { Tensor } from "../tensor/tensor.ts";
import { transpose } from "./layout.ts";
import { rowBlock, RowKernel, rowReductions } from "./rows.ts";
import source from "../../kernels/softmax.wgsl" with { type: "text" };

const kernel = new RowKernel("softmax", source, rowReductions);

/** Which axis sums to one. */
export interface SoftmaxOptions {
  /** The axis, counted from the end if negative; the last one if left out. */
  axis?: number;
}

/** `e^x / sum(e^x)` along an axis. */
export function softmax(x: Tensor, options: SoftmaxOptions = {}): Tensor {
  return alongAxis(x, options, (x) => rows("softmax", x, ""));
}

/** `ln(e^x / sum(e^x))` along an axis. */
export function logSoftmax(x: Tensor, options: SoftmaxOptions = {}): Tensor {
  return alongAxis(x, options, (x) => rows("logSoftmax", x, "log_"));
}

function alongAxis(
  x: Tensor,
  { axis = -1 }: SoftmaxOptions,
  op: (x: Tensor) => Tensor,
): Tensor {
  expectFloat("take the softmax of", x);
  const along = axisOf(x.shape, axis);
  if (along === x.shape.length - 1) return op(x);
  return transpose(op(transpose(x, along, -1)), along, -1);
}

function rows(op: string, x: Tensor, prefix: string): Tensor {
  const { device } = x;
  const cols = x.shape.at(-1)!;
  const count = cols === 0 ? 0 : x.size / cols;
  const sizes = { rows: count, cols: cols / kernel.width(cols) };
  const how = {
    grid: { groups: count },
    constants: { BLOCK: rowBlock(device) },
    stored: x.dtype,
    passes: 2,
    images: ["x", "y_kept", "dy"],
  };
  const y = Tensor.empty(device, x.shape, x.dtype);
  kernel.run(`${prefix}forward`, cols, { args: { x, y, ...sizes }, ...how });

  return record(y, op, [x], (dy) => {
    const dx = Tensor.empty(device, x.shape, x.dtype);
    const args = { y_kept: y, dy, dx, ...sizes };
    kernel.run(`${prefix}backward`, cols, { args, ...how });
    return [dx];
  });
}
