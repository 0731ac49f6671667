/**
 * Tensors too large for kernels to bind, a stretch at a time.
 *
 * @module
 */

import type { Tensor } from "./tensor.ts";

const ALIGNED = 128; // elements: 256 bytes of halves

/**
 * The same stretches of tensors of one size, each short enough to be bound:
 * mostly the tensors themselves. A stretch is released when the next is asked
 * for.
 */
export function* windows<T extends readonly Tensor[]>(
  tensors: T,
): Generator<T> {
  const [{ device, size }] = tensors;
  const most = device.gpu.limits.maxStorageBufferBindingSize;
  const length = Math.floor(most / 4 / ALIGNED) * ALIGNED;
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
