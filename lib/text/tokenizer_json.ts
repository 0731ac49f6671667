/**
 * Reading Hugging Face's tokenizer.json: BPE of bytes or characters, and the
 * character and byte tokenizers that are written here. What would change ids
 * and is not supported is refused by its name. Writing is each tokenizer's
 * `toJSON`.
 *
 * @module
 */

import type { AddedToken } from "./added_tokens.ts";
import { BpeTokenizer } from "./bpe.ts";
import type { BpeParts } from "./bpe_vocabulary.ts";
import { BYTE_CHARACTERS } from "./byte_alphabet.ts";
import { ByteTokenizer } from "./byte.ts";
import { CharTokenizer } from "./char.ts";
import type { CharacterOptions } from "./character_symbols.ts";
import { BYTE_LEVEL, readDecoder } from "./decoder.ts";
import { JsonCursor } from "./json_cursor.ts";
import { readNormalizer } from "./normalizer.ts";
import { readPreTokenizer } from "./pre_tokenizer.ts";
import { stepType } from "./step.ts";
import { readTemplate } from "./template.ts";
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
  mustBeAbsent(file.at("truncation"));
  mustBeAbsent(file.at("padding"));

  const model = readModel(file.at("model"));
  const { preTokenizer, alphabet } = readPreTokenizer(file.at("pre_tokenizer"));
  const parts: BpeParts = {
    ...model,
    addedTokens: readAddedTokens(file.at("added_tokens")),
    normalizer: readNormalizer(file.at("normalizer")),
    pattern: preTokenizer,
    template: readTemplate(file.at("post_processor")),
    decoder: readDecoder(file.at("decoder")),
  };
  if ((parts.decoder === BYTE_LEVEL) !== (alphabet === "bytes")) {
    throw file.at("decoder").refused(
      `does not fit the pre_tokenizer: words are made of ${alphabet}`,
    );
  }
  try {
    if (alphabet === "bytes") {
      const bytes = { ...parts, characters: undefined };
      return byteTokenizer(bytes) ?? new BpeTokenizer(bytes);
    }
    return charTokenizer(file, parts) ?? new BpeTokenizer(parts);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new SyntaxError(`Cannot read ${source}: ${error.message}`);
  }
}

type Model = Pick<BpeParts, "vocab" | "merges" | "ignoreMerges"> & {
  readonly characters: CharacterOptions;
};

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
  model.at("continuing_subword_prefix").oneOf(undefined, "");
  model.at("end_of_word_suffix").oneOf(undefined, "");
  const unknown = model.at("unk_token");
  return {
    vocab: readVocab(model.at("vocab")),
    merges: readMerges(model.at("merges")),
    ignoreMerges: model.at("ignore_merges").boolean(false),
    characters: {
      unknown: unknown.absent ? undefined : unknown.string(),
      fuseUnknown: model.at("fuse_unk").boolean(false),
      byteFallback: model.at("byte_fallback").boolean(false),
    },
  };
}

function readVocab(vocab: JsonCursor): ReadonlyMap<string, number> {
  const ids = new Map(Object.entries(vocab.object()));
  for (const [text, id] of ids) {
    if (!(Number.isSafeInteger(id) && id as number >= 0)) {
      vocab.at(text).count(); // says what is wrong
    }
  }
  return ids as ReadonlyMap<string, number>;
}

/** Merges as "left right" or ["left", "right"]. */
function readMerges(merges: JsonCursor): (readonly [string, string])[] {
  const { value } = merges;
  const pairs = Array.isArray(value) ? value.map(pairOf) : [undefined];
  if (!pairs.includes(undefined)) return pairs as [string, string][];
  // There are hundreds of thousands: only now see where one is wrong.
  for (const merge of merges.elements()) {
    if (pairOf(merge.value) === undefined) throw wrongMerge(merge);
  }
  return [];
}

function pairOf(merge: unknown): readonly [string, string] | undefined {
  if (typeof merge === "string") {
    const space = merge.indexOf(" ");
    return space < 0 || merge.includes(" ", space + 1)
      ? undefined
      : [merge.slice(0, space), merge.slice(space + 1)];
  }
  const isPair = Array.isArray(merge) && merge.length === 2 &&
    typeof merge[0] === "string" && typeof merge[1] === "string";
  return isPair ? [merge[0], merge[1]] : undefined;
}

function wrongMerge(merge: JsonCursor): SyntaxError {
  if (typeof merge.value !== "string") {
    for (const part of merge.elements()) part.string();
  }
  return merge.expected(`two tokens: "left right" or ["left", "right"]`);
}

function readAddedTokens(tokens: JsonCursor): AddedToken[] {
  const texts = new Set<string>();
  return (tokens.absent ? [] : tokens.elements()).map((token) => {
    token.only(
      "id",
      "content",
      "single_word",
      "lstrip",
      "rstrip",
      "normalized",
      "special",
    );
    const content = token.at("content").string();
    if (texts.has(content)) {
      throw token.refused("has a text that another has too");
    }
    texts.add(content);
    return {
      id: token.at("id").count(),
      content,
      singleWord: token.at("single_word").boolean(false),
      lstrip: token.at("lstrip").boolean(false),
      rstrip: token.at("rstrip").boolean(false),
      normalized: token.at("normalized").boolean(false),
      special: token.at("special").boolean(),
    };
  });
}

/** The byte tokenizer, if this is its form. */
function byteTokenizer(parts: BpeParts): ByteTokenizer | undefined {
  const { vocab, merges, addedTokens = [], pattern } = parts;
  const special = addedTokens.toSorted((a, b) => a.id - b.id);
  const isForm = pattern.name === "none" && merges.length === 0 &&
    parts.normalizer === undefined && parts.template === undefined &&
    BYTE_CHARACTERS.every((char, byte) => vocab.get(char) === byte) &&
    special.every((token, i) =>
      token.special && !token.singleWord && !token.lstrip && !token.rstrip &&
      token.id === 256 + i &&
      (vocab.get(token.content) ?? token.id) === token.id
    );
  if (!isForm) return undefined;
  return new ByteTokenizer(special.map(({ content }) => content));
}

/** The character tokenizer, if this is its form: one of characters and nothing else. */
function charTokenizer(
  file: JsonCursor,
  { vocab, merges, addedTokens, normalizer, template, characters }: BpeParts,
): CharTokenizer | undefined {
  const isForm = file.at("decoder").at("type").value === "Fuse" &&
    file.at("pre_tokenizer").absent && merges.length === 0 &&
    addedTokens?.length === 0 && !normalizer && !template &&
    characters?.unknown === undefined && !characters?.byteFallback;
  if (!isForm) return undefined;
  const texts: string[] = [];
  for (const [char, id] of vocab) {
    if (id >= vocab.size || texts[id] !== undefined) {
      throw file.at("model").at("vocab").at(char).refused(
        `has id ${id}, expected one below ${vocab.size} that no other has`,
      );
    }
    texts[id] = char;
  }
  return new CharTokenizer(texts);
}

function mustBeAbsent(step: JsonCursor): void {
  if (!step.absent) {
    throw step.refused(
      `${JSON.stringify(step.value)} is not supported, expected null`,
    );
  }
}
