import { assert, assertEquals, assertThrows } from "@std/assert";
import { stories, STORY_SEPARATOR } from "../../lib/data/stories.ts";
import { Random } from "../../lib/random.ts";
import { expand } from "../../lib/data/stories/grammar.ts";

const text = stories();
const told = text.split(STORY_SEPARATOR).slice(0, -1);

Deno.test("the default stories never change", async () => {
  const bytes = new TextEncoder().encode(text);
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  assertEquals(
    new Uint8Array(digest).toHex(),
    "97ee5eb51181402a494a55fc278b3f9f43453106cbc6752c01688bc95ac4ab7b",
  );
});

Deno.test("stories are one megabyte of plain ASCII", () => {
  assert(/^[A-Za-z0-9 .,!?'"\n]+$/.test(text));
  assert(text.length <= 1_000_000 && text.length > 998_000);
  assert(text.endsWith(STORY_SEPARATOR));
});

Deno.test("every story has 60 to 200 words, a start and an end", () => {
  for (const story of told) {
    const words = story.split(/\s/).length;
    assert(words >= 60 && words <= 200, `${words} words`);
    assert(/^[A-Z"]/.test(story), story);
    assert(/[.!?]"?$/.test(story), story);
  }
});

Deno.test("paragraphs are clean: spaces, quotes, capitals, articles", () => {
  const faults = [
    /\s\s|^\s|\s$/,
    /\s[.,!?]/,
    /[.,!?][.,!?]/,
    /[.!?] [a-z]/,
    /\ba [aeiou]/i,
    /\ban [^aeiou]/i,
    /[{}[\]|]/,
    /""/,
    /\b(?!choo)(\w+) \1\b/i,
  ];
  for (const paragraph of told.join("\n").split("\n")) {
    for (const fault of faults) {
      assert(!fault.test(paragraph), `${fault}: ${paragraph}`);
    }
    const quotes = paragraph.split('"').length - 1;
    assertEquals(quotes % 2, 0, paragraph);
    // Quotes open after a space and close before one.
    paragraph.split('"').forEach((part, i) => {
      if (i % 2 === 1) assert(/^\S.*[.,!?]$/.test(part), paragraph);
    });
  }
});

Deno.test("stories repeat their words, but not themselves", () => {
  const vocabulary = new Set(text.toLowerCase().match(/[a-z]+/g));
  assert(vocabulary.size >= 600, `${vocabulary.size} words`);
  assert(vocabulary.size <= 900, `${vocabulary.size} words`);

  assertEquals(new Set(told).size, told.length);
  const sentences = told.flatMap((story) =>
    story.replaceAll("\n", " ").split(/(?<=[.!?]"?) (?="?[A-Z])/)
  );
  const share = new Set(sentences).size / sentences.length;
  assert(share > 0.4, `${share} of the sentences are distinct`);

  const openings = new Set(told.map((story) => story.slice(0, 60)));
  assert(openings.size > told.length / 2, `${openings.size} openings`);
});

Deno.test("pronouns agree: a boy is he and a girl is she", () => {
  const seen = { he: 0, she: 0 };
  for (const story of told) {
    const found = /^[^.]*\b(boy|girl)\b[^.]*\. (He|She) /.exec(story);
    if (!found || / and /.test(found[0])) continue;
    const he = found[1] === "boy";
    seen[he ? "he" : "she"]++;
    assertEquals(found[2], he ? "He" : "She", story);
  }
  assert(seen.he > 50 && seen.she > 50, JSON.stringify(seen));
});

Deno.test("a seed tells its own stories, and more of the same", () => {
  const short = stories({ seed: 7, bytes: 5_000 });
  assertEquals(short, stories({ seed: 7, bytes: 5_000 }));
  assert(short.length <= 5_000);
  assert(stories({ seed: 7, bytes: 20_000 }).startsWith(short));
  assert(stories({ seed: 8, bytes: 5_000 }) !== short);
});

Deno.test("no story fits a few bytes", () => {
  for (const bytes of [0, -1, 50, NaN]) {
    assertThrows(() => stories({ bytes }), RangeError, "Cannot tell stories");
  }
});

Deno.test("expand chooses, names, capitalises and finds the article", () => {
  const slots = { who: "owl", what: "[red|red] {who}", he: "she" };
  const say = (template: string) => expand(template, slots, new Random(1));
  assertEquals(
    say("{He} saw {a who} and {a what} [x|x]  [|]."),
    "She saw an owl and a red owl x.",
  );
  assertThrows(() => say("{nobody}"), RangeError, "{nobody}");
  assertThrows(() => say("[a|b"), RangeError, 'no "]"');
});
