/**
 * How the texts of tokens become text, as a tokenizer.json says it.
 *
 * @module
 */

import { alphabetToBytes } from "./byte_alphabet.ts";
import type { JsonCursor } from "./json_cursor.ts";
import { readPattern } from "./pattern.ts";
import { stepType } from "./step.ts";
import { byteLevelForm, type StepJson } from "./tokenizer_form.ts";
import { stringToBytes } from "./wtf8.ts";

/** Turns tokens into the bytes of a text. */
export interface Decoder {
  /** The bytes of a token, or undefined if it is not written as it must be. */
  bytesOf(token: string): Uint8Array | undefined;
  /** The bytes of the token that a text begins with, where it is special there. */
  readonly firstBytesOf?: (token: string) => Uint8Array;
  /** A character, and how many of it at most are left out at the start of a text. */
  readonly strip?: Strip;
  /** The decoder of a Hugging Face tokenizer.json. */
  toJSON(): StepJson;
}

/** What is left out at the start of a text. */
export interface Strip {
  /** The character. */
  readonly char: string;
  /** How many of it at most. */
  readonly count: number;
}

/** Token texts are bytes in GPT-2's alphabet. */
export const BYTE_LEVEL: Decoder = {
  bytesOf: alphabetToBytes,
  toJSON: () => byteLevelForm(true),
};

/** Reads the decoder of a tokenizer.json. */
export function readDecoder(step: JsonCursor): Decoder {
  const type = stepType(step, ...TYPES, "Sequence");
  const steps = type === "Sequence" ? step.at("decoders").elements() : [step];
  if (steps.some((step) => stepType(step, ...TYPES) === "ByteLevel")) {
    if (steps.length > 1) throw step.refused("has steps beside ByteLevel");
    return BYTE_LEVEL;
  }
  mustBeInOrder(steps);

  const changes: Change[] = [];
  let isFallback = false;
  let strip: Strip | undefined;
  for (const step of steps) {
    const type = step.at("type").value;
    if (type === "Replace") changes.push(readReplace(step));
    if (type === "Metaspace") changes.push(readMetaspace(step));
    if (type === "ByteFallback") isFallback = true;
    if (type === "Strip") strip = readStrip(step);
  }
  const bytesOf = (token: string, first = false) => {
    const text = changes.reduce((text, step) => step(text, first), token);
    const byte = isFallback ? BYTE_TOKEN.exec(text) : null;
    return byte ? Uint8Array.of(parseInt(byte[1], 16)) : stringToBytes(text);
  };
  return {
    bytesOf: (token) => bytesOf(token),
    firstBytesOf: (token) => bytesOf(token, true),
    strip,
    toJSON: () => step.value as StepJson,
  };
}

/** The token that stands for a byte that has no other. */
export function byteToken(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
}

const BYTE_TOKEN = /^<0x([0-9a-f]{2})>$/i;

const TYPES = [
  "ByteLevel",
  "Replace",
  "Metaspace",
  "ByteFallback",
  "Fuse",
  "Strip",
] as const;

/** The text that a token stands for; `first` says that it is the first token. */
type Change = (token: string, first: boolean) => string;

/**
 * Checks that the steps can be taken token by token: changes of a token's text,
 * then bytes, then Fuse, and Strip only of the fused text.
 */
function mustBeInOrder(steps: readonly JsonCursor[]): void {
  const order = ["Replace", "ByteFallback", "Fuse", "Strip"];
  let before = -1;
  for (const step of steps) {
    const type = step.at("type").string();
    const place = Math.max(0, order.indexOf(type)); // Metaspace is a Replace
    const follows = type === "Strip" ? before === 2 : place > before;
    if (!follows && !(place === 0 && before <= 0)) {
      throw step.refused(
        `is ${type}, which is not supported here: expected Replace or ` +
          `Metaspace, then ByteFallback, then Fuse, and Strip only after Fuse`,
      );
    }
    before = place;
  }
}

function readReplace(step: JsonCursor): Change {
  step.only("type", "pattern", "content");
  const pattern = readPattern(step.at("pattern"));
  const content = step.at("content").string();
  return (token) => token.replace(pattern, () => content);
}

function readMetaspace(step: JsonCursor): Change {
  step.only(
    "type",
    "replacement",
    "add_prefix_space",
    "prepend_scheme",
    "split",
  );
  const space = step.at("replacement").character();
  const scheme =
    step.at("prepend_scheme").oneOf("always", "first", "never", undefined) ??
      "always";
  return (token, first) =>
    token.replaceAll(space, first && scheme !== "never" ? "" : " ");
}

function readStrip(step: JsonCursor): Strip {
  step.only("type", "content", "start", "stop");
  if (step.at("stop").count() !== 0) {
    throw step.at("stop").expected("0: only the start of a text is stripped");
  }
  return {
    char: step.at("content").character(),
    count: step.at("start").count(),
  };
}
