/**
 * Encoding and training on a megabyte of English, beside tiktoken.
 *
 *     deno bench --allow-read bench/tokenizer.ts
 *
 * @module
 */

import { get_encoding } from "npm:tiktoken@1.0.22";
import { gpt2Tokenizer } from "../lib/text/gpt2.ts";
import { trainBpe } from "../lib/text/train_bpe.ts";

const text = await Deno.readTextFile(
  new URL("../../shared/data/tinyshakespeare.txt", import.meta.url),
).catch(() => null);
const gpt2 = await gpt2Tokenizer();
const tiktoken = get_encoding("gpt2");
const letters = "a".repeat(1_000_000);

if (text === null) {
  console.error("skipped: ../shared/data/tinyshakespeare.txt is not there");
} else {
  const ids = gpt2.encode(text);

  Deno.bench(
    "ours",
    { group: "encode 1.1 MB as GPT-2", baseline: true },
    () => {
      gpt2.encode(text);
    },
  );
  Deno.bench("tiktoken", { group: "encode 1.1 MB as GPT-2" }, () => {
    tiktoken.encode(text, [], []);
  });
  Deno.bench("ours", { group: "decode 338,025 ids", baseline: true }, () => {
    gpt2.decode(ids);
  });
  Deno.bench("tiktoken", { group: "decode 338,025 ids" }, () => {
    new TextDecoder().decode(tiktoken.decode(ids));
  });
  for (const vocabSize of [1024, 4096, 12_000]) {
    Deno.bench(`to ${vocabSize} ids`, { group: "train on 1.1 MB" }, () => {
      trainBpe(text, { vocabSize });
    });
  }
}

Deno.bench("one word of 1,000,000 letters", () => {
  gpt2.encode(letters);
});
Deno.bench("load GPT-2's vocabulary", async () => {
  await gpt2Tokenizer();
});
