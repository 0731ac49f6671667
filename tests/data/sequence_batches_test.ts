import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Batch, IGNORE_INDEX } from "../../lib/data/batch.ts";
import type { LearnedSequence } from "../../lib/data/learned_sequences.ts";
import { bestFitDecreasing } from "../../lib/data/packing.ts";
import {
  SequenceBatches,
  type SequenceBatchesOptions,
} from "../../lib/data/sequence_batches.ts";
import { Random } from "../../lib/random.ts";

// What trl makes of it; see tests/fixtures/instructions/make_fixtures.py.
const packings: {
  readonly lengths: number[];
  readonly capacity: number;
  readonly rows: number[][];
}[] = JSON.parse(
  await Deno.readTextFile(
    new URL("../fixtures/instructions/packing.json", import.meta.url),
  ),
);

Deno.test("rows are packed as trl packs them, best fit first", () => {
  for (const { lengths, capacity, rows } of packings) {
    assertEquals(bestFitDecreasing(lengths, capacity), rows);
  }
  assertEquals(bestFitDecreasing([0, 3, 0], 3), [[1]]);
  assertThrows(
    () => bestFitDecreasing([1, 9], 8),
    RangeError,
    "Cannot put 9 tokens into a row of 8",
  );
});

/** A text of unlike ids, all above 0, of which the last `learned` are learned. */
function text(first: number, length: number, learned: number): LearnedSequence {
  return {
    ids: Uint32Array.from({ length }, (_, i) => first + i),
    learned: Uint8Array.from({ length }, (_, i) => +(i >= length - learned)),
  };
}

/** Texts of 2 to 13 ids: text `n` has the ids from 100 n. */
function texts(count: number): LearnedSequence[] {
  const random = new Random(7);
  return Array.from({ length: count }, (_, n) => {
    const length = 2 + random.integer(12);
    return text(100 * (n + 1), length, 1 + random.integer(length - 1));
  });
}

function make(
  count: number,
  options: Partial<SequenceBatchesOptions> = {},
): SequenceBatches {
  const sizes = { batchSize: 4, blockSize: 16 };
  return new SequenceBatches(texts(count), { ...sizes, ...options });
}

function take(sampler: { next(): Batch }, count: number): Batch[] {
  return Array.from({ length: count }, () => sampler.next());
}

/** The target of every id that has one, which no other text may have. */
function targetsOf(batches: Iterable<Batch>): Map<number, number> {
  const targets = new Map<number, number>();
  for (const batch of batches) {
    for (const [i, id] of batch.inputs.entries()) {
      if (batch.targets[i] === IGNORE_INDEX) continue;
      assert(!targets.has(id));
      targets.set(id, batch.targets[i]);
    }
  }
  return targets;
}

Deno.test("padding is ignored but for the first end of a text", () => {
  const end = 9;
  const sequences = [
    { ids: Uint32Array.of(1, 2, 3, end), learned: Uint8Array.of(0, 0, 1, 1) },
    { ids: Uint32Array.of(4, end), learned: Uint8Array.of(0, 1) },
  ];
  const { inputs, targets, shape, starts } = new SequenceBatches(sequences, {
    batchSize: 2,
    blockSize: 5,
    padId: end,
  }).next();
  const X = IGNORE_INDEX;
  assertEquals(shape, [2, 5]);
  assertEquals([...inputs], [1, 2, 3, end, end, 4, end, end, end, end]);
  assertEquals([...targets], [X, 3, end, X, X, end, X, X, X, X]);
  assertEquals(starts, undefined);
});

Deno.test("packed texts lie side by side, each from its own start", () => {
  const sequences = [text(1, 4, 2), text(10, 6, 1), text(20, 3, 2)];
  const batches = new SequenceBatches(sequences, {
    batchSize: 2,
    blockSize: 9,
    packing: true,
  });
  assertEquals(batches.rows, [[1, 0], [2]]);
  const { inputs, targets, shape, starts } = batches.next();
  const X = IGNORE_INDEX;
  assertEquals(shape, [2, 8]);
  assertEquals(
    [...inputs],
    [10, 11, 12, 13, 14, 1, 2, 3, 20, 21, 0, 0, 0, 0, 0, 0],
  );
  assertEquals(
    [...targets],
    [X, X, X, X, 15, X, 3, 4, 21, 22, X, X, X, X, X, X],
  );
  assertEquals(
    [...starts!],
    [0, 0, 0, 0, 0, 5, 5, 5, 0, 0, 2, 2, 2, 2, 2, 2],
  );
});

for (const packing of [false, true]) {
  for (const groupByLength of [false, true]) {
    const about = `${packing ? "packed" : "padded"}${
      groupByLength ? " by length" : ""
    }`;

    Deno.test(`${about}: every epoch has every target once, in its own order`, () => {
      const random = new Random(3);
      const options = { packing, groupByLength, random };
      const batches = make(101, options);
      const expected = new Map(
        texts(101).flatMap(({ ids, learned }) =>
          [...ids.keys()].slice(1).filter((i) => learned[i] === 1)
            .map((i) => [ids[i - 1], ids[i]] as const)
        ),
      );
      const orders = new Set<string>();
      for (let epoch = 0; epoch < 3; epoch++) {
        assertEquals([batches.epoch, batches.index], [epoch, 0]);
        const all = take(batches, batches.batches);
        const targets = targetsOf(all);
        assertEquals(new Map([...targets].sort(([a], [b]) => a - b)), expected);
        orders.add(String([...targets.keys()]));
      }
      const once = [...batches.all()];
      const targets = targetsOf(once);
      assertEquals(new Map([...targets].sort(([a], [b]) => a - b)), expected);
      orders.add(String([...targets.keys()]));
      assertEquals(orders.size, 4);
      assertEquals([...batches.all()], once);
    });

    Deno.test(`${about}: a resumed sampler continues, wherever it stopped`, () => {
      for (const shuffle of [true, false]) {
        const start = (seed: number) => {
          const random = shuffle ? new Random(seed) : undefined;
          return make(50, { packing, groupByLength, random });
        };
        const { batches: count } = start(1);
        for (const steps of [0, 1, count - 1, count, count + 1, 40]) {
          const batches = start(1);
          take(batches, steps);
          const resumed = start(2);
          take(resumed, 3);
          resumed.state = JSON.parse(JSON.stringify(batches.state));
          assertEquals(resumed.epoch, batches.epoch);
          assertEquals(resumed.index, batches.index);
          assertEquals(take(resumed, 20), take(batches, 20));
        }
      }
    });
  }
}

Deno.test("grouping by length and packing both save padding", () => {
  const random = new Random(7);
  const long = Array.from(
    { length: 200 },
    () => text(1, 11 + random.integer(90), 10),
  );
  const read = long.reduce((sum, { ids }) => sum + ids.length - 1, 0);
  const padding = (options: Partial<SequenceBatchesOptions>) => {
    const sizes = { batchSize: 4, blockSize: 128, random: new Random(1) };
    const batches = new SequenceBatches(long, { ...sizes, ...options });
    const all = take(batches, batches.batches);
    const places = all.reduce((sum, { inputs }) => sum + inputs.length, 0);
    return 1 - read / places;
  };
  assert(padding({}) > 0.3);
  assert(padding({ groupByLength: true }) < 0.1);
  assert(padding({ packing: true }) < 0.02);
});

Deno.test("texts that are too long or teach nothing are refused", () => {
  const sizes = { batchSize: 2, blockSize: 8 };
  const refuse = (sequences: LearnedSequence[], problem: string) =>
    assertThrows(
      () => new SequenceBatches(sequences, sizes),
      RangeError,
      problem,
    );
  refuse([], "there are no texts");
  new SequenceBatches([text(1, 9, 1)], sizes);
  refuse([text(1, 3, 1), text(1, 10, 1)], "text 2 of 2, of 10 tokens, is long");
  refuse([text(1, 4, 0)], "text 1 of 1, of 4 tokens, has nothing to learn");
  const first = { ids: Uint32Array.of(5), learned: Uint8Array.of(1) };
  refuse([first], "text 1 of 1, of 1 tokens, has nothing to learn");
  assertThrows(
    () => make(3, { batchSize: 0 }),
    RangeError,
    "batchSize is 0",
  );
});

Deno.test("states of other texts, masks and settings are refused", () => {
  const random = new Random(1);
  const batches = make(20, { random });
  const refuse = (state: unknown, problem: string) =>
    assertThrows(
      () => batches.state = state as typeof batches.state,
      RangeError,
      problem,
    );
  const { state } = batches;
  refuse(make(19, { random }).state, "sequences was 19 and is 20");
  const [first, ...others] = texts(20);
  const other = new SequenceBatches(
    [{ ids: first.ids, learned: first.learned.map(() => 1) }, ...others],
    { batchSize: 4, blockSize: 16, random },
  );
  refuse(other.state, "fingerprint was");
  refuse(make(20, { random, packing: true }).state, "packing was true and is");
  refuse(make(20).state, "shuffle was false and is true");
  refuse({ ...state, index: 6 }, "batch 6 of epoch 0 is not among their 5");
  refuse({ ...state, random: null }, "random state");
  refuse(null, "got null");
});
