import { assert, assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { Random } from "../../lib/random.ts";
import type { Tokenizer } from "../../lib/text/tokenizer.ts";
import { loadTokenizer } from "../../lib/text/load.ts";
import { parseTokenizer } from "../../lib/text/tokenizer_json.ts";
import { fuzzString } from "./fuzz.ts";
import { publishedTexts } from "./published_texts.ts";

// Small tokenizers with the pipelines of published models; see
// tests/fixtures/text/make_published.py.
const published = new URL("../fixtures/text/published/", import.meta.url);

interface Family {
  readonly name: string;
  readonly seed: number;
  readonly tokens: readonly string[];
}

interface Digests {
  readonly texts: readonly string[];
  readonly plain: readonly string[];
  readonly special: readonly string[];
  readonly decoded: readonly string[];
}

async function readJson<T>(path: string): Promise<T> {
  return JSON.parse(await Deno.readTextFile(new URL(path, published)));
}

const families: readonly Family[] = await readJson("families.json");
const tokenizers = new Map<string, Tokenizer>();
for (const { name } of families) {
  const folder = new URL(name, published).pathname;
  tokenizers.set(name, await loadTokenizer(folder));
}

function digest(lines: readonly string[]): string {
  const hash = createHash("sha256").update(lines.join("\n"));
  return hash.digest("hex").slice(0, 16);
}

for (const { name, seed, tokens } of families) {
  Deno.test(`${name}: 10,000 texts have Hugging Face's ids, special tokens allowed or not`, async () => {
    const expected = await readJson<Digests>(`${name}/digests.json`);
    const tokenizer = tokenizers.get(name)!;
    const all = { allowedSpecial: "all", addSpecialTokens: true } as const;
    const texts = [...publishedTexts(seed, tokens)];
    for (let block = 0; block < expected.texts.length; block++) {
      const some = texts.slice(100 * block, 100 * block + 100);
      const where = `texts ${100 * block} to ${100 * block + 99}`;
      const ids = some.map((text) => tokenizer.encode(text, all));
      const plain = some.map((text) => tokenizer.encode(text).join(" "));
      const decoded = ids.map((ids) => tokenizer.decode(ids));
      assertEquals(digest(some), expected.texts[block], where);
      assertEquals(digest(plain), expected.plain[block], where);
      assertEquals(
        digest(ids.map((ids) => ids.join(" "))),
        expected.special[block],
        where,
      );
      assertEquals(digest(decoded), expected.decoded[block], where);
    }
  });
}

// deno-lint-ignore no-explicit-any
type Json = any;

for (const { name } of families) {
  Deno.test(`${name}: the file is written as it was read`, async () => {
    const file = await readJson<Json>(`${name}/tokenizer.json`);
    const written = JSON.parse(JSON.stringify(tokenizers.get(name)));
    for (const part of ["normalizer", "pre_tokenizer", "added_tokens"]) {
      assertEquals(written[part], file[part], part);
    }
    // The special tokens need not be in the vocabulary, but may be.
    const added = file.added_tokens.map((
      token: Json,
    ) => [token.content, token.id]);
    assertEquals(written.model.vocab, {
      ...file.model.vocab,
      ...Object.fromEntries(added),
    });
    const pairs = (merges: Json) =>
      merges.map((pair: Json) => Array.isArray(pair) ? pair : pair.split(" "));
    assertEquals(pairs(written.model.merges), pairs(file.model.merges));

    const again = parseTokenizer(JSON.stringify(written));
    const random = new Random(5);
    for (let i = 0; i < 300; i++) {
      const text = fuzzString(random, { loneSurrogates: true });
      const options = {
        allowedSpecial: "all",
        addSpecialTokens: true,
      } as const;
      const ids = tokenizers.get(name)!.encode(text, options);
      assertEquals(again.encode(text, options), ids, text);
      assertEquals(again.decode(ids), tokenizers.get(name)!.decode(ids));
    }
  });
}

Deno.test("texts survive, lone surrogates included, and stream whole", () => {
  const random = new Random(6);
  for (let i = 0; i < 3000; i++) {
    const text = fuzzString(random, { loneSurrogates: true });
    for (const name of ["gpt2", "llama3", "smollm", "llama2", "mistral"]) {
      const tokenizer = tokenizers.get(name)!;
      const ids = tokenizer.encode(text);
      // SentencePiece's mark for a space is a space again.
      const same = ["llama2", "mistral"].includes(name)
        ? text.replaceAll("▁", " ")
        : text;
      // A space is put before a text, unless it begins with one already.
      const kept = name === "mistral" && text.startsWith(" ")
        ? same.slice(1)
        : same;
      if (tokenizer.decode(ids) !== kept) {
        assertEquals(tokenizer.decode(ids), kept, name);
      }
      const stream = tokenizer.stream();
      const pieces = Array.from(ids, (id) => stream.push(id));
      pieces.push(stream.end());
      if (pieces.join("") !== kept) assertEquals(pieces.join(""), kept, name);
    }
  }
});

Deno.test("the text of a special token is plain text unless allowed", () => {
  for (const [name, tokenizer] of tokenizers) {
    const special = new Set(tokenizer.specialTokens.values());
    special.delete(tokenizer.specialTokens.get("<unk>")!); // for the unknown
    const text = [...tokenizer.specialTokens.keys()].join(" and ");
    const found = (options = {}) =>
      [...tokenizer.encode(text, options)].filter((id) => special.has(id));
    assertEquals(found(), [], name);
    assertEquals(new Set(found({ allowedSpecial: "all" })), special, name);
  }
});

Deno.test("a text continues where the ids of its beginning were pushed first", () => {
  for (const name of ["llama2", "mistral", "metaspace", "gpt2"]) {
    const tokenizer = tokenizers.get(name)!;
    const ids = [...tokenizer.encode("The boats and the water")];
    const stream = tokenizer.stream();
    const beginning = ids.slice(0, 3).map((id) => stream.push(id)).join("");
    const rest = ids.slice(3).map((id) => stream.push(id)).join("");
    assertEquals(beginning + rest + stream.end(), tokenizer.decode(ids), name);
    assertEquals(beginning, tokenizer.decode(ids.slice(0, 3)), name);
  }
});

Deno.test("a long word of characters costs nearly as its length", () => {
  const tokenizer = tokenizers.get("llama2")!;
  const [short, long] = [10_000, 160_000].map((length) => "a".repeat(length));
  const time = (text: string) => {
    const start = performance.now();
    tokenizer.encode(text);
    return performance.now() - start;
  };
  time(short);
  // By turns, so that what slows the machine for a while slows both.
  const times = Array.from({ length: 8 }, () => [time(short), time(long)]);
  const [least, most] = [0, 1].map((which) =>
    Math.min(...times.map((pair) => pair[which]))
  );
  // 16 times the length: 16 times as long if linear, 256 times if quadratic.
  const growth = most / least;
  assert(growth < 80, `16 times the letters took ${growth} times as long`);
});
