/**
 * Tensors to write and to compare with.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type {
  HostTensor,
  StoredTensors,
  TensorSource,
} from "../../lib/io/safetensors.ts";
import { Random } from "../../lib/random.ts";

/** Runs a test in a folder of its own, which is removed afterwards. */
export async function inFolder(
  run: (folder: string) => void | Promise<void>,
): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    await run(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** A source that holds all its tensors. */
export function sourceOf(
  tensors: ReadonlyMap<string, HostTensor>,
): TensorSource {
  const shapes = new Map<string, readonly number[]>();
  for (const [name, { shape }] of tensors) shapes.set(name, shape);
  return { shapes, tensors };
}

/** Tensors of these shapes, filled with random numbers of this seed. */
export function randomTensors(
  shapes: Readonly<Record<string, readonly number[]>>,
  seed: number,
): Map<string, HostTensor> {
  const random = new Random(seed);
  const tensors = new Map<string, HostTensor>();
  for (const [name, shape] of Object.entries(shapes)) {
    const size = shape.reduce((size, length) => size * length, 1);
    tensors.set(name, { shape, data: normal(random, size) });
  }
  return tensors;
}

/**
 * Normal numbers by the method of Box and Muller, of which the fixtures are made:
 * those of a `Random` may become others.
 */
function normal(random: Random, size: number): Float32Array<ArrayBuffer> {
  const numbers = new Float32Array(size);
  for (let i = 0; i < size; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - random.uniform()));
    const angle = 2 * Math.PI * random.uniform();
    numbers[i] = radius * Math.cos(angle);
    if (i + 1 < size) numbers[i + 1] = radius * Math.sin(angle);
  }
  return numbers;
}

/** Everything a file holds. */
export function readAll(file: StoredTensors): Map<string, HostTensor> {
  return new Map(
    [...file.tensors.keys()].map((name) => [name, file.read(name)]),
  );
}

/** Checks that two sets of tensors have the same names, shapes and bits. */
export function assertSameTensors(
  actual: ReadonlyMap<string, HostTensor>,
  expected: ReadonlyMap<string, HostTensor>,
) {
  assertEquals(listOf(actual), listOf(expected));
  for (const [name, { data }] of expected) {
    const bits = new Uint32Array(data.buffer);
    const found = new Uint32Array(actual.get(name)!.data.buffer);
    const first = bits.findIndex((word, i) => word !== found[i]);
    assertEquals(first, -1, `${name} differs from element ${first} on`);
  }
}

function listOf(tensors: ReadonlyMap<string, HostTensor>): string[] {
  return [...tensors].map(([name, { shape, data }]) =>
    `${name} [${shape}] ${data.length}`
  );
}
