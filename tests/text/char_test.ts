import { assertEquals, assertThrows } from "@std/assert";
import { CharTokenizer } from "../../lib/text/char.ts";

Deno.test("characters get ids in code point order", () => {
  const tokenizer = new CharTokenizer("b\u{1f600}a\uffffb\n");
  assertEquals(tokenizer.vocabSize, 5);
  assertEquals(
    [...tokenizer.encode("\nab\uffff\u{1f600}")],
    [0, 1, 2, 3, 4],
  );
});

Deno.test("a text survives its own tokenizer, lone surrogates included", () => {
  const text = "\ufeffa\u0085\r\n\ud83d b\ude80\ud83d\ude80é";
  const tokenizer = new CharTokenizer(text);
  assertEquals(tokenizer.decode(tokenizer.encode(text)), text);
  const stream = tokenizer.stream();
  const pieces = [...tokenizer.encode(text)].map((id) => stream.push(id));
  assertEquals(pieces, [...text]);
  assertEquals(stream.end(), "");
});

Deno.test("characters may be given in the order of their ids", () => {
  const tokenizer = new CharTokenizer(["z", "a", "m"]);
  assertEquals([...tokenizer.encode("maz")], [2, 1, 0]);
});

Deno.test("an unknown character is named, with its place", () => {
  const tokenizer = new CharTokenizer("abc");
  assertThrows(
    () => tokenizer.encode("ab😀d"),
    RangeError,
    'Cannot encode "😀" (U+1F600) at index 2: not among the 3 characters',
  );
  assertThrows(
    () => tokenizer.encode("ca\tb"),
    RangeError,
    "(U+0009) at index 2",
  );
});

Deno.test("unknown ids and unusable vocabularies are refused", () => {
  const tokenizer = new CharTokenizer("abc");
  for (const id of [3, -1, 0.5, NaN]) {
    assertThrows(() => tokenizer.decode([0, id]), RangeError, `id ${id}`);
    assertThrows(() => tokenizer.stream().push(id), RangeError, `id ${id}`);
  }
  assertThrows(() => new CharTokenizer(""), RangeError, "no characters");
  assertThrows(
    () => new CharTokenizer(["a", "bc"]),
    RangeError,
    'entry 1 is "bc"',
  );
  assertThrows(() => new CharTokenizer(["a", ""]), RangeError, 'entry 1 is ""');
  assertThrows(() => new CharTokenizer(["a", "a"]), RangeError, "entry 0");
  assertThrows(
    () => tokenizer.encode("a", { allowedSpecial: ["<|endoftext|>"] }),
    RangeError,
    "the tokenizer has none",
  );
});
