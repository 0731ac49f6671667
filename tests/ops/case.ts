/**
 * A row of the op table, and what every row must pass.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { Device } from "../../lib/gpu/device.ts";
import * as ops from "../../lib/ops/mod.ts";
import { Random } from "../../lib/random.ts";
import { backward } from "../../lib/tensor/backward.ts";
import { Parameter } from "../../lib/tensor/parameter.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";
import * as reference from "../reference.ts";
import type { Array64 } from "../reference.ts";
import type { Input, Numbers } from "./inputs.ts";

/** The name of an op. */
export type Op = keyof typeof ops;

/** An op, inputs to try it on, and what it must agree with. */
export interface Case {
  readonly op: Op;
  readonly inputs: readonly Input[];
  /** The arguments after the tensors, for the name of the test. */
  readonly rest: readonly unknown[];
  readonly run: (...inputs: Tensor[]) => Tensor;
  readonly reference: (...inputs: Array64[]) => Array64;
  /** How many products or terms are summed into one element. */
  readonly depth: number;
  /** The inputs whose numbers lie in memory as f16, if any do. */
  readonly halves?: readonly number[];
}

/** A row for an op that takes its tensors first, then `rest`. */
export function row(
  op: Op & keyof typeof reference,
  inputs: readonly Input[],
  ...rest: readonly unknown[]
): Case {
  const run = ops[op] as (...given: unknown[]) => Tensor;
  const expected = reference[op] as (...given: unknown[]) => Array64;
  return {
    op,
    inputs,
    rest,
    run: (...tensors) => run(...tensors, ...rest),
    reference: (...arrays) => expected(...arrays, ...rest),
    depth: 1,
  };
}

/** A row for an op whose elements are sums of `depth` terms. */
export function deep(depth: number, ...given: Parameters<typeof row>): Case {
  return { ...row(...given), depth };
}

/** A row whose inputs at the places `halves` lie in memory as f16. */
export function half(halves: readonly number[], tried: Case): Case {
  return { ...tried, halves };
}

/** `matmul [2,3] [3,4] {"transposeA":true}` */
export function describe({ op, inputs, rest, halves = [] }: Case): string {
  const shapes = inputs.map(({ shape }, i) =>
    `${halves.includes(i) ? "f16 " : ""}[${shape}]`
  );
  return [op, ...shapes, ...rest.map((value) => JSON.stringify(value))].join(
    " ",
  );
}

/** Inputs of no more elements have the gradient of each checked by itself. */
const SMALL = 48;

/** How far off f16 may be: it has 11 binary digits. */
const HALF_LIMIT = 1e-3;

/** Fails unless op and reference agree, forward and backward. */
export async function check(device: Device, tried: Case): Promise<void> {
  using _scope = device.scope();
  using owned = new DisposableStack();
  const random = new Random(11);
  const { halves } = tried;
  const exact = (numbers: Numbers) =>
    halves && numbers instanceof Float32Array
      ? numbers.map(Math.f16round) // so that f16 holds them as they are
      : numbers;
  const numbers = tried.inputs.map(({ shape, fill }) =>
    exact(fill(random, reference.count(shape)))
  );
  const arrays = numbers.map((data, i) => ({
    data: Float64Array.from(data),
    shape: tried.inputs[i].shape,
  }));
  const tensors = numbers.map((data, i) =>
    owned.use(onDevice(device, data, tried.inputs[i].shape))
  );

  const y = tried.run(
    ...tensors.map((tensor, i) =>
      halves?.includes(i) ? ops.to(tensor, "f16") : tensor
    ),
  );
  const expected = tried.reference(...arrays);
  assertEquals([...y.shape], [...expected.shape]);
  const actual = await y.read();
  assertClose(actual, expected.data, {
    depth: tried.depth,
    relative: y.dtype === "f16" ? HALF_LIMIT : undefined,
  });

  const parameters = tensors.filter((tensor) => tensor instanceof Parameter);
  const whole = y.dtype !== "f32" && y.dtype !== "f16";
  if (whole || y.size === 0 || parameters.length === 0) return;
  const dy = exact(random.normal(y.size)) as Float32Array<ArrayBuffer>;
  const weights = Tensor.from(device, dy, y.shape);
  backward(ops.sum(ops.mul(ops.to(y, "f32"), weights)));
  const dy64 = { data: Float64Array.from(dy), shape: y.shape };
  for (const [input, tensor] of tensors.entries()) {
    if (!(tensor instanceof Parameter)) continue;
    assert(tensor.grad, `input ${input} has no gradient`);
    assertEquals([...tensor.grad.shape], [...tensor.shape]);
    assertEquals(tensor.grad.dtype, "f32");
    const slope = (along: number | Float32Array) =>
      reference.slope(tried.reference, arrays, { input, along, dy: dy64 });
    const limit = halves ? HALF_LIMIT : undefined;
    checkGradient(await tensor.grad.read(), slope, random, limit);
  }
}

/**
 * Fails unless a gradient has the slopes of the reference: along each element
 * of a small input; else along a few elements, and in random directions, where
 * one wrong element among all would show.
 */
export function checkGradient(
  gradient: ArrayLike<number>,
  slope: (along: number | Float32Array) => number,
  random: Random,
  limit = 1e-4,
): void {
  const size = gradient.length;
  const elements = size <= SMALL
    ? Array.from({ length: size }, (_, i) => i)
    : [0, size - 1, random.integer(size), random.integer(size)];
  assertNear(
    elements.map((element) => gradient[element]),
    elements.map(slope),
    "the gradient of some elements",
    limit,
  );
  if (size <= SMALL) return;
  const length = lengthOf(gradient);
  for (let trial = 0; trial < 3; trial++) {
    const direction = random.normal(size);
    const expected = slope(direction);
    let actual = 0;
    for (let i = 0; i < size; i++) actual += gradient[i] * direction[i];
    const error = Math.abs(actual - expected) / Math.max(length, 1e-3);
    assert(error <= limit, `the relative error of the gradient is ${error}`);
  }
}

/** Floats become parameters, whole numbers plain tensors. */
export function onDevice(
  device: Device,
  numbers: Numbers,
  shape: readonly number[],
): Tensor {
  return numbers instanceof Float32Array
    ? new Parameter(device, numbers, shape)
    : Tensor.from(device, numbers, shape);
}

/** Fails where an element is further off than rounding explains. */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { depth = 1, relative = 1.3e-6 }: { depth?: number; relative?: number } = {},
): void {
  assertEquals(actual.length, expected.length);
  for (let i = 0; i < expected.length; i++) {
    const [got, wanted] = [actual[i], expected[i]];
    const tolerance = 1e-5 * Math.sqrt(depth) + relative * Math.abs(wanted);
    if (Object.is(got, wanted) || Math.abs(got - wanted) <= tolerance) continue;
    throw new Error(
      `Element ${i} is ${got}, expected ${wanted} ± ${tolerance}`,
    );
  }
}

/** Fails if the relative L2 distance is above `limit`. */
export function assertNear(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  what: string,
  limit = 1e-4,
): void {
  const distance = relativeDistance(actual, expected);
  assert(distance <= limit, `The relative error of ${what} is ${distance}`);
}

/** The length of the difference divided by the length of `expected`. */
export function relativeDistance(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
): number {
  assertEquals(actual.length, expected.length);
  const difference = Float64Array.from(expected, (v, i) => actual[i] - v);
  return lengthOf(difference) / Math.max(lengthOf(expected), 1e-3);
}

function lengthOf(vector: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < vector.length; i++) squares += vector[i] ** 2;
  return Math.sqrt(squares);
}
