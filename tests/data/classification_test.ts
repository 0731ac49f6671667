import { assert, assertEquals, assertThrows } from "@std/assert";
import { ClassBatches } from "../../lib/data/class_batches.ts";
import {
  type ClassBatch,
  encodeExamples,
  padExamples,
} from "../../lib/data/class_examples.ts";
import {
  balanceLabels,
  countLabels,
  divideExamples,
  labelsOf,
  repeatedTexts,
} from "../../lib/data/classification.ts";
import { Random } from "../../lib/random.ts";

function labeled(labels: readonly string[]) {
  return labels.map((label, i) => ({ label, text: `text ${i}`, line: i + 1 }));
}

/** Examples of lengths from 1 to 9, told apart by their first id. */
function someExamples(count: number) {
  const random = new Random(4);
  return Array.from({ length: count }, (_, i) => ({
    ids: Uint32Array.from({ length: 1 + random.integer(9) }, () => 100 + i),
    label: i % 3,
  }));
}

const encode = (text: string) =>
  Uint32Array.from(text, (character) => character.charCodeAt(0));

Deno.test("labels are in the order of numbers, or of their characters", () => {
  assertEquals(labelsOf(labeled(["spam", "ham", "spam"])), ["ham", "spam"]);
  assertEquals(labelsOf(labeled(["10", "9", "-1"])), ["-1", "9", "10"]);
  assertEquals(labelsOf(labeled(["10", "9", "x"])), ["10", "9", "x"]);
  assertThrows(
    () => labelsOf(labeled(["ham", "ham"])),
    RangeError,
    'all examples have the label "ham", expected two labels or more',
  );
  assertThrows(() => labelsOf([]), RangeError, "all examples have no label");
  const counts = countLabels(labeled(["b", "a", "b"]), ["a", "b", "c"]);
  assertEquals(counts, [1, 2, 0]);
});

Deno.test("balancing keeps all of the rarest, and of the others a seeded sample", () => {
  const labels = Array.from({ length: 100 }, (_, i) => i % 5 ? "ham" : "spam");
  const examples = labeled(labels);
  const kept = balanceLabels(examples, new Random(3));
  assertEquals(countLabels(kept, ["ham", "spam"]), [20, 20]);
  assertEquals(kept, kept.toSorted((a, b) => a.line - b.line));
  assertEquals(new Set(kept).size, 40);
  assertEquals(balanceLabels(examples, new Random(3)), kept);
  const other = balanceLabels(examples, new Random(5));
  assert(other.some((example, i) => example !== kept[i]));
});

Deno.test("no example is in two parts, none is lost, and the seed decides", () => {
  for (const count of [5, 10, 97, 1494]) {
    const examples = labeled(Array.from({ length: count }, () => "x"));
    const options = { train: 0.5, validation: 0.2 };
    const parts = divideExamples(examples, {
      ...options,
      random: new Random(1),
    });
    const all = [...parts.train, ...parts.validation, ...parts.test];
    assertEquals(all.length, count);
    assertEquals(new Set(all).size, count);
    assertEquals(parts.train.length, Math.floor(count / 2));
    const again = divideExamples(examples, {
      ...options,
      random: new Random(1),
    });
    assertEquals(again, parts);
  }
  const ten = divideExamples(labeled(Array(10).fill("x")), {
    random: new Random(1),
  });
  assertEquals([ten.train.length, ten.validation.length], [7, 1]);
});

Deno.test("shares that make no sense, and empty parts, are refused", () => {
  const random = new Random(1);
  const examples = labeled(Array(10).fill("x"));
  for (const train of [0, 0.9, 1, NaN]) {
    assertThrows(
      () => divideExamples(examples, { train, random }),
      RangeError,
      "expected two numbers above 0 whose sum is below 1",
    );
  }
  assertThrows(
    () => divideExamples(examples.slice(0, 9), { random }),
    RangeError,
    "Cannot divide 9 examples: none would be left for the validation part",
  );
});

Deno.test("texts that are judged by though they were learned are counted", () => {
  const of = (...texts: string[]) => texts.map((text) => ({ text }));
  const parts = {
    train: of("a", "b", "a"),
    validation: of("b", "c"),
    test: of("a", "d"),
  };
  assertEquals(repeatedTexts(parts), 2);
});

Deno.test("texts are cut to a length, and the cuts are counted", () => {
  const texts = [["abcd", "x"], ["ab", "y"], ["abc", "x"]]
    .map(([text, label], i) => ({ text, label, line: i + 1 }));
  const { examples, truncated, longest } = encodeExamples(texts, ["x", "y"], {
    encode,
    maxLength: 3,
  });
  assertEquals(examples, [
    { ids: encode("abc"), label: 0 },
    { ids: encode("ab"), label: 1 },
    { ids: encode("abc"), label: 0 },
  ]);
  assertEquals({ truncated, longest }, { truncated: 1, longest: 4 });
});

Deno.test("padding at the end of a text is no part of it", () => {
  const padTokenId = "_".charCodeAt(0);
  const texts = [{ text: "a_b__", label: "x", line: 1 }];
  const options = { encode, maxLength: 9, padTokenId };
  const { examples } = encodeExamples(texts, ["x"], options);
  assertEquals(examples[0].ids, encode("a_b"));
  assertThrows(
    () => encodeExamples([{ text: "__", label: "x", line: 7 }], ["x"], options),
    RangeError,
    'Cannot encode the example of line 7: "__" has no ids but those of padding',
  );
  assertThrows(
    () => encodeExamples([{ text: "a", label: "z", line: 7 }], ["x"], options),
    RangeError,
    'Cannot encode the example of line 7: its label "z" is none of "x"',
  );
});

Deno.test("rows are filled up after their end, to the longest or to a length", () => {
  const examples = [
    { ids: Uint32Array.of(1, 2), label: 1 },
    { ids: Uint32Array.of(3), label: 0 },
  ];
  assertEquals(padExamples(examples, { padTokenId: 9 }), {
    inputs: Uint32Array.of(1, 2, 3, 9),
    lengths: Uint32Array.of(2, 1),
    labels: Uint32Array.of(1, 0),
    shape: [2, 2],
  });
  assertEquals(
    padExamples(examples, { padTo: 3 }).inputs,
    Uint32Array.of(1, 2, 0, 3, 0, 0),
  );
  assertThrows(
    () => padExamples(examples, { padTo: 1 }),
    RangeError,
    "Cannot fill rows up to 1 ids: one has 2 already",
  );
});

function firstIds({ inputs, shape: [, time] }: ClassBatch): number[] {
  return [...inputs].filter((_, i) => i % time === 0);
}

for (const groupByLength of [false, true]) {
  Deno.test(
    `an epoch has every example once, ${
      groupByLength ? "by length" : "in any order"
    }, and each its own order`,
    () => {
      const examples = someExamples(23);
      const batches = new ClassBatches(examples, {
        batchSize: 4,
        groupByLength,
        random: new Random(6),
      });
      assertEquals(batches.batches, 6);
      const epochs = [0, 1].map((epoch) =>
        Array.from({ length: 6 }, (_, index) => {
          assertEquals([batches.epoch, batches.index], [epoch, index]);
          const batch = batches.next();
          firstIds(batch).forEach((id, row) => {
            const example = examples[id - 100];
            assertEquals(batch.labels[row], example.label);
            assertEquals(batch.lengths[row], example.ids.length);
          });
          return batch;
        })
      );
      const orders = epochs.map((epoch) => epoch.flatMap(firstIds));
      for (const order of orders) {
        assertEquals(order.toSorted(), examples.map(({ ids: [id] }) => id));
      }
      assert(orders[0].some((id, i) => id !== orders[1][i]));
      const padding = epochs.flat().reduce(
        (sum, { inputs, lengths }) =>
          sum + inputs.length - lengths.reduce((a, b) => a + b, 0),
        0,
      );
      assertEquals(padding < 40, groupByLength, `${padding} ids of padding`);
    },
  );

  Deno.test(
    `batches go on exactly where they stopped (${
      groupByLength ? "by length" : "any order"
    })`,
    () => {
      const make = (count = 23) =>
        new ClassBatches(someExamples(count), {
          batchSize: 4,
          groupByLength,
          random: new Random(6),
        });
      for (const taken of [0, 3, 6, 8]) {
        const batches = make();
        for (let i = 0; i < taken; i++) batches.next();
        const saved = JSON.parse(JSON.stringify(batches.state));
        const resumed = make();
        resumed.state = saved;
        for (let i = 0; i < 9; i++) {
          assertEquals(resumed.next(), batches.next());
        }
        assertThrows(
          () => make(22).state = saved,
          RangeError,
          "Cannot restore class batches: examples was 23 and is 22",
        );
        assertThrows(
          () => make().state = { ...saved, index: 7 },
          RangeError,
          "batch 7 of epoch",
        );
      }
    },
  );
}

Deno.test("batches of nothing are refused", () => {
  const random = new Random(1);
  assertThrows(
    () => new ClassBatches([], { batchSize: 2, random }),
    RangeError,
    "there are no examples",
  );
  assertThrows(
    () => new ClassBatches(someExamples(3), { batchSize: 0, random }),
    RangeError,
    "batchSize is 0, expected a whole number from 1",
  );
});
