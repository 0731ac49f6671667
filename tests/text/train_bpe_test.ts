import { assert, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../lib/random.ts";
import type { SplitName } from "../../lib/text/split_pattern.ts";
import { trainBpe } from "../../lib/text/train_bpe.ts";

const fixtures = new URL("../fixtures/text/", import.meta.url);
const corpus = await Deno.readTextFile(new URL("corpus.txt", fixtures));

/** Made by make_hf_tokenizers.py beside it. */
const huggingFace: {
  samples: string[];
  tokenizers: {
    pattern: SplitName;
    vocabSize: number;
    merges: string[];
    ids: number[][];
  }[];
} = JSON.parse(
  await Deno.readTextFile(new URL("hf_tokenizers.json", fixtures)),
);

for (const expected of huggingFace.tokenizers) {
  const { pattern, vocabSize } = expected;
  Deno.test(`training learns Hugging Face's merges, split by ${pattern}`, () => {
    const tokenizer = trainBpe(corpus, { vocabSize, pattern });
    const { merges, vocab } = tokenizer.toJSON().model;
    assertEquals(merges, expected.merges);
    assertEquals(Object.keys(vocab).length, vocabSize);
    huggingFace.samples.forEach((sample, i) => {
      assertEquals([...tokenizer.encode(sample)], expected.ids[i]);
    });
  });

  Deno.test(`training stops where Hugging Face's does, split by ${pattern}`, () => {
    assertThrows(
      () => trainBpe(corpus, { vocabSize: vocabSize + 1, pattern }),
      RangeError,
      `Cannot train a vocabulary of ${vocabSize + 1}: ` +
        `after ${vocabSize} tokens no pair occurs 2 times`,
    );
  });
}

Deno.test("every merge is the most frequent pair, counted afresh", () => {
  const random = new Random(1);
  for (let round = 0; round < 20; round++) {
    const words = Array.from(
      { length: 30 },
      () =>
        Array.from(
          { length: 1 + random.integer(12) },
          () => "aab"[random.integer(3)],
        ).join(""),
    );
    const text = words.join("\n");
    const { merges } = trainBpe(text, { vocabSize: 276, minFrequency: 1 });
    const parts = words.map((word) => [...word]);
    const age: string[] = ["\n", "a", "b"];
    for (const [left, right] of merges.slice(0, 15)) {
      const counts = new Map<string, number>();
      for (const word of parts) {
        for (let i = 1; i < word.length; i++) {
          const pair = `${word[i - 1]} ${word[i]}`;
          counts.set(pair, (counts.get(pair) ?? 0) + 1);
        }
      }
      const best = [...counts].sort(([a, m], [b, n]) => {
        const [a1, a2] = a.split(" ").map((part) => age.indexOf(part));
        const [b1, b2] = b.split(" ").map((part) => age.indexOf(part));
        return n - m || a1 - b1 || a2 - b2;
      });
      if (best.length === 0) break;
      assertEquals(`${left} ${right}`, best[0][0]);
      if (!age.includes(left + right)) age.push(left + right);
      for (const word of parts) {
        for (let i = 0; i + 1 < word.length; i++) {
          const here = word[i] === left && word[i + 1] === right;
          if (here) word.splice(i, 2, left + right);
        }
      }
    }
  }
});

Deno.test("the same texts give the same file, in any order", () => {
  const lines = corpus.split("\n").map((line) => `${line}\n`);
  const options = { vocabSize: 500, specialTokens: ["<|endoftext|>"] };
  const file = JSON.stringify(trainBpe(lines, options));
  assertEquals(JSON.stringify(trainBpe(lines, options)), file);
  assertEquals(JSON.stringify(trainBpe(lines.toReversed(), options)), file);
});

Deno.test("special tokens come last and are not learnt from the text", () => {
  const text = "<|endoftext|>".repeat(100);
  const tokenizer = trainBpe(text, {
    vocabSize: 270,
    pattern: "none",
    minFrequency: 1,
    specialTokens: ["<|endoftext|>", "<|"],
  });
  assertEquals(tokenizer.vocabSize, 270);
  assertEquals(
    [...tokenizer.specialTokens],
    [["<|endoftext|>", 268], ["<|", 269]],
  );
  assert([...tokenizer.encode(text)].every((id) => id < 268));
  assertEquals(tokenizer.decode(tokenizer.encode(text)), text);
});

Deno.test("a vocabulary of bytes alone needs no text", () => {
  const tokenizer = trainBpe([], { vocabSize: 257, specialTokens: ["<s>"] });
  assertEquals(tokenizer.vocabSize, 257);
  assertEquals(tokenizer.decode(tokenizer.encode("né")), "né");
});

Deno.test("sizes that cannot be had are refused", () => {
  assertThrows(
    () => trainBpe(corpus, { vocabSize: 257, specialTokens: ["a|", "b|"] }),
    RangeError,
    "Cannot train a vocabulary of 257: expected a whole number of at least 258",
  );
  for (const vocabSize of [NaN, 300.5, -1, 0]) {
    assertThrows(() => trainBpe(corpus, { vocabSize }), RangeError, "whole");
  }
  assertThrows(
    () => trainBpe("", { vocabSize: 300 }),
    RangeError,
    "after 256 tokens no pair occurs 2 times in the 0 distinct words",
  );
  assertThrows(
    () => trainBpe(corpus, { vocabSize: 300, minFrequency: 0 }),
    RangeError,
    "minimum frequency of 0",
  );
  assertThrows(
    () => trainBpe(corpus, { vocabSize: 300, specialTokens: ["x|", "x|"] }),
    RangeError,
    "named twice",
  );
  assertThrows(
    () => trainBpe(corpus, { vocabSize: 300, specialTokens: ["!"] }),
    RangeError,
    'special token "!"',
  );
});
