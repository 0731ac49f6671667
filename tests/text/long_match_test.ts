import { assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../lib/random.ts";
import { LongMatcher } from "../../lib/text/long_match.ts";
import { toJavaScript } from "../../lib/text/regex_dialect.ts";
import { SplitPattern } from "../../lib/text/split_pattern.ts";
import { fuzzString } from "./fuzz.ts";

const LLAMA3 = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|` +
  String.raw`[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|` +
  String.raw`\s*[\r\n]+|\s+(?!\S)|\s+`;

const patterns: Readonly<Record<string, string>> = {
  llama3: LLAMA3,
  ...Object.fromEntries(
    (["cl100k", "o200k"] as const).map((name) => {
      const form = new SplitPattern(name).toJSON();
      if (form.type !== "Sequence") throw new Error(name);
      return [name, form.pretokenizers[0].pattern.Regex];
    }),
  ),
  "greedy and back": "[a-z]*[b-y]{2,}e?",
  "optional groups": "(?:a|b)?(?:'s|'t)?c*",
  "counts": String.raw`\p{L}{2}|\d{0,1}x{3,}|[\]\[]`.replace("\\d", "[0-9]"),
  "lookahead": String.raw`\p{L}+(?=[^\p{L}])|\s(?!x)`,
};

for (const [name, pattern] of Object.entries(patterns)) {
  Deno.test(`what V8 matches is matched without a stack: ${name}`, () => {
    const source = toJavaScript(pattern);
    const expression = new RegExp(source, "gu");
    const matcher = new LongMatcher(source);
    const random = new Random(1);
    for (let i = 0; i < 1000; i++) {
      const text = fuzzString(random, { loneSurrogates: true });
      const expected = Array.from(
        text.matchAll(expression),
        ({ index, 0: match }) => ({ index, end: index + match.length }),
      );
      for (const match of expected) {
        assertEquals(matcher.find(text, match.index), match, text);
      }
      const [first] = expected;
      assertEquals(matcher.find(text, 0), first, text);
    }
  });
}

Deno.test("runs that outgrow V8's stack are one word", () => {
  for (const [run, name] of [["漢", "cl100k"], ["😀", "gpt2"]] as const) {
    const long = run.repeat(12_000_000 / run.length);
    const words = [...new SplitPattern(name).split(`ab${long} cd ${long}x`)];
    const lengths = words.map((word) => word.length);
    const short = [...new SplitPattern(name).split(`ab${run} cd ${run}x`)];
    const expected = short.map((word) =>
      word.length + (word.includes(run) ? long.length - run.length : 0)
    );
    assertEquals(lengths, expected);
  }
});

Deno.test("V8 is still short of stack for such runs", () => {
  // If this fails, lib/text/long_match.ts can go.
  const long = "😀".repeat(12_000_000);
  assertThrows(() => / ?[^\s\p{L}\p{N}]+/u.exec(long), RangeError);
});

Deno.test("what cannot be matched so is refused", () => {
  for (const source of ["(?:ab)+", "a+?b", "(?<=a)b", "(a))"]) {
    assertThrows(() => new LongMatcher(source), RangeError, "at length");
  }
});
