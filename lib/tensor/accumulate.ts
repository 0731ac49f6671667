/**
 * Sums of gradients, in place where nobody else looks.
 *
 * @module
 */

import { Kernel } from "../gpu/kernel.ts";
import type { Parameter } from "./parameter.ts";
import { Tensor } from "./tensor.ts";
import { windows } from "./windows.ts";
import gridSource from "../../kernels/shared/grid.wgsl" with { type: "text" };
import source from "../../kernels/accumulate.wgsl" with { type: "text" };

const kernel = new Kernel("accumulate", source, gridSource);

/** Adds to a gradient: in place, unless another tensor shares its memory. */
export function sum(total: Tensor | null, more: Tensor): Tensor {
  if (total === null) return more;
  if (alone(total)) {
    addInto(total, more);
    return total;
  }
  const y = Tensor.empty(total.device, total.shape, total.dtype);
  for (const [first, more_, y_] of windows([total, more, y])) {
    run("apart", { first, more: more_, y: y_ });
  }
  total[Symbol.dispose]();
  more[Symbol.dispose]();
  return y;
}

/** Adds to the gradient of a parameter, in its slot if it has one. */
export function accumulate(parameter: Parameter, more: Tensor): void {
  const { grad, slot } = parameter;
  if (slot === null) parameter.grad = sum(grad, more).keep();
  else if (grad !== null) addInto(settle(parameter)!, more);
  else {
    parameter.grad = more;
    settle(parameter);
  }
}

/** The gradient of a parameter, if there is one, brought to its slot. */
export function settle(parameter: Parameter): Tensor | null {
  const { grad, slot } = parameter;
  if (grad === null || slot === null || grad === slot) return grad;
  copyInto(grad, slot);
  grad[Symbol.dispose]();
  return parameter.grad = slot;
}

/** Queues copying every element to a tensor of the same size and dtype. */
export function copyInto(source: Tensor, copy: Tensor): void {
  for (const [more, y] of windows([source, copy])) run("copy", { more, y });
}

/** Whether no other tensor shares the memory. */
export function alone(tensor: Tensor): boolean {
  return tensor.storage.holders === 1;
}

function addInto(sum: Tensor, added: Tensor): void {
  for (const [total, more] of windows([sum, added])) {
    run("into", { total, more });
  }
  added[Symbol.dispose]();
}

function run(entry: string, args: Record<string, Tensor>): void {
  const { more: { size, dtype } } = args;
  const vectors = Math.ceil(size / 4);
  kernel.run(entry, {
    args: { ...args, vectors },
    grid: { threads: vectors },
    types: { Stored: dtype === "f16" ? "vec4h" : "vec4f" },
    images: ["total", "first", "more"],
  });
}
