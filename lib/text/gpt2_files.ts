/**
 * GPT-2's own two tokenizer files, vocab.json and merges.txt.
 *
 * @module
 */

import { BpeTokenizer } from "./bpe.ts";
import { CHARACTER_BYTES } from "./byte_alphabet.ts";
import { JsonCursor } from "./json_cursor.ts";
import { SplitPattern } from "./split_pattern.ts";

/** The texts of the two files. */
export interface Gpt2Files {
  /** vocab.json: token texts in the byte alphabet, and their ids. */
  readonly vocab: string;
  /** merges.txt: a version line, then two token texts a line. */
  readonly merges: string;
}

/**
 * The tokenizer of the two files. Tokens that are neither a byte nor made by a
 * merge are special tokens. `folder` is where errors say the files are. Throws
 * a SyntaxError on malformed files.
 */
export function parseGpt2Files(
  files: Gpt2Files,
  folder?: string,
): BpeTokenizer {
  const place = folder === undefined ? "" : `${folder.replace(/\/+$/, "")}/`;
  const vocab = new Map(
    JsonCursor.parse(files.vocab, `${place}vocab.json`).entries()
      .map(([text, id]) => [text, id.count()]),
  );
  const merges = parseMerges(files.merges, `${place}merges.txt`);

  const made = new Set(merges.map(([left, right]) => left + right));
  const specialTokens = new Map(
    [...vocab].filter(([text]) =>
      !CHARACTER_BYTES.has(text) && !made.has(text)
    ),
  );
  try {
    const pattern = new SplitPattern("gpt2");
    return new BpeTokenizer({ vocab, merges, pattern, specialTokens });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new SyntaxError(
      `Cannot read ${place}vocab.json with merges.txt: ${error.message}`,
    );
  }
}

/** The two files of a tokenizer. Throws if it is not as GPT-2's in all else, which they cannot say. */
export function formatGpt2Files(tokenizer: BpeTokenizer): Gpt2Files {
  if (tokenizer.pattern.name !== "gpt2") {
    throw new RangeError(
      `Cannot write vocab.json and merges.txt for the split pattern ${
        tokenizer.pattern.name ?? "of a regular expression"
      }: they stand for gpt2's; write tokenizer.json instead`,
    );
  }
  const form = tokenizer.toJSON();
  const more = [
    form.normalizer && "a normalizer",
    form.post_processor && "a post-processor",
    form.model.ignore_merges && "ignore_merges",
    form.added_tokens.some(({ special }) => !special) && "added tokens",
  ].find((part) => part);
  if (more) {
    throw new RangeError(
      `Cannot write vocab.json and merges.txt for a tokenizer with ${more}, ` +
        `which they cannot say; write tokenizer.json instead`,
    );
  }
  const tokens = [...tokenizer.vocab, ...tokenizer.specialTokens];
  const inOrder = tokens.sort(([, a], [, b]) => a - b);
  const lines = tokenizer.merges.map(([left, right]) => `${left} ${right}\n`);
  return {
    vocab: `${JSON.stringify(Object.fromEntries(inOrder))}\n`,
    merges: `${VERSION}\n${lines.join("")}`,
  };
}

const VERSION = "#version: 0.2";

function parseMerges(text: string, source: string): [string, string][] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  const first = lines[0]?.startsWith("#version") ? 1 : 0;
  return lines.slice(first).map((line, i) => {
    const parts = line.split(" ");
    if (parts.length === 2 && !parts.includes("")) return [parts[0], parts[1]];
    throw new SyntaxError(
      `Cannot read ${source}: line ${first + i + 1} is ${
        JSON.stringify(line)
      }, expected two tokens with one space between`,
    );
  });
}
