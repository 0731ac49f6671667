/**
 * What is done to a text before it is cut into words.
 *
 * @module
 */

import type { JsonCursor } from "./json_cursor.ts";
import { readPattern } from "./pattern.ts";
import { stepType } from "./step.ts";
import type { StepJson } from "./tokenizer_form.ts";

/** Changes a text before it is cut. */
export interface Normalizer {
  /** The text as the vocabulary spells it. */
  normalize(text: string): string;
  /** The normalizer of a Hugging Face tokenizer.json. */
  toJSON(): StepJson;
}

/** Reads the normalizer of a tokenizer.json; undefined where it has none. */
export function readNormalizer(step: JsonCursor): Normalizer | undefined {
  if (step.absent) return undefined;
  const normalize = read(step);
  return { normalize, toJSON: () => step.value as StepJson };
}

function read(step: JsonCursor): (text: string) => string {
  const type = stepType(
    step,
    "NFC",
    "NFD",
    "NFKC",
    "NFKD",
    "Prepend",
    "Replace",
    "Sequence",
  );
  if (type === "Sequence") {
    step.only("type", "normalizers");
    const steps = step.at("normalizers").elements().map(read);
    return (text) => steps.reduce((text, step) => step(text), text);
  }
  if (type === "Prepend") {
    step.only("type", "prepend");
    const prefix = step.at("prepend").string();
    return (text) => text === "" ? "" : prefix + text;
  }
  if (type === "Replace") {
    step.only("type", "pattern", "content");
    const pattern = readPattern(step.at("pattern"));
    const content = step.at("content").string();
    return (text) => text.replace(pattern, () => content);
  }
  step.only("type");
  return (text) => normalizeAsHuggingFace(text, type);
}

/**
 * Unicode normalization as of the version of Unicode that Hugging Face's
 * library has (the crate unicode-normalization-alignments), where characters
 * that came later stand for themselves and part what is around them.
 */
function normalizeAsHuggingFace(text: string, form: string): string {
  if (!LATER.test(text)) return text.normalize(form);
  return text.split(LATER)
    .map((part, i) => i % 2 === 0 ? part.normalize(form) : part).join("");
}

// Code points and ranges in hexadecimal. Found by comparing, for each code point,
// what both make of it alone and next to combining marks; and with them the
// young characters that compose.
const LATER = charactersOf(`
  7fd 897-89f 8ca-8d3 9fe c3c d3b-d3c eba 1715 1abf-1ace 1df6-1dfa
  32ff a7f2-a7f4 a82c ab69 105c9 105d2 105da 105e4 10781-10785
  10787-107b0 107b2-107ba 10d24-10d27 10d69-10d6d 10eab-10eac
  10efd-10eff 10f46-10f50 10f82-10f85 11070 1133b 11382-11385 1138b
  1138e 11390-11391 113c2 113c5 113c7-113c8 113ce-113d0 1145e
  11839-1183a 11935 11938 1193d-1193e 11943 119e0 11a34 11a47 11a99
  11d42 11d44-11d45 11d97 11f41-11f42 1611e 16121-16129 1612f 16d63
  16d67-16d6a 16ff0-16ff1 1ccd6-1ccf9 1e030-1e06d 1e08f 1e130-1e136
  1e2ae 1e2ec-1e2ef 1e4ec-1e4ef 1e5ee-1e5ef 1f16c 1fbf0-1fbf9
`);

function charactersOf(ranges: string): RegExp {
  const source = ranges.trim().replace(/[0-9a-f]+/g, "\\u{$&}")
    .replaceAll(/\s/g, "");
  return new RegExp(`([${source}])`, "u");
}
