/**
 * Vocabularies that list tokens by rank and leave the merges to be found.
 *
 * @module
 */

import { Merges, mergeWord } from "./bpe_merge.ts";
import { bytesToAlphabet } from "./byte_alphabet.ts";
import type { BpeParts } from "./bpe_vocabulary.ts";

/**
 * The vocabulary and merges of tokens whose ids are their ranks, of which some
 * may be left out: each token longer than a byte was made by merging the two
 * that the earlier merges leave of its bytes. Throws a RangeError where they
 * leave more.
 *
 * tiktoken merges any two neighbours that spell a token, the lowest rank first.
 * That is the same: when they are next, all lower ranks are merged, and since no
 * merge crosses the token's ends, those within it went as they do for it alone.
 */
export function partsFromRanks(
  tokens: readonly Uint8Array[],
): Pick<BpeParts, "vocab" | "merges"> {
  const texts = tokens.map(bytesToAlphabet);
  const vocab = new Map<string, number>();
  const byteIds = new Map<number, number>();
  texts.forEach((text, id) => vocab.set(text, id));
  tokens.forEach((bytes, id) => {
    if (bytes.length === 1) byteIds.set(bytes[0], id);
  });

  const merges = new Merges();
  const pairs: [string, string][] = [];
  tokens.forEach((bytes, id) => {
    if (bytes.length === 1) return;
    const parts = mergeWord(
      Array.from(bytes, (byte) => byteIds.get(byte) ?? -1),
      merges,
    );
    if (parts.length !== 2 || parts.includes(-1)) {
      throw new RangeError(
        `Cannot find the merge that makes token ${id} ` +
          `(${JSON.stringify(texts[id])}): the earlier ones leave ` +
          `${parts.length} parts of it, expected 2`,
      );
    }
    merges.add(parts[0], parts[1], id);
    pairs.push([texts[parts[0]], texts[parts[1]]]);
  });
  return { vocab, merges: pairs };
}
