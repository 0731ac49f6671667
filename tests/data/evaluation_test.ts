import { assert, assertEquals, assertThrows } from "@std/assert";
import { IGNORE_INDEX } from "../../lib/data/batch.ts";
import {
  evaluationBatches,
  stridedBatches,
} from "../../lib/data/evaluation.ts";

function places(length: number): Uint16Array {
  return Uint16Array.from({ length }, (_, i) => i);
}

Deno.test("evaluation takes the same batches for the same seed", () => {
  const sizes = { batchSize: 3, blockSize: 5, count: 7 };
  const batches = (seed: number) => [
    ...evaluationBatches(places(1000), { ...sizes, seed }),
  ];
  assertEquals(batches(1).length, 7);
  assertEquals(batches(1)[0].shape, [3, 5]);
  assertEquals(batches(1), batches(1));
  assert(String(batches(1)[0].inputs) !== String(batches(2)[0].inputs));
});

Deno.test("every token but the first is predicted exactly once", () => {
  for (const length of [2, 3, 8, 9, 10, 16, 17, 18, 100]) {
    for (const blockSize of [1, 2, 8, 64]) {
      for (const stride of [1, Math.ceil(blockSize / 2), blockSize]) {
        const sizes = { batchSize: 3, blockSize, stride };
        const predicted: number[] = [];
        const batches = [...stridedBatches(places(length), sizes)];
        batches.forEach(({ inputs, targets, shape: [rows, time] }, i) => {
          assertEquals(time, blockSize);
          assertEquals(inputs.length, rows * time);
          if (i < batches.length - 1) assertEquals(rows, 3);
          targets.forEach((target, at) => {
            if (target === IGNORE_INDEX) return;
            assertEquals(inputs[at], target - 1);
            predicted.push(target);
            // Enough to go by, but near the start.
            const context = at % time + 1;
            assert(context > blockSize - stride || target <= blockSize);
          });
        });
        assertEquals(predicted, [...places(length).subarray(1)]);
      }
    }
  }
});

Deno.test("a text shorter than a block is one padded row", () => {
  const sizes = { batchSize: 4, blockSize: 4 };
  const [batch, ...more] = stridedBatches(Uint16Array.of(5, 6, 7), sizes);
  assertEquals(more, []);
  assertEquals(batch.shape, [1, 4]);
  assertEquals([...batch.inputs], [5, 6, 7, 0]);
  const none = IGNORE_INDEX;
  assertEquals([...batch.targets], [6, 7, none, none]);
  assertEquals(IGNORE_INDEX, -100 >>> 0);
});

Deno.test("what can not be evaluated is refused", () => {
  const sizes = { batchSize: 4, blockSize: 4 };
  for (const length of [0, 1]) {
    assertThrows(
      () => [...stridedBatches(places(length), sizes)],
      RangeError,
      `from ${length}`,
    );
  }
  assertThrows(
    () => [...stridedBatches(places(9), { ...sizes, stride: 5 })],
    RangeError,
    "would leave tokens out",
  );
  assertThrows(
    () => [...evaluationBatches(places(4), { ...sizes, count: 1, seed: 1 })],
    RangeError,
    "Cannot cut blocks of 4 tokens from 4",
  );
});
