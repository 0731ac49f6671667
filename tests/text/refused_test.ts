import { assert, assertThrows } from "@std/assert";
import { CharTokenizer } from "../../lib/text/char.ts";
import { parseTokenizer } from "../../lib/text/tokenizer_json.ts";
import { trainBpe } from "../../lib/text/train_bpe.ts";

const corpus = await Deno.readTextFile(
  new URL("../fixtures/text/corpus.txt", import.meta.url),
);
const gpt2 = JSON.stringify(trainBpe(corpus, {
  vocabSize: 400,
  specialTokens: ["<|endoftext|>", "<|pad|>"],
}));

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
  const step = (part: string, json: Json) => (file: Json) => file[part] = json;
  const decoders = (...steps: Json[]) => (file: Json) => {
    file.pre_tokenizer = null;
    file.decoder = { type: "Sequence", decoders: steps };
  };
  const replace = { type: "Replace", pattern: { String: "_" }, content: " " };
  const strip = { type: "Strip", content: " ", start: 1, stop: 0 };
  const fuse = { type: "Fuse" };
  refuses([
    [step("normalizer", { type: "BertNormalizer" }), "normalizer is Bert"],
    [
      step("normalizer", { type: "Sequence", normalizers: [{ type: "NFX" }] }),
      "normalizer.normalizers[0] is NFX, which is not supported: expected NFC",
    ],
    [step("normalizer", { type: "NFC", x: 1 }), "normalizer.x is not known"],
    [step("normalizer", { type: "Prepend" }), "normalizer.prepend is missing"],
    [
      step("normalizer", { ...replace, pattern: { Glob: "*" } }),
      "normalizer.pattern.Glob is not known here",
    ],
    [
      step("normalizer", { ...replace, pattern: { String: "" } }),
      'normalizer.pattern.String is "", expected some text',
    ],
    [
      step("normalizer", { ...replace, pattern: { Regex: "^a" } }),
      'normalizer.pattern.Regex is refused: Cannot split by "^a": ^ has no',
    ],
    [step("truncation", { max_length: 9 }), 'truncation {"max_length":9} is'],
    [step("padding", { strategy: "BatchLongest" }), "padding "],
    [
      step("post_processor", { type: "BertProcessing" }),
      "post_processor is BertProcessing, which is not supported",
    ],
    [
      step("post_processor", {
        type: "TemplateProcessing",
        single: [{ SpecialToken: { id: "<s>" } }, { Sequence: { id: "A" } }],
        special_tokens: {},
      }),
      'single[0].SpecialToken.id is "<s>", which is not in special_tokens',
    ],
    [
      step("post_processor", { type: "TemplateProcessing", single: [] }),
      "post_processor.single has no place for the text",
    ],
    [
      step("post_processor", {
        type: "TemplateProcessing",
        single: [{ Sequence: { id: "B" } }],
        special_tokens: {},
      }),
      'single[0].Sequence.id is "B", expected "A"',
    ],
    [step("decoder", { type: "WordPiece" }), "decoder is WordPiece, which"],
    [step("decoder", null), "decoder is null, expected ByteLevel or Replace"],
    [
      step("decoder", { type: "Fuse" }),
      "decoder does not fit the pre_tokenizer: words are made of bytes",
    ],
    [
      decoders({ type: "ByteLevel" }, fuse),
      "decoder has steps beside ByteLevel",
    ],
    [decoders(fuse, replace), "decoder.decoders[1] is Replace, which is not"],
    [
      decoders({ type: "ByteFallback" }, replace),
      "decoder.decoders[1] is Replace, which is not supported here",
    ],
    [decoders(strip), "decoder.decoders[0] is Strip, which is not supported"],
    [
      decoders(fuse, { ...strip, stop: 1 }),
      "decoders[1].stop is 1, expected 0",
    ],
    [
      decoders(fuse, { ...strip, content: "ab" }),
      'decoders[1].content is "ab", expected a single character',
    ],
    [(f) => f.model.type = "WordPiece", "model is WordPiece, which"],
    [(f) => f.model.type = "Unigram", "model is Unigram, which"],
    [(f) => f.model.dropout = 0.1, "model.dropout 0.1 is not supported"],
    [(f) => f.model.end_of_word_suffix = "</w>", "model.end_of_word_suffix is"],
    [
      (f) => f.model.continuing_subword_prefix = "##",
      "model.continuing_subword_prefix is",
    ],
    [step("pre_tokenizer", { type: "Punctuation" }), "is Punctuation, which"],
    [
      step("pre_tokenizer", null),
      "decoder does not fit the pre_tokenizer: words are made of characters",
    ],
    [
      step("pre_tokenizer", {
        type: "Metaspace",
        replacement: "_",
        prepend_scheme: "always",
        add_prefix_space: false,
      }),
      "pre_tokenizer has add_prefix_space false, but prepend_scheme always",
    ],
    [
      step("pre_tokenizer", { type: "Metaspace", replacement: "__" }),
      'pre_tokenizer.replacement is "__", expected a single character',
    ],
    [
      step("pre_tokenizer", { type: "Digits", individual_digits: 1 }),
      "pre_tokenizer.individual_digits is 1, expected true or false",
    ],
    [
      (f) => f.added_tokens[0].lstrip = 1,
      "added_tokens[0].lstrip is 1, expected true or false",
    ],
    [(f) => f.added_tokens[0].extra = 1, "added_tokens[0].extra is not known"],
    [(f) => f.extra = 1, "extra is not known here"],
    [(f) => f.model.extra = 1, "model.extra is not known here"],
    [split((s) => s.reverse()), "is ByteLevel, which is only supported last"],
    [split((s) => s[0].type = "Whitespace"), "[0] is Whitespace, which"],
    [
      split((s) => s[0].behavior = "Doubled"),
      'behavior is "Doubled", expected "Isolated" or "Removed"',
    ],
    [split((s) => s[0].invert = 0), "pretokenizers[0].invert is 0, expected"],
    [split((s) => s[0].pattern = {}), "pattern.String is missing, expected"],
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
    [(f) => delete f.added_tokens[0].special, "added_tokens[0].special is"],
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
    [(f) => f.model.merges = ["a b"], 'but "ab" is not in the vocabulary'],
    [(f) => f.pre_tokenizer = { type: "ByteLevel" }, "decoder does not fit"],
    [
      (f) => f.model.unk_token = "?",
      'the unknown token "?" is not in it',
    ],
  ], chars);
});

type Break = string | ((file: Json) => unknown);

/** Each break makes the file unreadable, for the reason given. */
function refuses(
  cases: [change: Break, why: string][],
  json = gpt2,
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
