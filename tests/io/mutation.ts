/**
 * Sound files with a few bytes changed: each must be refused in one line, or
 * read within its bounds.
 *
 *     deno run -A tests/io/mutation.ts 100000
 *
 * @module
 */

import { assert, assertEquals, assertLess } from "@std/assert";
import { join } from "@std/path";
import { SafetensorsFile } from "../../lib/io/safetensors.ts";
import type { StoredTensors } from "../../lib/io/tensors.ts";
import { openWeights } from "../../lib/io/weights.ts";
import { Random } from "../../lib/random.ts";

const fixtures = new URL("../fixtures/io/", import.meta.url);

/** How many mutated files there were, and how many of them were read. */
export interface Outcome {
  readonly cases: number;
  readonly accepted: number;
  /** The longest that one took, in milliseconds. */
  readonly longest: number;
}

/** Mutates a file of ten dtypes. */
export function mutateFile(cases: number, seed: number): Outcome {
  const random = new Random(seed);
  const good = Deno.readFileSync(new URL("mixed.safetensors", fixtures));
  return tally(cases, () => {
    const bytes = mutate(good, random);
    return () => {
      using file = SafetensorsFile.parse(bytes);
      let end = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
      const places = [...file.tensors.values()]
        .sort((a, b) => a.offset - b.offset);
      for (const { offset, bytes } of places) {
        if (bytes > 0) assertEquals(offset, end);
        end = Math.max(end, offset + bytes);
      }
      assertEquals(end, bytes.length);
      readEverything(file);
    };
  });
}

/** Mutates one of the files of a sharded model, mostly its index. */
export function mutateFolder(cases: number, seed: number): Outcome {
  const random = new Random(seed);
  const folder = Deno.makeTempDirSync();
  const good = [...Deno.readDirSync(new URL("sharded", fixtures))]
    .map(({ name }) => name).sort()
    .map((name) => ({
      path: join(folder, name),
      bytes: Deno.readFileSync(new URL(`sharded/${name}`, fixtures)),
    }));
  try {
    for (const { path, bytes } of good) Deno.writeFileSync(path, bytes);
    return tally(cases, () => {
      // The index is the last by name.
      const at = Math.min(good.length - 1, random.integer(2 * good.length));
      const { path, bytes } = good[at];
      renew(path, mutate(bytes, random));
      return () => {
        try {
          using weights = openWeights(folder);
          readEverything(weights);
        } finally {
          renew(path, bytes);
        }
      };
    });
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Some file systems take their time when a file that is there is cut short. */
function renew(path: string, bytes: Uint8Array) {
  Deno.removeSync(path);
  Deno.writeFileSync(path, bytes);
}

/** Runs so many cases, each refused in one line of ours or passed. */
function tally(cases: number, prepare: () => () => void): Outcome {
  // Errors are most of the cases, and their traces most of the time.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  let accepted = 0;
  let longest = 0;
  try {
    for (let i = 0; i < cases; i++) {
      const run = prepare();
      const start = performance.now();
      try {
        run();
        accepted++;
      } catch (error) {
        const { name, message } = error as Error;
        const ours = /^(Syntax|Range|Type)Error$/.test(name) &&
          message.startsWith("Cannot read ") && !message.includes("\n");
        assert(ours, `case ${i}: ${error}`);
      }
      longest = Math.max(longest, performance.now() - start);
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  assertLess(longest, 1000);
  return { cases, accepted, longest };
}

function readEverything(stored: StoredTensors) {
  for (const [name, { dtype, size, shape }] of stored.tensors) {
    if (!/^(F32|F16|BF16)$/.test(dtype)) continue;
    assertEquals(stored.read(name).data.length, size);
    let rows = 0;
    for (const { first, end, data } of stored.slices(name, 16)) {
      assertEquals(first, rows);
      rows = end;
      assertEquals(data.length * (shape[0] ?? 1), (end - first) * size);
    }
    if (size > 0) assertEquals(rows, shape[0] ?? 1);
  }
}

/** One to three bytes changed, inserted or removed. */
function mutate(good: Uint8Array, random: Random): Uint8Array<ArrayBuffer> {
  let bytes = good.slice();
  for (let edits = random.integer(3) + 1; edits > 0; edits--) {
    const at = random.integer(bytes.length);
    const kind = random.integer(8);
    const byte = random.integer(2)
      ? random.integer(256)
      : '{}[]",:0123456789eE-+.\\ '.charCodeAt(random.integer(24));
    if (kind < 5) bytes[at] = byte;
    else if (kind === 5) bytes[at] ^= 1 << random.integer(8);
    else {
      const tail = bytes.subarray(kind === 6 ? at : at + 1);
      const changed = new Uint8Array(bytes.length + (kind === 6 ? 1 : -1));
      changed.set(bytes.subarray(0, at));
      if (kind === 6) changed[at] = byte;
      changed.set(tail, changed.length - tail.length);
      bytes = changed;
    }
  }
  return bytes;
}

if (import.meta.main) {
  const cases = Number(Deno.args[0] ?? 100_000);
  console.log("one file:", mutateFile(cases, 1));
  console.log("sharded: ", mutateFolder(cases, 2));
}
