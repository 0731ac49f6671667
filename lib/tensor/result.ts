/**
 * The result of many ops without what was made on the way to it.
 *
 * @module
 */

import type { Device } from "../gpu/device.ts";
import type { Tensor } from "./tensor.ts";

/**
 * What `body` makes, taken out of a scope that releases all else made in it. A
 * tensor that comes from `outside` stays where it was. No gradient passes back
 * into `body`.
 */
export function resultOf<T extends Tensor | null>(
  device: Device,
  body: () => T,
  outside: Tensor | null = null,
): Tensor | T {
  let held: Tensor;
  {
    using _scope = device.scope();
    const made = body();
    if (made === null || made === outside) return made;
    held = made.view(made.shape).keep();
  }
  const y = held.view(held.shape);
  held[Symbol.dispose]();
  return y;
}
