import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Batch, Tokens } from "../../lib/data/batch.ts";
import { RandomCrops } from "../../lib/data/random_crops.ts";
import {
  SlidingWindow,
  type SlidingWindowOptions,
} from "../../lib/data/sliding_window.ts";
import { Random } from "../../lib/random.ts";

/** 0, 1, 2, …: a token is its own place. */
function places(length: number): Uint32Array {
  return Uint32Array.from({ length }, (_, i) => i);
}

function rowsOf({ inputs, targets, shape: [rows, time] }: Batch): number[][] {
  assertEquals(inputs.length, rows * time);
  assertEquals(targets.length, rows * time);
  return Array.from({ length: rows }, (_, row) => {
    const at = row * time;
    const input = [...inputs.subarray(at, at + time)];
    const target = [...targets.subarray(at, at + time)];
    assertEquals(target, input.map((place) => place + 1));
    assertEquals(input, input.map((_, i) => input[0] + i));
    return input;
  });
}

function take(sampler: { next(): Batch }, count: number): Batch[] {
  return Array.from({ length: count }, () => sampler.next());
}

/** What JSON makes of a state. */
function stored<T>(state: T): T {
  return JSON.parse(JSON.stringify(state));
}

Deno.test("random crops cover every place, the first and last too", () => {
  const crops = (tokens: Tokens) =>
    new RandomCrops(tokens, {
      batchSize: 50,
      blockSize: 3,
      random: new Random(1),
    });
  const starts = take(crops(places(10)), 10).flatMap(rowsOf).map(([s]) => s);
  assertEquals([...new Set(starts)].sort(), [0, 1, 2, 3, 4, 5, 6]);

  const small = take(crops(Uint16Array.from(places(10))), 3);
  assertEquals(small, take(crops(places(10)), 3));
  assertEquals(take(crops(places(4)), 1).flatMap(rowsOf)[0], [0, 1, 2]);
});

Deno.test("resumed random crops continue with the same batches", () => {
  const make = (seed: number) =>
    new RandomCrops(places(1000), {
      batchSize: 4,
      blockSize: 16,
      random: new Random(seed),
    });
  const crops = make(1);
  take(crops, 37);
  const state = stored(crops.state);
  const expected = take(crops, 20);

  const resumed = make(2);
  resumed.state = state;
  assertEquals(take(resumed, 20), expected);
  assert(JSON.stringify(take(make(2), 20)) !== JSON.stringify(expected));
});

Deno.test("samplers refuse what is too short, with the numbers", () => {
  const random = new Random(1);
  const sizes = { batchSize: 2, blockSize: 8, random };
  for (const length of [0, 1, 8]) {
    for (const Sampler of [RandomCrops, SlidingWindow]) {
      assertThrows(
        () => new Sampler(places(length), sizes),
        RangeError,
        `Cannot cut blocks of 8 tokens from ${length}: 9 are needed`,
      );
    }
  }
  assertThrows(
    () => new SlidingWindow(places(9), sizes),
    RangeError,
    "Cannot fill a batch of 2 windows: 9 tokens give 1 of 8",
  );
  for (const wrong of [0, -1, 1.5, NaN]) {
    assertThrows(
      () => new RandomCrops(places(99), { ...sizes, batchSize: wrong }),
      RangeError,
      `batchSize is ${wrong}`,
    );
    assertThrows(
      () => new SlidingWindow(places(99), { ...sizes, stride: wrong }),
      RangeError,
      `stride is ${wrong}`,
    );
  }
  assertThrows(
    () => new SlidingWindow(places(99), { batchSize: 2, blockSize: 8 }),
    TypeError,
    "shuffle: false",
  );
});

Deno.test("samplers refuse states of other data, shapes and kinds", () => {
  const sizes = { batchSize: 2, blockSize: 8, random: new Random(1) };
  for (const Sampler of [RandomCrops, SlidingWindow]) {
    const make = (tokens: Tokens, changes = {}) =>
      new Sampler(tokens, { ...sizes, ...changes }) as
        & { state: unknown }
        & { next(): Batch };
    const sampler = make(places(100));
    const state = sampler.state as Record<string, unknown>;
    const refuses = (changed: unknown, why: string) => {
      const before = JSON.stringify(sampler.state);
      assertThrows(() => sampler.state = changed, RangeError, why);
      assertEquals(JSON.stringify(sampler.state), before);
    };
    refuses(make(places(101)).state, "tokens was 101 and is 100");
    refuses(make(places(100).fill(0)).state, "fingerprint was");
    refuses(
      make(places(100), { batchSize: 3, blockSize: 9 }).state,
      "batchSize was 3 and is 2, blockSize was 9 and is 8",
    );
    refuses({ ...state, sampler: "other" }, 'sampler was "other"');
    refuses({ ...state, random: [0, 0, 0, 0] }, "random state");
    refuses({ ...state, random: null }, "random state");
    refuses({}, "sampler was missing");
    refuses(null, "got null");
    refuses("x", 'got "x"');
  }
  const windows = new SlidingWindow(places(100), sizes);
  for (const change of [{ epoch: -1 }, { index: 7 }, { index: 0.5 }]) {
    assertThrows(
      () => windows.state = { ...windows.state, ...change },
      RangeError,
      "is not among its 6 batches",
    );
  }
});

function sliding(length: number, options: Partial<SlidingWindowOptions>) {
  return new SlidingWindow(places(length), {
    batchSize: 1,
    blockSize: 4,
    shuffle: false,
    ...options,
  });
}

Deno.test("windows slide by the stride, as far as a target follows", () => {
  const starts = (length: number, options: Partial<SlidingWindowOptions>) => {
    const windows = sliding(length, { dropLast: false, ...options });
    const batches = take(windows, windows.batches);
    return batches.flatMap(rowsOf).map(([start]) => start);
  };
  assertEquals(starts(10, { stride: 1 }), [0, 1, 2, 3, 4, 5]);
  assertEquals(starts(10, {}), [0, 4]);
  assertEquals(starts(9, {}), [0, 4]);
  assertEquals(starts(8, {}), [0]);
  assertEquals(starts(12, { stride: 6 }), [0, 6]);
});

Deno.test("the last batch is smaller or left out", () => {
  const windows = sliding(21, { batchSize: 2, dropLast: false });
  assertEquals(windows.batches, 3);
  const shapes = take(windows, 4).map(({ shape }) => shape[0]);
  assertEquals(shapes, [2, 2, 1, 2]);
  assertEquals(sliding(21, { batchSize: 2 }).batches, 2);
});

Deno.test("epochs hold every window once, each in its own order", () => {
  const windows = sliding(81, { shuffle: true, random: new Random(3) });
  const epochs = Array.from(
    { length: 3 },
    (_, epoch) =>
      Array.from({ length: windows.batches }, (_, index) => {
        assertEquals([windows.epoch, windows.index], [epoch, index]);
        return rowsOf(windows.next())[0][0];
      }),
  );
  const ordered = Array.from({ length: 20 }, (_, i) => 4 * i);
  for (const epoch of epochs) {
    assertEquals(epoch.toSorted((a, b) => a - b), ordered);
  }
  assertEquals(new Set([ordered, ...epochs].map(String)).size, 4);
});

Deno.test("a resumed sliding window continues, wherever it stopped", () => {
  for (const shuffle of [true, false]) {
    const make = (seed: number) =>
      sliding(101, { batchSize: 4, shuffle, random: new Random(seed) });
    const batches = make(1).batches;
    for (const steps of [0, 1, batches - 1, batches, batches + 1, 50]) {
      const windows = make(1);
      take(windows, steps);
      const resumed = make(2);
      take(resumed, 3);
      resumed.state = stored(windows.state);
      assertEquals(resumed.epoch, windows.epoch);
      assertEquals(resumed.index, windows.index);
      assertEquals(take(resumed, 20), take(windows, 20));
    }
  }
});

Deno.test("the book's windows over The Verdict", () => {
  // The first ids of the text in GPT-2's encoding; 5145 in all.
  const ids = [40, 367, 2885, 1464, 1807, 3619, 402, 271, 10899, 2138, 257];
  ids.push(7026, 15632, 438, 2016, 257, 922, 5891, 1576, 438, 568, 340, 373);
  ids.push(645, 1049, 5975, 284, 502, 284, 3285, 326, 11, 287, 262);
  const tokens = new Uint16Array(5145);
  tokens.set(ids);
  const sizes = { blockSize: 4, shuffle: false };

  const one = new SlidingWindow(tokens, { ...sizes, batchSize: 1, stride: 1 });
  assertEquals(one.batches, 5141);
  assertEquals([...one.next().inputs], [40, 367, 2885, 1464]);
  assertEquals([...one.next().inputs], [367, 2885, 1464, 1807]);

  const eight = new SlidingWindow(tokens, { ...sizes, batchSize: 8 });
  const { inputs, targets, shape } = eight.next();
  assertEquals(shape, [8, 4]);
  assertEquals([...inputs.subarray(4, 8)], [1807, 3619, 402, 271]);
  assertEquals([...targets.subarray(4, 8)], [3619, 402, 271, 10899]);
  assertEquals([...inputs.subarray(28)], [284, 3285, 326, 11]);
  assertEquals([...targets.subarray(28)], [3285, 326, 11, 287]);
});
