import { assert, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../lib/random.ts";
import { BpeTokenizer } from "../../lib/text/bpe.ts";
import {
  BYTE_CHARACTERS,
  bytesToAlphabet,
} from "../../lib/text/byte_alphabet.ts";
import { SplitPattern } from "../../lib/text/split_pattern.ts";
import { trainBpe } from "../../lib/text/train_bpe.ts";
import { fuzzString } from "./fuzz.ts";

const corpus = await Deno.readTextFile(
  new URL("../fixtures/text/corpus.txt", import.meta.url),
);
const specialTokens = ["<|endoftext|>", "<|end", "<|pad|>"];
const tokenizer = trainBpe(corpus, { vocabSize: 600, specialTokens });

/** The definition: merge the pair of the lowest rank, the leftmost first. */
function encodeNaively(bpe: BpeTokenizer, word: string): number[] {
  const bytes = new TextEncoder().encode(word);
  let parts = [...bytesToAlphabet(bytes)];
  for (const [left, right] of bpe.merges) {
    const merged: string[] = [];
    for (let i = 0; i < parts.length; i++) {
      const here = parts[i] === left && parts[i + 1] === right;
      merged.push(here ? left + right : parts[i]);
      if (here) i++;
    }
    parts = merged;
  }
  return parts.map((part) => bpe.vocab.get(part)!);
}

Deno.test("words of any length merge by rank, from the left", () => {
  const whole = trainBpe(corpus, { vocabSize: 600, pattern: "none" });
  const random = new Random(1);
  const letters = [..."aabeehhlnostt  '.\n漢七🚢"];
  for (let i = 0; i < 300; i++) {
    const length = random.integer(i % 3 === 0 ? 200 : 30);
    const word = i % 2 === 0
      ? Array.from({ length }, () => letters[random.integer(letters.length)])
        .join("")
      : corpus.slice(random.integer(2000)).slice(0, length);
    const text = word.toWellFormed();
    assertEquals([...whole.encode(text)], encodeNaively(whole, text));
  }
});

Deno.test("every string survives, and streams in whole characters", () => {
  const random = new Random(2);
  for (let i = 0; i < 3000; i++) {
    const text = fuzzString(random, { loneSurrogates: true });
    const allowedSpecial = i % 2 === 0 ? [] : "all";
    const ids = tokenizer.encode(text, { allowedSpecial });
    assertEquals(tokenizer.decode(ids), text);

    const stream = tokenizer.stream();
    const pieces = Array.from(ids, (id) => stream.push(id));
    assertEquals(pieces.join("") + stream.end(), text);
    if (!text.isWellFormed() || text.includes("\ufffd")) continue;
    assert(pieces.every((piece) => piece.isWellFormed()));
    assert(!pieces.some((piece) => piece.includes("\ufffd")));
  }
});

Deno.test("random bytes survive as the tokens that spell them", () => {
  const random = new Random(3);
  for (let i = 0; i < 2000; i++) {
    const ids = Array.from(
      { length: random.integer(9) },
      () => random.integer(tokenizer.vocabSize),
    );
    const stream = tokenizer.stream();
    const pieces = ids.map((id) => stream.push(id));
    assertEquals(pieces.join("") + stream.end(), tokenizer.decode(ids));
  }
});

Deno.test("the same text gives the same ids, cached or not", () => {
  const fresh = trainBpe(corpus, { vocabSize: 600, specialTokens });
  const first = fresh.encode(corpus);
  assertEquals(fresh.encode(corpus), first);
  for (let i = 0; i < 70_000; i++) fresh.encode(` word${i.toString(36)}`);
  assertEquals(fresh.encode(corpus), first);
});

Deno.test("special-token text in a text is plain text unless allowed", () => {
  const text = "a<|endoftext|>b<|end<|pad|>";
  const [end, part, pad] = specialTokens.map((token) =>
    tokenizer.specialTokens.get(token)!
  );
  assertEquals([end, part, pad], [597, 598, 599]);
  assert([...tokenizer.encode(text)].every((id) => id < 597));

  const special = (allowedSpecial: "all" | string[]) =>
    [...tokenizer.encode(text, { allowedSpecial })].filter((id) => id >= 597);
  assertEquals(special("all"), [end, part, pad]);
  assertEquals(special(["<|end"]), [part, part]);
  assertEquals(special(["<|pad|>"]), [pad]);
  assertEquals(tokenizer.decode([end, pad]), "<|endoftext|><|pad|>");
});

Deno.test("no word becomes a special token, even where whole words count", () => {
  const letters = new Map(BYTE_CHARACTERS.map((char, id) => [char, id]));
  const bpe = new BpeTokenizer({
    vocab: new Map([...letters, ["stop", 256], ["word", 257]]),
    merges: [],
    pattern: new SplitPattern("gpt2"),
    specialTokens: new Map([["stop", 256]]),
    ignoreMerges: true,
  });
  assertEquals([...bpe.encode("word")], [257]);
  assertEquals(bpe.encode("stop").length, 4);
  assertEquals([...bpe.encode("stop", { allowedSpecial: "all" })], [256]);
});

Deno.test("a run of one letter costs nearly as its length", () => {
  const bpe = trainBpe("a".repeat(4096), { vocabSize: 266, minFrequency: 1 });
  const seconds = (length: number) => {
    const text = "a".repeat(length);
    const runs = [1, 2].map(() => {
      const start = performance.now();
      bpe.encode(text);
      return performance.now() - start;
    });
    return Math.min(...runs);
  };
  seconds(10_000);
  // 16 times the length: 16 times as long if linear, 256 times if quadratic.
  const growth = seconds(160_000) / seconds(10_000);
  assert(growth < 80, `16 times the letters took ${growth} times as long`);
  const ids = bpe.encode("a".repeat(1_000_000));
  assertEquals(ids.length, 978); // 976 of 1024 letters, then 512 and 64
});

Deno.test("ids that are not in the vocabulary are refused", () => {
  for (const id of [600, -1, 0.5, NaN]) {
    assertThrows(() => tokenizer.decode([1, id]), RangeError, `id ${id}`);
    assertThrows(() => tokenizer.stream().push(id), RangeError, `id ${id}`);
  }
});

Deno.test("a vocabulary that does not hold together is refused", () => {
  const letters = BYTE_CHARACTERS.map((char, id) => [char, id] as const);
  const build = (
    more: [string, number][],
    merges: [string, string][] = [],
    special: [string, number][] = [],
  ) =>
    new BpeTokenizer({
      vocab: new Map([...letters, ...more]),
      merges,
      pattern: new SplitPattern("gpt2"),
      specialTokens: new Map(special),
    });
  const refused = (run: () => unknown, why: string) =>
    assertThrows(run, RangeError, `Cannot use this vocabulary: ${why}`);

  build([["ab", 256]], [["a", "b"]]);
  refused(() => build([["ab", 255]]), 'token "ab" has id 255, which another');
  refused(
    () => build([["ab", 2 ** 24]]),
    'token "ab" has id 16777216, expected',
  );
  refused(() => build([["ab", 1.5]]), 'token "ab" has id 1.5, expected');
  refused(
    () => build([["a b", 256]]),
    'token "a b" (id 256) is not written in',
  );
  refused(() => build([["", 256]]), 'token "" (id 256) is not written in');
  refused(
    () => build([], [["a", "b"]]),
    'merge 0 is "a" with "b", but "ab" is not in the vocabulary',
  );
  refused(
    () => build([["ab", 256]], [["a", "b"], ["a", "b"]]),
    'merge 1 is "a" with "b", which merge 0 is too',
  );
  refused(
    () => build([["<s>", 256]], [], [["<s>", 257]]),
    'special token "<s>" has id 257, but 256 in the vocabulary',
  );
  refused(() => build([], [], [["<s>", 7]]), 'token "<s>" has id 7, which');
  refused(
    () =>
      new BpeTokenizer({
        vocab: new Map(letters.slice(2)),
        merges: [],
        pattern: new SplitPattern("gpt2"),
      }),
    "2 of the 256 bytes have no token",
  );
});
