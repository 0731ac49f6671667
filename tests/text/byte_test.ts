import { assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../lib/random.ts";
import { ByteTokenizer } from "../../lib/text/byte.ts";
import { fuzzString } from "./fuzz.ts";

Deno.test("ids are the bytes of UTF-8", () => {
  const tokenizer = new ByteTokenizer();
  const text = "né 漢 😀\n";
  assertEquals(tokenizer.vocabSize, 256);
  assertEquals(
    [...tokenizer.encode(text)],
    [...new TextEncoder().encode(text)],
  );
});

Deno.test("every string survives, and streams whole", () => {
  const random = new Random(1);
  const tokenizer = new ByteTokenizer(["<|endoftext|>"]);
  for (let i = 0; i < 3000; i++) {
    const text = fuzzString(random, { loneSurrogates: true });
    const allowedSpecial = i % 2 === 0 ? [] : "all";
    const ids = tokenizer.encode(text, { allowedSpecial });
    assertEquals(tokenizer.decode(ids), text);
    const stream = tokenizer.stream();
    const pieces = Array.from(ids, (id) => stream.push(id));
    assertEquals(pieces.join("") + stream.end(), text);
  }
});

Deno.test("special tokens are recognised only where allowed", () => {
  const tokenizer = new ByteTokenizer(["<s>", "</s>"]);
  assertEquals([...tokenizer.specialTokens], [["<s>", 256], ["</s>", 257]]);
  assertEquals(tokenizer.vocabSize, 258);
  assertEquals(tokenizer.encode("<s>a").length, 4);
  assertEquals(
    [...tokenizer.encode("<s>a</s>", { allowedSpecial: "all" })],
    [256, 97, 257],
  );
  assertEquals(
    [...tokenizer.encode("<s>a</s>", { allowedSpecial: ["<s>"] })],
    [256, 97, 60, 47, 115, 62],
  );
  assertEquals(tokenizer.decode([256, 97, 257]), "<s>a</s>");
});

Deno.test("unknown ids and unusable special tokens are refused", () => {
  const tokenizer = new ByteTokenizer(["<s>"]);
  for (const id of [257, -1, 0.5, NaN]) {
    assertThrows(() => tokenizer.decode([id]), RangeError, `id ${id}`);
  }
  assertThrows(() => new ByteTokenizer([""]), RangeError, "at least one");
  assertThrows(() => new ByteTokenizer(["\ud800"]), RangeError, "surrogate");
  assertThrows(() => new ByteTokenizer(["a", "a"]), RangeError, "twice");
  assertThrows(
    () => tokenizer.encode("", { allowedSpecial: ["<x>"] }),
    RangeError,
    'Cannot allow the special token "<x>": the tokenizer has "<s>"',
  );
});
