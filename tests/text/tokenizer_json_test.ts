import { assert, assertEquals } from "@std/assert";
import { Random } from "../../lib/random.ts";
import { BpeTokenizer } from "../../lib/text/bpe.ts";
import { ByteTokenizer } from "../../lib/text/byte.ts";
import { CharTokenizer } from "../../lib/text/char.ts";
import type { Tokenizer } from "../../lib/text/tokenizer.ts";
import { parseTokenizer } from "../../lib/text/tokenizer_json.ts";
import { trainBpe } from "../../lib/text/train_bpe.ts";
import { fuzzString } from "./fuzz.ts";

const fixtures = new URL("../fixtures/text/", import.meta.url);
const corpus = await Deno.readTextFile(new URL("corpus.txt", fixtures));
const published = await Deno.readTextFile(
  new URL("hf_tokenizer.json", fixtures),
);

const specialTokens = ["<|endoftext|>", "<|pad|>"];
const vocabSize = 400;
const written: Record<string, Tokenizer> = {
  char: new CharTokenizer(corpus),
  byte: new ByteTokenizer(specialTokens),
  gpt2: trainBpe(corpus, { vocabSize, specialTokens }),
  cl100k: trainBpe(corpus, { vocabSize, pattern: "cl100k" }),
  none: trainBpe(corpus, { vocabSize, pattern: "none", specialTokens }),
  regex: trainBpe(corpus, { vocabSize, pattern: { regex: "[a-z]+" } }),
};

for (const [name, tokenizer] of Object.entries(written)) {
  Deno.test(`a ${name} tokenizer survives its file`, () => {
    const json = JSON.stringify(tokenizer, null, 2);
    const again = parseTokenizer(json);
    assertEquals(again.constructor, tokenizer.constructor);
    assertEquals(JSON.stringify(again, null, 2), json);
    assertEquals(again.vocabSize, tokenizer.vocabSize);
    assertEquals([...again.specialTokens], [...tokenizer.specialTokens]);
    const random = new Random(1);
    for (let i = 0; i < 200; i++) {
      const text = name === "char"
        ? corpus.slice(random.integer(2000)).toWellFormed()
        : fuzzString(random, { loneSurrogates: true });
      assertEquals(again.encode(text), tokenizer.encode(text));
    }
  });
}

Deno.test("a file of Hugging Face's trainer is read: its ids, its special tokens", () => {
  const tokenizer = parseTokenizer(published);
  assert(tokenizer instanceof BpeTokenizer);
  assertEquals(tokenizer.vocabSize, 320);
  assertEquals([...tokenizer.specialTokens], [["<|endoftext|>", 0], [
    "<|pad|>",
    1,
  ]]);
  // It learns what our trainer does; only the special tokens come first.
  const ours = trainBpe(corpus, { vocabSize: 318 });
  assertEquals(tokenizer.merges, ours.merges);
  assertEquals(
    [...tokenizer.encode(corpus)],
    [...ours.encode(corpus)].map((id) => id + 2),
  );
  assertEquals(
    [...tokenizer.encode("<|pad|>", { allowedSpecial: "all" })],
    [1],
  );
});

Deno.test("merges may be strings or pairs, and flags may be left out", () => {
  const json = JSON.stringify(written.gpt2);
  // deno-lint-ignore no-explicit-any
  const same = (change: (file: any) => void) => {
    const file = JSON.parse(json);
    change(file);
    assertEquals(JSON.stringify(parseTokenizer(JSON.stringify(file))), json);
  };
  same((file) => {
    file.model.merges = file.model.merges.map((m: string) => m.split(" "));
  });
  same((file) => {
    delete file.truncation;
    delete file.post_processor;
    delete file.model.byte_fallback;
    delete file.model.ignore_merges;
    delete file.model.fuse_unk;
    delete file.pre_tokenizer.use_regex;
    delete file.added_tokens[0].lstrip;
  });
  same((file) => {
    file.post_processor = { type: "ByteLevel", trim_offsets: false };
    file.model.continuing_subword_prefix = "";
    file.model.end_of_word_suffix = "";
    file.model.unk_token = "<|endoftext|>"; // bytes are never unknown
    file.model.fuse_unk = true;
    file.model.byte_fallback = true;
  });
  // Special tokens need not be in the vocabulary.
  same((file) => {
    delete file.model.vocab["<|endoftext|>"];
  });
});

Deno.test("ignore_merges takes a word that is a token as it is", () => {
  const file = JSON.parse(JSON.stringify(written.cl100k));
  file.model.vocab["zqx"] = 400;
  const encode = () => [...parseTokenizer(JSON.stringify(file)).encode("zqx")];
  assertEquals(encode().length, 3);
  file.model.ignore_merges = true;
  assertEquals(encode(), [400]);
});
