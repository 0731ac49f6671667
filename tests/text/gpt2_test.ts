import { assert, assertEquals, assertThrows } from "@std/assert";
import { get_encoding } from "npm:tiktoken@1.0.22";
import { Random } from "../../lib/random.ts";
import { formatGpt2Files, parseGpt2Files } from "../../lib/text/gpt2_files.ts";
import { gpt2Tokenizer } from "../../lib/text/gpt2.ts";
import { loadTokenizer } from "../../lib/text/load.ts";
import { partsFromRanks } from "../../lib/text/ranks.ts";
import { trainBpe } from "../../lib/text/train_bpe.ts";
import { fuzzString } from "./fuzz.ts";

const shared = new URL("../../../shared/data/", import.meta.url);
const gpt2 = await gpt2Tokenizer();

function isMissing(path: URL): boolean {
  try {
    Deno.statSync(path);
    return false;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    throw error;
  }
}

Deno.test("GPT-2's ids are tiktoken's on 10,000 awkward strings", () => {
  const tiktoken = get_encoding("gpt2");
  const random = new Random(1337);
  for (let i = 0; i < 10_000; i++) {
    const text = fuzzString(random);
    const expected = tiktoken.encode(text, [], []);
    const ids = gpt2.encode(text);
    if (ids.join() !== expected.join()) assertEquals(ids, expected, text);
    assertEquals(gpt2.decode(ids), text);
    if (i % 10 > 0) continue;
    assertEquals(
      gpt2.encode(text, { allowedSpecial: "all" }),
      tiktoken.encode(text, "all"),
    );
  }
  tiktoken.free();
});

Deno.test("GPT-2 has 50,257 ids, the last for the end of a text", () => {
  assertEquals(gpt2.vocabSize, 50_257);
  assertEquals([...gpt2.specialTokens], [["<|endoftext|>", 50_256]]);
  const text = "Hello, world!<|endoftext|>";
  assertEquals([...gpt2.encode("Hello, world!")], [15496, 11, 995, 0]);
  assertEquals(
    [...gpt2.encode(text, { allowedSpecial: "all" })],
    [15496, 11, 995, 0, 50256],
  );
  assertEquals([...gpt2.encode(text)].includes(50256), false);
});

const verdict = new URL("the-verdict.txt", shared);

Deno.test({
  name: "The Verdict is 5145 GPT-2 tokens",
  ignore: isMissing(verdict),
  async fn() {
    const text = await Deno.readTextFile(verdict);
    const ids = gpt2.encode(text);
    assertEquals(ids.length, 5145);
    assertEquals(gpt2.decode(ids), text);
  },
});

const published = new URL("gpt2-tokenizer/", shared);

Deno.test({
  name: "GPT-2's own files are the same tokenizer, read and written",
  ignore: isMissing(published),
  async fn() {
    const fromFiles = await loadTokenizer(published.pathname);
    assertEquals(JSON.stringify(fromFiles), JSON.stringify(gpt2));
    const { vocab, merges } = formatGpt2Files(gpt2);
    const file = (name: string) => Deno.readTextFile(new URL(name, published));
    assertEquals(JSON.parse(vocab), JSON.parse(await file("vocab.json")));
    assertEquals(merges.trimEnd(), (await file("merges.txt")).trimEnd());
  },
});

Deno.test("the two files keep a trained tokenizer", () => {
  const tokenizer = trainBpe("she sells sea shells, she sells sea shells", {
    vocabSize: 266,
    specialTokens: ["<|endoftext|>"],
  });
  const files = formatGpt2Files(tokenizer);
  const [version, first] = files.merges.split("\n");
  assertEquals([version, first], ["#version: 0.2", "Ġ s"]);
  const again = parseGpt2Files(files);
  assertEquals(JSON.stringify(again), JSON.stringify(tokenizer));
  const windows = {
    ...files,
    merges: files.merges.replaceAll("\n", "\r\n"),
  };
  assertEquals(JSON.stringify(parseGpt2Files(windows)), JSON.stringify(again));

  const other = trainBpe("", { vocabSize: 256, pattern: "cl100k" });
  assertThrows(() => formatGpt2Files(other), RangeError, "pattern cl100k");
});

Deno.test("malformed files are refused, with the place", () => {
  const { vocab, merges } = formatGpt2Files(
    trainBpe("abcabcabc", { vocabSize: 258 }),
  );
  const cases: [vocab: string, merges: string, why: string][] = [
    ["{", merges, "Cannot read x/vocab.json: not JSON"],
    ["[]", merges, "x/vocab.json: the file is [], expected an object"],
    [
      vocab.replace("256", '"256"'),
      merges,
      'vocab.json: ab is "256", expected',
    ],
    [vocab.replace("256", "-1"), merges, "vocab.json: ab is -1, expected"],
    [vocab.replace("256", "7"), merges, "has id 7, which another has too"],
    ["{}", "", "256 of the 256 bytes have no token"],
    [vocab, `${merges}a\n`, 'merges.txt: line 4 is "a", expected two tokens'],
    [vocab, `${merges}a b c\n`, 'x/merges.txt: line 4 is "a b c"'],
    [vocab, `${merges}\na b\n`, 'x/merges.txt: line 4 is ""'],
    [vocab, `${merges}a  b\n`, 'x/merges.txt: line 4 is "a  b"'],
    [vocab, `${merges}a x\n`, '"ax" is not in the vocabulary'],
    [vocab, `${merges}a b\n`, 'merge 2 is "a" with "b", which merge 0 is too'],
  ];
  for (const [vocab, merges, why] of cases) {
    assertThrows(
      () => parseGpt2Files({ vocab, merges }, "x/"),
      SyntaxError,
      why,
    );
  }
});

Deno.test("ranks that no merges explain are refused", () => {
  const bytes = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
  const abc = new TextEncoder().encode("abc");
  assert(partsFromRanks([...bytes, abc.slice(0, 2), abc]).merges.length === 2);
  assertThrows(
    () => partsFromRanks([...bytes, abc]),
    RangeError,
    'Cannot find the merge that makes token 256 ("abc")',
  );
});
