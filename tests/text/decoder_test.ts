import { ByteTokenizer } from "../../lib/text/byte.ts";
import { CharTokenizer } from "../../lib/text/char.ts";
import { assertEquals } from "@std/assert";
import type { BpeTokenizer } from "../../lib/text/bpe.ts";
import { loadTokenizer } from "../../lib/text/load.ts";

const published = new URL("../fixtures/text/published/", import.meta.url);
const llama2 = await loadTokenizer(
  new URL("llama2", published).pathname,
) as BpeTokenizer;

function idsOf(...tokens: string[]): number[] {
  return tokens.map((token) => llama2.vocab.get(token)!);
}

/** What a stream gives for each id, and at its end. */
function pieces(ids: readonly number[]): string[] {
  const stream = llama2.stream();
  return [...ids.map((id) => stream.push(id)), stream.end()];
}

Deno.test("bytes become characters as they are complete", () => {
  const ids = idsOf("▁", "<0xE6>", "<0xBC>", "<0xA2>", "a");
  assertEquals(llama2.decode(ids), "漢a");
  assertEquals(pieces(ids), ["", "", "", "漢", "a", ""]);
});

Deno.test("bytes that are no character do not take others with them", () => {
  const ids = idsOf("a", "<0xC3>", "<0xE6>", "<0xBC>", "<0xA2>", "<0xE6>");
  assertEquals(llama2.decode(ids), "a\ufffd漢\ufffd");
  assertEquals(pieces(ids).join(""), "a\ufffd漢\ufffd");
});

Deno.test("one space is left out at the start of a text, and only there", () => {
  const [space, a] = idsOf("▁", "a");
  assertEquals(llama2.decode([space, space, a, space, a]), " a a");
  assertEquals(pieces([space, space, a, space, a]), [
    "",
    " ",
    "a",
    " ",
    "a",
    "",
  ]);
  assertEquals(pieces([a, space, a]), ["a", " ", "a", ""]);
  assertEquals(llama2.decode([]), "");
  assertEquals(llama2.decode([space]), "");
});

Deno.test("ids beyond the vocabulary are passed over where that is asked for", () => {
  const [space, a] = idsOf("▁", "a");
  const stream = llama2.stream({ skipUnknown: true });
  const ids = [9e5, space, a, -1, space, 9e5, a];
  assertEquals(ids.map((id) => stream.push(id)).join(""), "a a");
  for (
    const tokenizer of [new ByteTokenizer(["<x>"]), new CharTokenizer("ab")]
  ) {
    const stream = tokenizer.stream({ skipUnknown: true });
    const [b] = tokenizer.encode("b");
    assertEquals([257, b, 2 ** 31].map((id) => stream.push(id)).join(""), "b");
  }
});
