import { assertEquals } from "@std/assert";
import { ByteTokenizer } from "../../lib/text/byte.ts";
import { maskedPieces, showMask } from "../../lib/text/shown_mask.ts";

const tokenizer = new ByteTokenizer(["<|endoftext|>"]);

/** A text of which what is after `from` is learned. */
function piecesOf(text: string, from: number) {
  const ids = tokenizer.encode(text, { allowedSpecial: "all" });
  const learned = Uint8Array.from(ids, (_, i) => i >= from ? 1 : 0);
  return maskedPieces(tokenizer, { ids, learned });
}

Deno.test("each token has its text, where it completes a character", () => {
  assertEquals(piecesOf("aé<|endoftext|>", 1), [
    { text: "a", learned: false },
    { text: "", learned: true },
    { text: "é", learned: true },
    { text: "<|endoftext|>", learned: true },
  ]);
  const half = { ids: Uint32Array.of(97, 0xc3), learned: Uint8Array.of(0, 1) };
  assertEquals(maskedPieces(tokenizer, half).at(-1), {
    text: "\ufffd",
    learned: true,
  });
});

Deno.test("without colours, brackets hold what is learned", () => {
  assertEquals(
    showMask(piecesOf("ab\ncd\n", 3), { color: false }),
    "ab⏎\n⟦cd⏎\n⟧",
  );
  assertEquals(showMask(piecesOf("ab", 2), { color: false }), "ab");
  const mixed = [true, false, true].map((learned) => ({ text: "x", learned }));
  assertEquals(showMask(mixed, { color: false }), "⟦x⟧x⟦x⟧");
});

Deno.test("colours part tokens from each other, and never span lines", () => {
  const shown = showMask(piecesOf("a\nbc\n", 2), { color: true });
  const lines = shown.split("\n");
  assertEquals(lines.length, 3);
  // deno-lint-ignore no-control-regex -- these are the colours
  const codes = [...shown.matchAll(/\x1b\[([\d;]+)m([^\x1b]*)/g)]
    .map(([, code, text]) => [code, text.trim()]);
  const off = ["0", ""];
  const colored = codes.filter(([code]) => code !== "0");
  assertEquals(codes.length, 2 * colored.length);
  assertEquals(codes[1], off);
  assertEquals(colored.map(([, text]) => text).join(""), "a⏎bc⏎");
  const shades = colored.map(([code]) => code);
  assertEquals(new Set(shades.slice(0, 2)).size, 2);
  assertEquals(new Set(shades).size, 4);
});

Deno.test("a text cannot command the terminal, nor fill it", () => {
  const shown = showMask(piecesOf("\x1b[31m\r\x07\t", 9), { color: false });
  assertEquals(shown, "\\x1b[31m\\x0d\\x07\t");
  assertEquals(
    showMask(piecesOf("abcdefgh", 3), { color: false, most: 4 }),
    "ab\n… 4 more tokens …\n⟦gh⟧",
  );
});
