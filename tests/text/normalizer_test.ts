import { assertEquals } from "@std/assert";
import { JsonCursor } from "../../lib/text/json_cursor.ts";
import { readNormalizer } from "../../lib/text/normalizer.ts";

function normalize(step: unknown, text: string): string {
  const cursor = JsonCursor.parse(JSON.stringify(step), "a test");
  return readNormalizer(cursor)!.normalize(text);
}

Deno.test("Unicode's forms are those of Hugging Face's version of Unicode", () => {
  const forms = (text: string) =>
    ["NFC", "NFD", "NFKC", "NFKD"].map((type) => normalize({ type }, text));
  assertEquals(forms("é"), ["é", "e\u0301", "é", "e\u0301"]);
  assertEquals(forms("ﬁ①"), ["ﬁ①", "ﬁ①", "fi1", "fi1"]);
  // A mark of Unicode 12 does not move past one before it, as it would today.
  const marks = "a\u0345\u{1e130}";
  assertEquals(marks.normalize("NFD") === marks, false);
  assertEquals(forms(marks), [marks, marks, marks, marks]);
  // Nor do letters of Unicode 16 compose.
  const letters = "\u{16d67}\u{16d67}e\u0301";
  assertEquals(forms(letters)[0], "\u{16d67}\u{16d67}é");
  assertEquals(normalize({ type: "NFC" }, "\ud800e\u0301"), "\ud800é");
});

Deno.test("texts are replaced and begun, one step after another", () => {
  const prepend = { type: "Prepend", prepend: "▁" };
  const replace = { type: "Replace", pattern: { String: " " }, content: "▁" };
  const sequence = { type: "Sequence", normalizers: [prepend, replace] };
  assertEquals(normalize(sequence, "a b "), "▁a▁b▁");
  assertEquals(normalize(sequence, ""), "");
  const digits = { Regex: String.raw`\p{N}+` };
  const step = { type: "Replace", pattern: digits, content: "$&." };
  assertEquals(normalize(step, "a12b3"), "a$&.b$&.");
});
