/**
 * Tensors too large for kernels to bind, a stretch at a time.
 *
 * @module
 */

import type { Device } from "../gpu/device.ts";
import type { Tensor } from "./tensor.ts";

const ALIGNED = 128; // elements: 256 bytes of halves
const COPIED = 1 << 22; // bytes, where kernels read copies in images

/**
 * The same stretches of tensors of one size, each short enough to be bound, or,
 * where kernels read images, to be copied: mostly the tensors themselves. A
 * stretch is released when the next is asked for.
 */
export function* windows<T extends readonly Tensor[]>(
  tensors: T,
): Generator<T> {
  const [{ device, size }] = tensors;
  const length = windowLength(device);
  if (size <= length) {
    yield tensors;
    return;
  }
  for (let start = 0; start < size; start += length) {
    const shape = [Math.min(length, size - start)];
    const parts = tensors.map((tensor) => tensor.part(start, shape));
    yield parts as readonly Tensor[] as T;
    for (const part of parts) part[Symbol.dispose]();
  }
}

/** The most elements of a stretch. */
export function windowLength({ images, limits }: Device): number {
  const most = images.least < Infinity
    ? COPIED
    : limits.maxStorageBufferBindingSize;
  return Math.floor(most / 4 / ALIGNED) * ALIGNED;
}
