import { assertEquals, assertThrows } from "@std/assert";
import { splitData } from "../../lib/data/split.ts";

Deno.test("the last tenth is for validation, as in nanoGPT", () => {
  // nanoGPT's README: 1,003,854 and 111,540 tokens of Tiny Shakespeare.
  const { train, validation } = splitData(new Uint16Array(1_115_394));
  assertEquals([train.length, validation.length], [1_003_854, 111_540]);
});

Deno.test("both sides together are the whole, at every fraction", () => {
  const text = "ab\u{1f600}cd\u{1f601}\u{1f602}ef";
  for (let fraction = 0.2; fraction < 0.85; fraction += 0.05) {
    const { train, validation } = splitData(text, { validation: fraction });
    assertEquals(train + validation, text);
    assertEquals((train + validation).isWellFormed(), true);
    assertEquals([train, validation].every((s) => s.isWellFormed()), true);
  }
  const tokens = Uint32Array.of(1, 2, 3, 4);
  const { train, validation } = splitData(tokens, { validation: 0.5 });
  assertEquals([[...train], [...validation]], [[1, 2], [3, 4]]);
  assertEquals(validation.buffer, tokens.buffer);
});

Deno.test("a side too short for a block is refused with the numbers", () => {
  const tokens = new Uint16Array(100);
  splitData(tokens, { blockSize: 9 });
  assertThrows(
    () => splitData(tokens, { blockSize: 10 }),
    RangeError,
    "Cannot split 100 tokens into 90 to train on and 10 to validate on: " +
      "each side needs 11; use more text or a smaller block size",
  );
  for (const text of ["", "a"]) assertThrows(() => splitData(text), RangeError);
  for (const validation of [0, 1, -0.1, NaN]) {
    assertThrows(() => splitData("text", { validation }), RangeError, "part");
  }
});
