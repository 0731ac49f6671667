/**
 * Reading Hugging Face's tokenizer.json: byte-level BPE, and the character and
 * byte tokenizers that are written here. What would change ids and is not
 * supported is refused by its name. Writing is each tokenizer's `toJSON`.
 *
 * @module
 */

import { BpeTokenizer } from "./bpe.ts";
import { BYTE_CHARACTERS } from "./byte_alphabet.ts";
import { ByteTokenizer } from "./byte.ts";
import { CharTokenizer } from "./char.ts";
import { JsonCursor } from "./json_cursor.ts";
import { SplitPattern } from "./split_pattern.ts";
import type { Tokenizer } from "./tokenizer.ts";

/**
 * The tokenizer of a tokenizer.json's text; `source` is what errors call it.
 * Throws a SyntaxError on a malformed or unsupported file.
 */
export function parseTokenizer(
  json: string,
  source = "tokenizer.json",
): Tokenizer {
  const file = JsonCursor.parse(json, source);
  file.only(
    "version",
    "truncation",
    "padding",
    "added_tokens",
    "normalizer",
    "pre_tokenizer",
    "post_processor",
    "decoder",
    "model",
  );
  file.at("version").oneOf("1.0");
  for (const part of ["truncation", "padding", "normalizer"]) {
    mustBeAbsent(file.at(part));
  }
  if (!file.at("post_processor").absent) {
    stepType(file.at("post_processor"), "ByteLevel");
  }

  const specialTokens = readSpecialTokens(file.at("added_tokens"));
  const model = readModel(file.at("model"));
  const decoder = stepType(file.at("decoder"), "ByteLevel", "Fuse");
  try {
    if (decoder === "Fuse") return charTokenizer(file, model, specialTokens);
    const pattern = readPattern(file.at("pre_tokenizer"));
    return byteTokenizer(model, specialTokens, pattern) ??
      new BpeTokenizer({ ...model, specialTokens, pattern });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new SyntaxError(`Cannot read ${source}: ${error.message}`);
  }
}

interface Model {
  readonly vocab: ReadonlyMap<string, number>;
  readonly merges: readonly (readonly [string, string])[];
  readonly ignoreMerges: boolean;
}

function readModel(model: JsonCursor): Model {
  stepType(model, "BPE");
  model.only(
    "type",
    "dropout",
    "unk_token",
    "continuing_subword_prefix",
    "end_of_word_suffix",
    "fuse_unk",
    "byte_fallback",
    "ignore_merges",
    "vocab",
    "merges",
  );
  mustBeAbsent(model.at("dropout"));
  mustBeAbsent(model.at("unk_token"));
  model.at("continuing_subword_prefix").oneOf(undefined, "");
  model.at("end_of_word_suffix").oneOf(undefined, "");
  model.at("fuse_unk").boolean(false); // there are no unknown tokens to fuse
  model.at("byte_fallback").oneOf(undefined, false);
  return {
    vocab: new Map(
      model.at("vocab").entries().map(([text, id]) => [text, id.count()]),
    ),
    merges: model.at("merges").elements().map(readMerge),
    ignoreMerges: model.at("ignore_merges").boolean(false),
  };
}

function readMerge(merge: JsonCursor): readonly [string, string] {
  const parts = typeof merge.value === "string"
    ? merge.value.split(" ")
    : merge.elements().map((part) => part.string());
  if (parts.length === 2) return [parts[0], parts[1]];
  throw merge.expected(`two tokens: "left right" or ["left", "right"]`);
}

function readSpecialTokens(tokens: JsonCursor): ReadonlyMap<string, number> {
  const ids = new Map<string, number>();
  for (const token of tokens.absent ? [] : tokens.elements()) {
    const text = token.at("content").string();
    for (const flag of ["single_word", "lstrip", "rstrip"]) {
      token.at(flag).oneOf(undefined, false);
    }
    token.at("normalized").boolean(false); // there is no normalizer
    token.at("special").oneOf(true);
    if (ids.has(text)) throw token.refused("has a text that another has too");
    ids.set(text, token.at("id").count());
  }
  return ids;
}

function readPattern(step: JsonCursor): SplitPattern {
  if (step.absent) throw step.expected("ByteLevel, or Split and ByteLevel");
  if (stepType(step, "ByteLevel", "Sequence") === "ByteLevel") {
    step.at("add_prefix_space").oneOf(false);
    return new SplitPattern(
      step.at("use_regex").boolean(true) ? "gpt2" : "none",
    );
  }

  const steps = step.at("pretokenizers").elements();
  if (steps.length !== 2) throw step.expected("the steps Split and ByteLevel");
  const [split, bytes] = steps;
  stepType(split, "Split");
  split.at("behavior").oneOf("Isolated");
  split.at("invert").oneOf(false);
  split.at("pattern").only("Regex");
  stepType(bytes, "ByteLevel");
  bytes.at("add_prefix_space").oneOf(false);
  bytes.at("use_regex").oneOf(false);
  return new SplitPattern({ regex: split.at("pattern").at("Regex").string() });
}

/** The byte tokenizer, if this is its form. */
function byteTokenizer(
  { vocab, merges }: Model,
  specialTokens: ReadonlyMap<string, number>,
  pattern: SplitPattern,
): ByteTokenizer | undefined {
  const special = [...specialTokens].sort(([, a], [, b]) => a - b);
  const isForm = pattern.name === "none" && merges.length === 0 &&
    BYTE_CHARACTERS.every((char, byte) => vocab.get(char) === byte) &&
    special.every(([text, id], i) =>
      id === 256 + i && (vocab.get(text) ?? id) === id
    );
  if (!isForm) return undefined;
  return new ByteTokenizer(special.map(([text]) => text));
}

function charTokenizer(
  file: JsonCursor,
  { vocab, merges }: Model,
  specialTokens: ReadonlyMap<string, number>,
): CharTokenizer {
  mustBeAbsent(file.at("pre_tokenizer"));
  if (specialTokens.size > 0 || merges.length > 0) {
    throw file.at("decoder").refused(
      "is Fuse, which is only read for characters: " +
        "without merges or special tokens",
    );
  }
  const characters: string[] = [];
  for (const [char, id] of vocab) {
    if (id >= vocab.size || characters[id] !== undefined) {
      throw file.at("model").at("vocab").at(char).refused(
        `has id ${id}, expected one below ${vocab.size} that no other has`,
      );
    }
    characters[id] = char;
  }
  return new CharTokenizer(characters);
}

/** The type of a step, which must be one of those given. */
function stepType<const T extends string>(step: JsonCursor, ...types: T[]): T {
  const type = step.absent ? step : step.at("type");
  if (types.includes(type.value as T)) return type.value as T;
  throw typeof type.value === "string"
    ? step.refused(
      `is ${type.value}, which is not supported: expected ${
        types.join(" or ")
      }`,
    )
    : step.expected(types.join(" or "));
}

function mustBeAbsent(step: JsonCursor): void {
  if (step.absent) return;
  const { value } = step;
  const type = typeof value === "object" && value !== null && "type" in value
    ? value.type
    : value;
  throw step.refused(`${JSON.stringify(type)} is not supported, expected null`);
}
