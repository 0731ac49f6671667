/**
 * Parameters side by side in a few buffers, so that one run of a kernel takes
 * many of them.
 *
 * @module
 */

import type { Device } from "../gpu/device.ts";
import { settle } from "../tensor/accumulate.ts";
import { Halves, type Parameter } from "../tensor/parameter.ts";
import { count } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";

/** Where a parameter lies in a block, in elements. */
export interface Place {
  /** Its name. */
  readonly name: string;
  /** What lies there. */
  readonly parameter: Parameter;
  /** Its first element. */
  readonly start: number;
  /** The first element of what follows. */
  readonly end: number;
}

/** A buffer of parameters, and one of their gradients. */
export interface Block {
  /** Elements in all. */
  readonly size: number;
  /** How many of them belong to matrices, which come first. */
  readonly matrices: number;
  /** What lies where, in order. */
  readonly places: readonly Place[];
  /** The parameters. */
  readonly weight: Tensor;
  /** Their gradients. */
  readonly grad: Tensor;
}

/** Neighbours in a block, all of which have gradients. */
export interface Run {
  /** Where they lie. */
  readonly block: Block;
  /** The first and the last of them. */
  readonly places: readonly Place[];
}

// The most that every device can bind at once. A parameter that is larger has a
// block of its own.
const BLOCK_BYTES = 1 << 27;
// Parameters start at multiples of 512 bytes, and so their copies in f16 at
// multiples of 256, where any device can bind the middle of a buffer.
const ALIGNED = 128; // elements

/**
 * Parameters brought together: matrices first, then vectors. They remain the
 * same objects, but lie in blocks from now on, and so do their gradients.
 */
export class FlatParameters implements Disposable {
  /** The blocks. */
  readonly blocks: readonly Block[];
  /** The parameters in f16, once a model asks for them. */
  readonly halves: Halves;
  readonly #slots = new Map<Parameter, Tensor>();

  /** Moves parameters, by name. */
  constructor(parameters: ReadonlyMap<string, Parameter>) {
    const named = [...parameters];
    const matrices = named.filter(([, { shape }]) => shape.length > 1);
    const vectors = named.filter(([, { shape }]) => shape.length <= 1);
    const plans = divide([...matrices, ...vectors]);
    const [[, { device }]] = named;
    const weights = plans.map((places) => gather(device, places));
    this.halves = new Halves(weights.map((whole, i) => ({
      whole,
      parts: plans[i],
    })));
    for (const { parameter } of plans.flat()) parameter.halves = this.halves;
    // What the parameters left behind fits nothing that will be asked for.
    device.trim();
    this.blocks = plans.map((places, i) => {
      const size = places.at(-1)!.end;
      const grad = zeros(device, places, "the gradients");
      for (const { parameter, start } of places) {
        const slot = stretch(grad, start, parameter.shape).keep();
        parameter.slot?.[Symbol.dispose]();
        parameter.slot = slot;
        this.#slots.set(parameter, slot);
      }
      const last = places.findLast(({ parameter }) =>
        parameter.shape.length > 1
      );
      return {
        size,
        matrices: last?.end ?? 0,
        places,
        weight: weights[i],
        grad,
      };
    });
  }

  /**
   * The parameters that have gradients, as few runs as that makes, their
   * gradients brought to the blocks.
   */
  runs(): Run[] {
    const runs: Run[] = [];
    for (const block of this.blocks) {
      let neighbours: Place[] = [];
      for (const place of block.places) {
        if (place.parameter.slot !== this.#slots.get(place.parameter)) {
          throw new Error(
            `Cannot step: another optimizer was made for ${place.name} since`,
          );
        }
        if (settle(place.parameter) === null) neighbours = [];
        else if (neighbours.push(place) === 1) {
          runs.push({ block, places: neighbours });
        }
      }
    }
    return runs;
  }

  /** Says that the gradients were used. */
  consume(): void {
    for (const parameter of this.#slots.keys()) parameter.grad = null;
  }

  /** Releases the gradients; the parameters stay where they are. */
  [Symbol.dispose](): void {
    for (const [parameter, slot] of this.#slots) {
      if (parameter.grad === slot) parameter.grad = null;
      if (parameter.slot === slot) parameter.slot = null;
      if (parameter.halves === this.halves) parameter.halves = null;
      slot[Symbol.dispose]();
    }
    for (const { weight, grad } of this.blocks) {
      weight[Symbol.dispose]();
      grad[Symbol.dispose]();
    }
    this.halves[Symbol.dispose]();
  }
}

/** A kept tensor of zeros for a block: what it holds of the parameters. */
export function zeros(
  device: Device,
  places: readonly Place[],
  what: string,
): Tensor {
  const size = places.at(-1)!.end;
  const more = places.length - 1;
  const named = () =>
    `${what} of ${places[0].name}${more > 0 ? ` and ${more} others` : ""}`;
  const storage = device.allocate(4 * size, named, { stays: true });
  const tensor = new Tensor(device, [size], "f32", storage).keep();
  device.clear(tensor);
  return tensor;
}

/** Elements of a flat tensor from `start` on, in a shape. */
export function stretch(
  flat: Tensor,
  start: number,
  shape: readonly number[],
): Tensor {
  const size = count(shape);
  const padded = Math.ceil(size / ALIGNED) * ALIGNED;
  const { device, dtype, storage, offset, bytes } = flat;
  const each = bytes / flat.size;
  return new Tensor(device, shape, dtype, storage, {
    offset: offset + each * start,
    span: each * padded,
  });
}

/** Assigns parameters to blocks in order. */
function divide(named: readonly [string, Parameter][]): Place[][] {
  const plans: Place[][] = [];
  for (const [name, parameter] of named) {
    const room = Math.max(1, Math.ceil(parameter.size / ALIGNED)) * ALIGNED;
    let places = plans.at(-1);
    const start = places?.at(-1)?.end ?? 0;
    if (places === undefined || 4 * (start + room) > BLOCK_BYTES) {
      plans.push(places = []);
    }
    const own = places.at(-1)?.end ?? 0;
    places.push({ name, parameter, start: own, end: own + room });
  }
  return plans;
}

/** Moves parameters into one new block. */
function gather(device: Device, places: readonly Place[]): Tensor {
  const block = zeros(device, places, "the weights");
  for (const { parameter, start } of places) {
    const home = stretch(block, start, parameter.shape);
    device.copy(parameter, home);
    parameter.moveTo(home);
    home[Symbol.dispose]();
  }
  return block;
}
