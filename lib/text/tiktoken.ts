/**
 * The rank files of OpenAI's tiktoken, such as cl100k_base.tiktoken.
 *
 * @module
 */

import { BpeTokenizer } from "./bpe.ts";
import { partsFromRanks } from "./ranks.ts";
import { type SplitName, SplitPattern } from "./split_pattern.ts";

/**
 * The tokenizer of a rank file's text: on each line a token in base64 and its
 * rank, which is its id. How it splits and what its special tokens are, the file
 * does not say; its number of tokens tells which it is. `source` is what errors
 * call the file. Throws a SyntaxError on one that is malformed or not known.
 */
export function parseTiktoken(
  text: string,
  source = "the rank file",
): BpeTokenizer {
  const tokens = readRanks(text, source);
  const count = Object.keys(tokens).length;
  const encoding = ENCODINGS.find((encoding) => encoding.tokens === count);
  if (encoding === undefined) {
    const known = ENCODINGS.map(({ name, tokens }) => `${name} (${tokens})`);
    throw new SyntaxError(
      `Cannot read ${source}: it has ${count} tokens, which is none of ` +
        `those known: ${known.join(", ")}`,
    );
  }
  try {
    return new BpeTokenizer({
      ...partsFromRanks(tokens),
      pattern: new SplitPattern(encoding.pattern),
      specialTokens: new Map(Object.entries(encoding.special)),
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new SyntaxError(`Cannot read ${source}: ${error.message}`);
  }
}

interface Encoding {
  readonly name: string;
  readonly tokens: number;
  readonly pattern: SplitName;
  readonly special: Readonly<Record<string, number>>;
}

const ENCODINGS: readonly Encoding[] = [
  {
    name: "r50k_base",
    tokens: 50_256,
    pattern: "gpt2",
    special: { "<|endoftext|>": 50_256 },
  },
  {
    name: "p50k_base",
    tokens: 50_280, // one rank is left out for the special token
    pattern: "gpt2",
    special: { "<|endoftext|>": 50_256 },
  },
  {
    name: "cl100k_base",
    tokens: 100_256,
    pattern: "cl100k",
    special: {
      "<|endoftext|>": 100_257,
      "<|fim_prefix|>": 100_258,
      "<|fim_middle|>": 100_259,
      "<|fim_suffix|>": 100_260,
      "<|endofprompt|>": 100_276,
    },
  },
  {
    name: "o200k_base",
    tokens: 199_998,
    pattern: "o200k",
    special: { "<|endoftext|>": 199_999, "<|endofprompt|>": 200_018 },
  },
];

/** Tokens by rank; those that the file leaves out are missing. */
function readRanks(text: string, source: string): Uint8Array[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  const tokens: Uint8Array[] = [];
  lines.forEach((line, i) => {
    const refused = (problem: string) =>
      new SyntaxError(
        `Cannot read ${source}: line ${i + 1} ${problem}`,
      );
    const match = /^(\S+) (\d{1,8})$/.exec(line);
    if (match === null) {
      throw refused(
        `is ${JSON.stringify(line.slice(0, 60))}, ` +
          `expected a token in base64, a space and its rank`,
      );
    }
    const rank = Number(match[2]);
    if (tokens[rank] !== undefined) throw refused(`repeats the rank ${rank}`);
    try {
      tokens[rank] = Uint8Array.fromBase64(match[1]);
    } catch {
      throw refused(`has a token that is not base64: ${match[1].slice(0, 60)}`);
    }
  });
  return tokens;
}
