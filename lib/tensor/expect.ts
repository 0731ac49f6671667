/**
 * What ops check at the door.
 *
 * @module
 */

import { sameShape, type Shape } from "./shape.ts";
import type { Dtype, Tensor } from "./tensor.ts";

/** Throws a `TypeError` naming `op` unless a tensor has the dtype. */
export function expectDtype(op: string, tensor: Tensor, dtype: Dtype): void {
  if (tensor.dtype !== dtype) {
    throw new TypeError(
      `Cannot ${op} a ${tensor.dtype} tensor [${tensor.shape}]: expected ${dtype}`,
    );
  }
}

/** Throws a `RangeError` naming `op` unless a tensor has the shape. */
export function expectShape(
  op: string,
  name: string,
  tensor: Tensor,
  shape: Shape,
): void {
  if (!sameShape(tensor.shape, shape)) {
    throw new RangeError(
      `Cannot ${op}: ${name} must be [${shape}], got [${tensor.shape}]`,
    );
  }
}

/** Throws a `TypeError` naming `op` unless a tensor holds floats, of 32 or 16 bits. */
export function expectFloat(op: string, tensor: Tensor): void {
  if (tensor.dtype !== "f32" && tensor.dtype !== "f16") {
    throw new TypeError(
      `Cannot ${op} a ${tensor.dtype} tensor [${tensor.shape}]: expected f32 or f16`,
    );
  }
}
