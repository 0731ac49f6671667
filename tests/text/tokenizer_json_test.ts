import { assert, assertEquals, assertThrows } from "@std/assert";
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
  const same = (change: (file: Json) => void) => {
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
    file.added_tokens[0].normalized = true;
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

// deno-lint-ignore no-explicit-any
type Json = any; // a file that a test is about to break

Deno.test("what changes ids and is not supported is refused by name", () => {
  const split = (change: (step: Json) => void) => (file: Json) => {
    file.pre_tokenizer = {
      type: "Sequence",
      pretokenizers: [
        {
          type: "Split",
          pattern: { Regex: "a" },
          behavior: "Isolated",
          invert: false,
        },
        { type: "ByteLevel", add_prefix_space: false, use_regex: false },
      ],
    };
    change(file.pre_tokenizer.pretokenizers);
  };
  refuses([
    [
      (f) => f.normalizer = { type: "NFC" },
      'normalizer "NFC" is not supported',
    ],
    [(f) => f.truncation = { max_length: 9 }, "truncation "],
    [(f) => f.padding = { strategy: "BatchLongest" }, "padding "],
    [
      (f) => f.post_processor = { type: "TemplateProcessing" },
      "post_processor is TemplateProcessing, which is not supported",
    ],
    [(f) => f.decoder = { type: "Metaspace" }, "decoder is Metaspace, which"],
    [(f) => f.decoder = null, "decoder is null, expected ByteLevel or Fuse"],
    [(f) => f.model.type = "WordPiece", "model is WordPiece, which"],
    [(f) => f.model.dropout = 0.1, "model.dropout 0.1 is not supported"],
    [(f) => f.model.unk_token = "<unk>", 'unk_token "<unk>" is not supported'],
    [(f) => f.model.byte_fallback = true, "model.byte_fallback is true"],
    [(f) => f.model.end_of_word_suffix = "</w>", "model.end_of_word_suffix is"],
    [
      (f) => f.model.continuing_subword_prefix = "##",
      "model.continuing_subword_prefix is",
    ],
    [
      (f) => f.pre_tokenizer = { type: "Metaspace" },
      "pre_tokenizer is Metaspace",
    ],
    [(f) => f.pre_tokenizer = null, "pre_tokenizer is null"],
    [
      (f) => f.pre_tokenizer.add_prefix_space = true,
      "pre_tokenizer.add_prefix_space is true, expected false",
    ],
    [(f) => f.added_tokens[0].lstrip = true, "added_tokens[0].lstrip is true"],
    [
      (f) => f.added_tokens[1].special = false,
      "added_tokens[1].special is false",
    ],
    [(f) => f.extra = 1, "extra is not known here"],
    [(f) => f.model.extra = 1, "model.extra is not known here"],
    [split((s) => s.pop()), "expected the steps Split and ByteLevel"],
    [split((s) => s[0].type = "Digits"), "pretokenizers[0] is Digits, which"],
    [
      split((s) => s[0].behavior = "Removed"),
      'behavior is "Removed", expected',
    ],
    [split((s) => s[0].invert = true), "pretokenizers[0].invert is true"],
    [
      split((s) => s[0].pattern = { String: "a" }),
      "pattern.String is not known",
    ],
    [split((s) => s[1].use_regex = true), "pretokenizers[1].use_regex is true"],
    [
      split((s) => delete s[1].use_regex),
      "use_regex is missing, expected false",
    ],
    [
      split((s) => s[0].pattern.Regex = "\\w+"),
      "\\w has no exact equal in JavaScript",
    ],
  ]);
});

Deno.test("a malformed file is refused, with the place", () => {
  refuses([
    ["", "not JSON: Unexpected end of JSON input"],
    ['{"version": "1.0",}', "not JSON: Expected double-quoted property name"],
    ['{"a":\n\n oops}', "not JSON: Unexpected token 'o'"],
    ["null", "the file is null, expected an object"],
    ["[]", "the file is [], expected an object"],
    [(f) => f.version = "2.0", 'version is "2.0", expected "1.0"'],
    [(f) => delete f.model, "model is missing, expected BPE"],
    [(f) => f.model = 5, "model is 5, expected an object"],
    [(f) => f.model.vocab = [], "model.vocab is [], expected an object"],
    [(f) => f.model.vocab.a = "1", 'model.vocab.a is "1", expected a whole'],
    [(f) => f.model.vocab.a = 1.5, "model.vocab.a is 1.5, expected a whole"],
    [(f) => f.model.vocab["!"] = -1, 'model.vocab."!" is -1, expected a whole'],
    [(f) => f.model.vocab.a = 1e9, 'token "a" has id 1000000000, expected'],
    [(f) => f.model.vocab.a = 5, "has id 5, which another has too"],
    [(f) => delete f.model.vocab.a, "1 of the 256 bytes have no token"],
    [(f) => f.model.vocab["a b"] = 400, 'token "a b" (id 400) is not written'],
    [
      (f) => delete f.model.merges,
      "model.merges is missing, expected an array",
    ],
    [(f) => f.model.merges[3] = "ab", 'model.merges[3] is "ab", expected two'],
    [
      (f) => f.model.merges[3] = ["a"],
      'model.merges[3] is ["a"], expected two',
    ],
    [(f) => f.model.merges[3] = ["a", 1], "model.merges[3][1] is 1, expected"],
    [(f) => f.model.merges[3] = 7, "model.merges[3] is 7, expected an array"],
    [(f) => f.model.merges[3] = "z z", 'merge 3 is "z" with "z", but "zz" is'],
    [(f) => f.model.merges[9] = f.model.merges[8], "which merge 8 is too"],
    [
      (f) => f.model.ignore_merges = 1,
      "model.ignore_merges is 1, expected true",
    ],
    [(f) => f.added_tokens = {}, "added_tokens is {}, expected an array"],
    [(f) => delete f.added_tokens[0].id, "added_tokens[0].id is missing"],
    [(f) => f.added_tokens[0].content = 1, "added_tokens[0].content is 1"],
    [(f) => f.added_tokens[0].content = "", 'Cannot make "" a special token'],
    [(f) => f.added_tokens[0].id = 3, "has id 3, but 398 in the vocabulary"],
    [
      (f) => f.added_tokens[1] = f.added_tokens[0],
      "added_tokens[1] has a text that another has too",
    ],
  ]);

  const chars = JSON.stringify(new CharTokenizer("abc"));
  refuses([
    [
      (f) => f.model.vocab.a = 2,
      "model.vocab.c has id 2, expected one below 3",
    ],
    [
      (f) => f.model.vocab.a = 3,
      "model.vocab.a has id 3, expected one below 3",
    ],
    [(f) => f.model.vocab = {}, "no characters"],
    [(f) => f.model.vocab = { ab: 0 }, 'entry 0 is "ab"'],
    [
      (f) => f.model.merges = ["a b"],
      "decoder is Fuse, which is only read for",
    ],
    [
      (f) => f.pre_tokenizer = { type: "ByteLevel" },
      'pre_tokenizer "ByteLevel"',
    ],
  ], chars);
});

type Break = string | ((file: Json) => unknown);

/** Each break makes the file unreadable, for the reason given. */
function refuses(
  cases: [change: Break, why: string][],
  json = JSON.stringify(written.gpt2),
): void {
  for (const [change, why] of cases) {
    const file = JSON.parse(json);
    if (typeof change === "function") change(file);
    const broken = typeof change === "string" ? change : JSON.stringify(file);
    const error = assertThrows(
      () => parseTokenizer(broken, "x/tokenizer.json"),
      SyntaxError,
      why,
    );
    assert(error.message.startsWith("Cannot read x/tokenizer.json: "));
    assert(!error.message.includes("\n"), error.message);
  }
}
