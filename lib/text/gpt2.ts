/**
 * The tokenizer of GPT-2, by name.
 *
 * @module
 */

import { BpeTokenizer } from "./bpe.ts";
import { partsFromRanks } from "./ranks.ts";
import { SplitPattern } from "./split_pattern.ts";

/**
 * GPT-2's tokenizer: 50,257 ids, of which the last is `<|endoftext|>`. Its
 * tokens come from an npm package that is fetched when first asked for.
 */
export async function gpt2Tokenizer(): Promise<BpeTokenizer> {
  const { default: published } = await import(
    "npm:js-tiktoken@1.0.21/ranks/gpt2"
  ).catch(explain);
  return new BpeTokenizer({
    ...partsFromRanks(readRanks(published.bpe_ranks)),
    pattern: new SplitPattern("gpt2"),
    specialTokens: new Map(Object.entries(published.special_tokens)),
  });
}

function explain(error: unknown): never {
  const [reason] = String((error as Error).message).split("\n");
  throw new Error(
    `Cannot fetch GPT-2's tokenizer: ${reason}; offline, name a folder with ` +
      `its vocab.json and merges.txt instead`,
  );
}

/** Each line: "!", the rank of its first token, then tokens in base64. */
function readRanks(text: string): Uint8Array[] {
  const tokens: Uint8Array[] = [];
  for (const line of text.split("\n").filter((line) => line !== "")) {
    const [, first, ...encoded] = line.split(" ");
    encoded.forEach((token, i) => {
      tokens[Number(first) + i] = Uint8Array.fromBase64(token);
    });
  }
  return tokens;
}
