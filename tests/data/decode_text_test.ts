import { assert, assertEquals, assertThrows } from "@std/assert";
import { decodeText } from "../../lib/data/decode_text.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);
const utf8 = (text: string) => new TextEncoder().encode(text);

Deno.test("text is decoded as it is, without its byte order mark", () => {
  assertEquals(
    decodeText(utf8("h\u00e9 \u{1f600}\r\n")),
    "h\u00e9 \u{1f600}\r\n",
  );
  assertEquals(decodeText(utf8("\ufeffx\ufeff")), "x\ufeff");
});

Deno.test("the first invalid byte is named by its offset", () => {
  const cases: [number[], number][] = [
    [[0x80], 0],
    [[0x41, 0xff], 1],
    [[0x41, 0xc3, 0xa9, 0xc3], 3],
    [[0x41, 0xc3, 0x28], 1],
    [[0xc0, 0x80], 0],
    [[0xc1, 0xbf], 0],
    [[0x41, 0xe0, 0x80, 0x80], 1],
    [[0x41, 0xed, 0xa0, 0x80], 1],
    [[0x41, 0xf0, 0x80, 0x80, 0x80], 1],
    [[0xf0, 0x9f, 0x98, 0x80, 0xf4, 0x90, 0x80, 0x80], 4],
    [[0xf5, 0x80, 0x80, 0x80], 0],
    [[0x41, 0xf0, 0x9f, 0x98], 1],
    [[0xef, 0xbb, 0xbf, 0x41, 0xe9, 0x20], 4],
  ];
  for (const [values, offset] of cases) {
    assertThrows(
      () => decodeText(bytes(...values)),
      TypeError,
      `byte ${offset} (0x`,
    );
  }
});

Deno.test("every damaged byte of valid text is found", () => {
  const text = utf8("a\u00e9\u0800\ud7ff\ue000\uffff\u{10000}\u{10ffff}z");
  assertEquals(utf8(decodeText(text)), text);
  for (let at = 0; at < text.length; at++) {
    const damaged = text.slice();
    damaged[at] = 0xff;
    const error = assertThrows(() => decodeText(damaged), TypeError);
    const offset = Number(/byte (\d+)/.exec(error.message)![1]);
    // The character that the damage lies in begins at most 3 bytes before.
    if (offset > 0) decodeText(damaged.slice(0, offset));
    assert(offset <= at && offset > at - 4);
  }
});

Deno.test("other encodings, binary files and empty ones are refused", () => {
  const refused: [Uint8Array, string][] = [
    [bytes(0xff, 0xfe, 0x41, 0), "UTF-16"],
    [bytes(0xfe, 0xff, 0, 0x41), "UTF-16"],
    [bytes(0xff, 0xfe, 0, 0, 0x41, 0, 0, 0), "UTF-32"],
    [bytes(0, 0, 0xfe, 0xff), "UTF-32"],
    [bytes(0x41, 0x42, 0, 0x43), "byte 2 is NUL"],
    [bytes(), "it is empty"],
    [bytes(0xef, 0xbb, 0xbf), "it is empty"],
  ];
  for (const [data, why] of refused) {
    assertThrows(() => decodeText(data), TypeError, why);
  }
});
