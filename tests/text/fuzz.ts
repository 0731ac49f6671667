/**
 * Strings that tokenizers stumble over.
 *
 * @module
 */

import type { Random } from "../../lib/random.ts";

/** Which strings {@linkcode fuzzString} makes. */
export interface FuzzOptions {
  /** Whether halves of surrogate pairs may stand alone; false by default. */
  readonly loneSurrogates?: boolean;
}

/** A string of up to some 40 pieces, each of a kind that has broken tokenizers. */
export function fuzzString(
  random: Random,
  { loneSurrogates = false }: FuzzOptions = {},
): string {
  const pick = (items: readonly string[]) =>
    items[random.integer(items.length)];
  const kinds = loneSurrogates ? [...KINDS, SURROGATES] : KINDS;
  const only = random.integer(3) === 0 ? random.integer(kinds.length) : -1;
  let text = "";
  for (let left = random.integer(40); left > 0; left--) {
    const kind = only >= 0 && random.integer(4) > 0
      ? kinds[only]
      : kinds[random.integer(kinds.length)];
    const piece = kind === ANY
      ? anyCharacter(random)
      : kind === undefined
      ? ""
      : pick(kind);
    text += random.integer(8) === 0
      ? piece.repeat(1 + random.integer(12))
      : piece;
  }
  return loneSurrogates ? text : text.toWellFormed();
}

const ANY: readonly string[] = [];
const SURROGATES = ["\ud83d", "\ude80", "\ud800", "\udfff", "\udbff"];
const KINDS: readonly (readonly string[])[] = [
  ANY,
  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".split(""),
  [
    "the",
    " the",
    "The",
    " and",
    "ing",
    "ly",
    " water",
    "ness",
    "XML",
    "iPhone",
  ],
  [
    "'s",
    "'t",
    "'re",
    "'ve",
    "'m",
    "'ll",
    "'d",
    "'S",
    "'LL",
    "'ſ",
    "’s",
    "'",
    "''",
  ],
  "0123456789".split(""),
  ["½", "²", "٣", "Ⅷ", "१२", "①", "1,000.5", "-3", "0x1F"],
  [" ", "  ", "\t", "\n", "\r\n", "\r", "\n\n", "   \n", "\v", "\f"],
  [
    "\u0085",
    "\u00a0",
    "\ufeff",
    "\u1680",
    "\u180e",
    "\u2003",
    "\u2028",
    "\u2029",
    "\u200b",
    "\u202f",
    "\u3000",
  ],
  ["\0", "\x01", "\x1b", "\x1c", "\x1f", "\x7f", "\u009f", "\u00ad"],
  ["é", "e\u0301", "ß", "İ", "ı", "Å", "ﬀ", "Ω", "Ñ", "ǅ", "ʰ", "ª"],
  [
    "\u0301",
    "\u0323",
    "\u0345",
    "\u030a",
    "\u3099",
    "\u0338",
    "\u0f71",
    "\ufe0f",
    "\u{1e136}",
    "\u{113c2}",
  ],
  [
    "가",
    "ᄀ",
    "ᅡ",
    "ᆨ",
    "が",
    "Å",
    "①",
    "ﷺ",
    "㎏",
    "ﾊﾟ",
    "ﬃ",
    "한글",
    "\u{1109a}",
  ],
  ["漢", "字", "日本", "語", "かな", "カ", "한국", "어", "。", "「"],
  ["שלום", "مرحبا", "हिन्दी", "ไทย", "தமிழ்", "Привет", "Ελλάδα", "ქართული"],
  [
    "😀",
    "👩‍🚀",
    "👍🏽",
    "🇩🇪",
    "❤️",
    "🏴‍☠️",
    "𝔘",
    "𠮷",
    "\u{10ffff}",
    "\ufffd",
    "\uffff",
  ],
  [
    "!",
    "?",
    "...",
    "--",
    "(",
    ")",
    "#",
    "_",
    "/",
    "//",
    "\\",
    '"',
    "=>",
    "€",
    "™",
  ],
  ["<|endoftext|>", "<|", "|>", "<|endoftext", "<|fim_prefix|>"],
];

function anyCharacter(random: Random): string {
  const ranges = [0x80, 0x800, 0x10000, 0x110000];
  return String.fromCodePoint(random.integer(ranges[random.integer(4)]));
}
