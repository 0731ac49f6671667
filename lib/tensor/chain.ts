/**
 * The way back through what was recorded, one tensor after another.
 *
 * @module
 */

import { accumulate, alone, sum } from "./accumulate.ts";
import { Parameter } from "./parameter.ts";
import { sameShape } from "./shape.ts";
import { noGrad } from "./tape.ts";
import type { GradientPlace, Tensor } from "./tensor.ts";

/** Gradients on their way, by the tensor they belong to. */
export type Gradients = Map<Tensor, Tensor>;

/**
 * Carries the gradient of `end`, which is in `grads`, back to the parameters,
 * and to the tensors of `grads` that nothing is recorded of.
 *
 * A tensor and its gradient return to the pool once they are passed, except
 * `end` and what is kept.
 */
export function passBack(end: Tensor, grads: Gradients): void {
  noGrad(() => {
    const order = lastMadeFirst(end);
    const readers = readersIn(order);
    for (const tensor of order) {
      const dy = grads.get(tensor);
      if (dy === undefined || tensor.origin === LEAF) continue;
      grads.delete(tensor);
      if (tensor instanceof Parameter) {
        accumulate(tensor, dy);
        continue;
      }
      passOne(tensor, dy, { grads, readers });
      dy[Symbol.dispose]();
      tensor.origin = null;
      if (tensor !== end && !tensor.kept) tensor[Symbol.dispose]();
    }
  });
}

/** The origin of a tensor whose gradient is wanted though it is no parameter. */
export const LEAF = { op: "leaf", inputs: [], backward: () => [] } as const;

/** How many ops of a graph read each tensor. */
type Readers = ReadonlyMap<Tensor, number>;

function readersIn(graph: readonly Tensor[]): Readers {
  const readers = new Map<Tensor, number>();
  for (const { origin } of graph) {
    for (const input of origin?.inputs ?? []) {
      readers.set(input, (readers.get(input) ?? 0) + 1);
    }
  }
  return readers;
}

/** Hands the gradient of a tensor on to what the tensor was made from. */
function passOne(
  tensor: Tensor,
  dy: Tensor,
  { grads, readers }: { grads: Gradients; readers: Readers },
): void {
  const { op, inputs } = tensor.origin!;
  const sole = inputs.map((input) => readers.get(input) === 1);
  const places = inputs.map((input, i) =>
    inputs.indexOf(input) === i ? placeOf(input, grads) : null
  );
  for (const [i, dx] of gradientsOf(tensor, dy, places, sole).entries()) {
    if (dx === null) continue;
    const input = inputs[i];
    if (!sameShape(dx.shape, input.shape)) {
      throw new Error(
        `Cannot pass a gradient [${dx.shape}] of ${op} to its input [${input.shape}]`,
      );
    }
    if (!input.needsGrad) {
      if (dx !== dy) dx[Symbol.dispose]();
    } else if (dx === places[i]?.tensor) {
      if (input instanceof Parameter) input.grad = dx;
    } else {
      const passed = dx === dy ? dy.view(dy.shape) : dx;
      if (input instanceof Parameter) accumulate(input, passed);
      else grads.set(input, sum(grads.get(input) ?? null, passed));
    }
  }
}

/** What an op gives, without whatever else it took memory for. */
function gradientsOf(
  tensor: Tensor,
  dy: Tensor,
  places: readonly (GradientPlace | null)[],
  sole: readonly boolean[],
): readonly (Tensor | null)[] {
  using scope = tensor.device.scope();
  const gradients = tensor.origin!.backward(dy, places, sole);
  for (const dx of gradients) dx?.hoist(scope);
  return gradients;
}

/** Where an op may leave the gradient of an input itself. */
function placeOf(input: Tensor, grads: Gradients): GradientPlace | null {
  if (!input.needsGrad) return null;
  if (input instanceof Parameter) {
    const { grad, slot } = input;
    if (grad === null) return slot && { tensor: slot, add: false };
    return grad === slot || alone(grad) ? { tensor: grad, add: true } : null;
  }
  const total = grads.get(input);
  return total && alone(total) ? { tensor: total, add: true } : null;
}

/** The tensors that {@linkcode passBack} will pass, parameters and leaves aside. */
export function recordedBefore(end: Tensor): Tensor[] {
  return lastMadeFirst(end).filter((tensor) =>
    !(tensor instanceof Parameter) && tensor.origin !== LEAF
  );
}

/** What `end` was made from, each tensor before the ones it was made from. */
function lastMadeFirst(end: Tensor): Tensor[] {
  const order: Tensor[] = [];
  const seen = new Set<Tensor>();
  const path: { tensor: Tensor; next: number }[] = [];
  const enter = (tensor: Tensor) => {
    if (seen.has(tensor) || !tensor.needsGrad) return;
    seen.add(tensor);
    path.push({ tensor, next: 0 });
  };
  enter(end);
  while (path.length > 0) {
    const place = path[path.length - 1];
    const inputs = place.tensor.origin?.inputs ?? [];
    if (place.next < inputs.length) enter(inputs[place.next++]);
    else order.push(path.pop()!.tensor);
  }
  return order.reverse();
}
