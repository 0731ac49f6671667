import { assertEquals } from "@std/assert";
import { JsonCursor } from "../../lib/text/json_cursor.ts";
import { readPreTokenizer } from "../../lib/text/pre_tokenizer.ts";

// How Hugging Face cuts; see tests/fixtures/text/make_splits.py.
const { texts, cases } = JSON.parse(
  await Deno.readTextFile(
    new URL("../fixtures/text/splits.json", import.meta.url),
  ),
);

function split(step: unknown, text: string): string[] {
  const cursor = JsonCursor.parse(JSON.stringify(step), "a test");
  return [...readPreTokenizer(cursor).preTokenizer.split(text)];
}

Deno.test("each behavior of a split cuts as Hugging Face's, inverted or not", () => {
  for (const { step, pieces } of cases) {
    texts.forEach((text: string, i: number) => {
      assertEquals(
        split(step, text),
        pieces[i],
        JSON.stringify({ step, text }),
      );
    });
  }
});

Deno.test("steps cut one after another, each within the pieces before", () => {
  const step = {
    type: "Sequence",
    pretokenizers: [
      { type: "Digits", individual_digits: true },
      { type: "ByteLevel", add_prefix_space: true, use_regex: true },
    ],
  };
  assertEquals(split(step, "in 1984 x"), [
    " in",
    " ",
    " 1",
    " 9",
    " 8",
    " 4",
    " x",
  ]);
  const words = { type: "Metaspace", replacement: "_" };
  assertEquals(split(words, "a b  c"), ["_a", "_b", "_", "_c"]);
  const never = { ...words, prepend_scheme: "never", split: false };
  assertEquals(split(never, "a b"), ["a_b"]);
});
