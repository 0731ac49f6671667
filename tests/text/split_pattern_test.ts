import { assert, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../lib/random.ts";
import { type SplitName, SplitPattern } from "../../lib/text/split_pattern.ts";
import { fuzzString } from "./fuzz.ts";

function words(name: SplitName, text: string): string[] {
  return [...new SplitPattern(name).split(text)];
}

Deno.test("each pattern cuts in its own way", () => {
  const text = "I'll PAY'LL 12345  euros!\n\n x";
  assertEquals(
    words("gpt2", text),
    ["I", "'ll", " PAY", "'", "LL", " 12345", " ", " euros", "!", "\n\n", " x"],
  );
  assertEquals(
    words("cl100k", text),
    [
      ..."I|'ll| PAY|'LL| |123|45| | euros|!\n\n| x".split("|"),
    ],
  );
  assertEquals(
    words("o200k", text),
    [
      ..."I'll| PAY'LL| |123|45| | euros|!\n\n| x".split("|"),
    ],
  );
  assertEquals(words("none", text), [text]);
  assertEquals(words("none", ""), []);
});

Deno.test("white space is Unicode's, not JavaScript's", () => {
  assertEquals(words("gpt2", "a\u0085\u0085b"), ["a", "\u0085", "\u0085", "b"]);
  assertEquals(words("gpt2", "a\ufeff\ufeffb"), ["a", "\ufeff\ufeff", "b"]);
});

Deno.test("words join to the text, gaps included", () => {
  const random = new Random(1);
  const patterns = [
    new SplitPattern("gpt2"),
    new SplitPattern("cl100k"),
    new SplitPattern("o200k"),
    new SplitPattern("none"),
    new SplitPattern({ regex: String.raw`\p{L}+` }),
    new SplitPattern({ regex: String.raw`[0-9]*` }),
  ];
  for (let i = 0; i < 2000; i++) {
    const text = fuzzString(random, { loneSurrogates: true });
    for (const pattern of patterns) {
      const parts = [...pattern.split(text)];
      assertEquals(parts.join(""), text);
      assertEquals(parts.includes(""), false);
    }
  }
});

Deno.test("a regular expression that is a named one gets its name", () => {
  const form = new SplitPattern("cl100k").toJSON();
  assert(form.type === "Sequence");
  const regex = form.pretokenizers[0].pattern.Regex;
  assertEquals(new SplitPattern({ regex }).name, "cl100k");
  assertEquals(new SplitPattern({ regex: "a" }).name, undefined);
});

Deno.test("a regular expression of one's own splits as Oniguruma would", () => {
  const split = (regex: string, text: string) => [
    ...new SplitPattern({ regex }).split(text),
  ];
  assertEquals(split(String.raw`[\s\-]`, "a-b\u0085c"), [
    "a",
    "-",
    "b",
    "\u0085",
    "c",
  ]);
  assertEquals(split(String.raw`\'\S`, "it's"), ["it", "'s"]);
  assertEquals(split("(?i:ab)", "xABx"), ["x", "AB", "x"]);
});

Deno.test("what JavaScript would match otherwise is refused", () => {
  const refused: [regex: string, what: string][] = [
    [String.raw`\w+`, String.raw`\w has no exact equal`],
    [String.raw`\d+`, String.raw`\d has no exact equal`],
    [String.raw`\bx`, String.raw`\b has no exact equal`],
    [String.raw`x\z`, String.raw`\z has no exact equal`],
    ["x$", "$ has no exact equal"],
    ["^x", "^ has no exact equal"],
    [".+", ". has no exact equal"],
    ["[[:alpha:]]", "[ has no exact equal"],
    ["[a&&b]", "&& has no exact equal"],
    [String.raw`\p{L}++`, "Nothing to repeat"],
    [String.raw`\p{Elvish}`, "Invalid property name"],
    ["(a", "Unterminated group"],
    ["a\\", "has no exact equal"],
  ];
  for (const [regex, what] of refused) {
    assertThrows(() => new SplitPattern({ regex }), RangeError, what);
  }
  assertThrows(
    () => new SplitPattern("gpt5" as SplitName),
    RangeError,
    "the named patterns are gpt2, cl100k, o200k, none",
  );
});
