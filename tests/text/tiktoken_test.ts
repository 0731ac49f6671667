import { assert, assertEquals, assertThrows } from "@std/assert";
import { get_encoding, type TiktokenEncoding } from "npm:tiktoken@1.0.22";
import { Random } from "../../lib/random.ts";
import { loadTokenizer } from "../../lib/text/load.ts";
import { parseTiktoken } from "../../lib/text/tiktoken.ts";
import { fuzzString } from "./fuzz.ts";

/** A published rank file, made again from the npm package that packs it. */
async function rankFile(name: string): Promise<string> {
  const { default: { bpe_ranks } } = await import(
    `npm:js-tiktoken@1.0.21/ranks/${name}`
  );
  return bpe_ranks.split("\n").filter((line: string) => line !== "")
    .flatMap((line: string) => {
      const [, first, ...tokens] = line.split(" ");
      return tokens.map((token, i) => `${token} ${Number(first) + i}\n`);
    }).join("");
}

const SHA256: Readonly<Record<string, string>> = {
  r50k_base: "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930",
  p50k_base: "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069",
  cl100k_base:
    "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
  o200k_base:
    "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
};

for (const [name, sha256] of Object.entries(SHA256)) {
  // r50k_base is GPT-2's, which has a test of its own.
  const strings = /^[co]/.test(name) ? 10_000 : 1000;
  Deno.test(`${name}: the ids are tiktoken's on ${strings} awkward strings`, async () => {
    const file = await rankFile(name);
    const bytes = new TextEncoder().encode(file);
    const hash = await crypto.subtle.digest("SHA-256", bytes);
    assertEquals(new Uint8Array(hash).toHex(), sha256);

    const ours = parseTiktoken(file);
    const tiktoken = get_encoding(name as TiktokenEncoding);
    const random = new Random(31);
    for (let i = 0; i < strings; i++) {
      const text = fuzzString(random);
      const all = i % 4 === 0;
      const expected = all
        ? tiktoken.encode(text, "all")
        : tiktoken.encode(text, [], []);
      const ids = ours.encode(text, { allowedSpecial: all ? "all" : [] });
      if (ids.join() !== expected.join()) assertEquals(ids, expected, text);
      if (ours.decode(ids) !== text) assertEquals(ours.decode(ids), text);
    }
    tiktoken.free();
  });
}

Deno.test("a rank file is loaded by its path", async () => {
  const path = await Deno.makeTempFile({ suffix: ".tiktoken" });
  try {
    await Deno.writeTextFile(path, await rankFile("r50k_base"));
    const tokenizer = await loadTokenizer(path);
    assertEquals(tokenizer.vocabSize, 50_257);
    assertEquals([...tokenizer.encode("Hello, world!")], [15496, 11, 995, 0]);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("a malformed rank file is refused, with the line", () => {
  const bytes = Array.from(
    { length: 256 },
    (_, byte) => `${Uint8Array.of(byte).toBase64()} ${byte}`,
  );
  const cases: [lines: string[], why: string][] = [
    [[], "it has 0 tokens, which is none of those known: r50k_base (50256)"],
    [bytes, "it has 256 tokens, which is none of those known"],
    [[...bytes, "YWI="], 'line 257 is "YWI=", expected a token in base64'],
    [[...bytes, "YWI= x"], 'line 257 is "YWI= x", expected'],
    [[...bytes, "", "YWI= 256"], 'line 257 is "", expected'],
    [[...bytes, "YWI= 7"], "line 257 repeats the rank 7"],
    [[...bytes, "YW* 256"], "line 257 has a token that is not base64: YW*"],
    [['{"version": "1.0"}'], "line 1 is"],
  ];
  for (const [lines, why] of cases) {
    const error = assertThrows(
      () => parseTiktoken(lines.map((line) => `${line}\n`).join(""), "x"),
      SyntaxError,
      why,
    );
    assert(error.message.startsWith("Cannot read x: "));
  }
});
