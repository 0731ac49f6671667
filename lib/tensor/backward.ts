/**
 * The chain rule.
 *
 * @module
 */

import { Kernel } from "../gpu/kernel.ts";
import { sameShape } from "./shape.ts";
import { noGrad } from "./tape.ts";
import { Parameter, Tensor } from "./tensor.ts";
import gridSource from "../../kernels/shared/grid.wgsl" with { type: "text" };
import source from "../../kernels/accumulate.wgsl" with { type: "text" };

const kernel = new Kernel("accumulate", source, gridSource);

/**
 * Adds the gradient of `loss` to the `grad` of every parameter it came from.
 *
 * The loss is one number, multiplied by `scale` first: `1 / n` averages over `n`
 * calls that accumulate. This consumes the graph: a tensor and its gradient
 * return to the pool as soon as the chain rule has passed them, except those
 * that were kept. The loss itself remains readable.
 */
export function backward(loss: Tensor, scale = 1): void {
  if (loss.size !== 1) {
    throw new RangeError(
      `Cannot go backward from [${loss.shape}]: the loss must be one number`,
    );
  }
  if (!loss.needsGrad) {
    throw new Error(
      `Cannot go backward from [${loss.shape}]: no parameter led to it, or backward has passed it already`,
    );
  }
  const seed = Tensor.full(loss.device, loss.shape, scale);
  const grads = new Map<Tensor, Tensor>([[loss, seed]]);
  noGrad(() => {
    for (const tensor of lastMadeFirst(loss)) {
      const dy = grads.get(tensor);
      if (dy === undefined) continue;
      grads.delete(tensor);
      if (tensor instanceof Parameter) {
        tensor.grad = sum(tensor.grad, dy).keep();
        continue;
      }
      pass(tensor, dy, grads);
      dy[Symbol.dispose]();
      tensor.origin = null;
      if (tensor !== loss && !tensor.kept) tensor[Symbol.dispose]();
    }
  });
}

/** Hands the gradient of a tensor on to what the tensor was made from. */
function pass(tensor: Tensor, dy: Tensor, grads: Map<Tensor, Tensor>) {
  const { op, inputs, backward } = tensor.origin!;
  for (const [i, dx] of backward(dy).entries()) {
    if (dx === null) continue;
    const input = inputs[i];
    if (!sameShape(dx.shape, input.shape)) {
      throw new Error(
        `Cannot pass a gradient [${dx.shape}] of ${op} to its input [${input.shape}]`,
      );
    }
    const passed = dx === dy ? dy.view(dy.shape) : dx;
    if (input.needsGrad) {
      grads.set(input, sum(grads.get(input) ?? null, passed));
    } else passed[Symbol.dispose]();
  }
}

/** Adds in place, unless another tensor shares the memory of the total. */
function sum(total: Tensor | null, more: Tensor): Tensor {
  if (total === null) return more;
  const vectors = Math.ceil(total.size / 4);
  const grid = { threads: vectors };
  if (total.storage.holders === 1) {
    kernel.run("into", { args: { total, more, vectors }, grid });
    more[Symbol.dispose]();
    return total;
  }
  const y = Tensor.empty(total.device, total.shape);
  kernel.run("apart", { args: { first: total, more, y, vectors }, grid });
  total[Symbol.dispose]();
  more[Symbol.dispose]();
  return y;
}

/** What `loss` was made from, each tensor before the ones it was made from. */
function lastMadeFirst(loss: Tensor): Tensor[] {
  const order: Tensor[] = [];
  const seen = new Set<Tensor>();
  const path: { tensor: Tensor; next: number }[] = [];
  const enter = (tensor: Tensor) => {
    if (seen.has(tensor) || !tensor.needsGrad) return;
    seen.add(tensor);
    path.push({ tensor, next: 0 });
  };
  enter(loss);
  while (path.length > 0) {
    const place = path[path.length - 1];
    const inputs = place.tensor.origin?.inputs ?? [];
    if (place.next < inputs.length) enter(inputs[place.next++]);
    else order.push(path.pop()!.tensor);
  }
  return order.reverse();
}
