import { assertEquals } from "@std/assert";
import { Random } from "../../lib/random.ts";
import {
  bytesToString,
  ByteStream,
  stringToBytes,
} from "../../lib/text/wtf8.ts";
import { fuzzString } from "./fuzz.ts";

Deno.test("well-formed strings have their UTF-8 bytes", () => {
  const random = new Random(1);
  for (let i = 0; i < 2000; i++) {
    const text = fuzzString(random);
    assertEquals(stringToBytes(text), new TextEncoder().encode(text));
  }
});

Deno.test("a lone surrogate has the three bytes of its code point", () => {
  assertEquals([...stringToBytes("\ud800")], [0xed, 0xa0, 0x80]);
  assertEquals([...stringToBytes("a\udfffb")], [0x61, 0xed, 0xbf, 0xbf, 0x62]);
  assertEquals([...stringToBytes("\ude80\ud83d")].length, 6);
  assertEquals([...stringToBytes("\ud83d\ude80")].length, 4);
});

Deno.test("every string survives the round trip", () => {
  const random = new Random(2);
  for (let i = 0; i < 10_000; i++) {
    const text = fuzzString(random, { loneSurrogates: true });
    assertEquals(bytesToString(stringToBytes(text)), text);
  }
  for (let unit = 0; unit < 0x10000; unit++) {
    const text = String.fromCharCode(unit);
    if (bytesToString(stringToBytes(text)) !== text) {
      throw new Error(`U+${unit.toString(16)} is lost`);
    }
  }
});

Deno.test("bytes that are no characters decode as TextDecoder has them", () => {
  const random = new Random(3);
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  for (let i = 0; i < 5000; i++) {
    const bytes = randomBytes(random);
    const surrogate = bytes.some((byte, at) =>
      byte === 0xed && bytes[at + 1] >= 0xa0 && bytes[at + 1] < 0xc0
    );
    if (!surrogate) assertEquals(bytesToString(bytes), decoder.decode(bytes));
  }
});

Deno.test("a stream gives the same text, wherever the bytes are split", () => {
  const random = new Random(4);
  for (let i = 0; i < 2000; i++) {
    const bytes = i % 2 === 0
      ? randomBytes(random)
      : stringToBytes(fuzzString(random, { loneSurrogates: true }));
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) {
      const end = at + random.integer(6);
      pieces.push(bytes.subarray(at, end));
      at = end;
    }
    const stream = new ByteStream((id) => pieces[id]);
    const texts = pieces.map((_, id) => stream.push(id));
    assertEquals(texts.join("") + stream.end(), bytesToString(bytes));
  }
});

Deno.test("a stream never gives half a character, at any split", () => {
  const random = new Random(5);
  for (let i = 0; i < 1000; i++) {
    const text = ["😀", "👩‍🚀", "é", "漢", "a", "🇩🇪", "\ufeff", "\u0085"]
      .map((char) => char.repeat(random.integer(3))).join("");
    const bytes = stringToBytes(text);
    for (let split = 0; split <= bytes.length; split++) {
      const pieces = [bytes.subarray(0, split), bytes.subarray(split)];
      const stream = new ByteStream((id) => pieces[id]);
      const [first, second] = [stream.push(0), stream.push(1)];
      assertEquals(first + second, text);
      assertEquals(stream.end(), "");
      if (!first.isWellFormed() || first.includes("\ufffd")) {
        throw new Error(`${JSON.stringify(text)} split at ${split}: ${first}`);
      }
    }
  }
});

Deno.test("the end of a stream shows a character that was not finished", () => {
  const bytes = [0x61, 0xf0, 0x9f, 0x98];
  const stream = new ByteStream((id) => Uint8Array.of(bytes[id]));
  assertEquals(bytes.map((_, id) => stream.push(id)), ["a", "", "", ""]);
  assertEquals(stream.end(), "\ufffd");
  assertEquals(stream.end(), "");
});

// Bytes of all lead and continuation kinds, often nearly a character.
function randomBytes(random: Random): Uint8Array<ArrayBuffer> {
  const kinds = [0x41, 0x80, 0xbf, 0xc2, 0xe0, 0xe1, 0xed, 0xf0, 0xf4, 0xff];
  return Uint8Array.from(
    { length: random.integer(12) },
    () =>
      random.integer(2) === 0
        ? 0x80 + random.integer(0x40)
        : random.integer(3) === 0
        ? random.integer(256)
        : kinds[random.integer(kinds.length)],
  );
}
