/**
 * SentencePiece's way to begin a word: its characters, and bytes where a
 * character has no token.
 *
 * @module
 */

import { byteToken } from "./decoder.ts";
import { stringToBytes } from "./wtf8.ts";

/** What becomes of characters that have no token. */
export interface CharacterOptions {
  /** The token for them; without one they are left out. */
  readonly unknown?: string;
  /** Whether neighbours share one such token; false by default. */
  readonly fuseUnknown?: boolean;
  /** Whether their bytes have tokens, `<0x00>` to `<0xFF>`, which go first; false by default. */
  readonly byteFallback?: boolean;
}

/** Where {@linkcode characterSymbols} looks up ids. */
export interface CharacterIds {
  /** Ids of the tokens that may come of plain text. */
  readonly ids: ReadonlyMap<string, number>;
  /** The id of the unknown token, if there is one. */
  readonly unknownId: number | undefined;
}

/** The function that gives the ids a word starts with, before merging. */
export function characterSymbols(
  { ids, unknownId }: CharacterIds,
  { fuseUnknown = false, byteFallback = false }: CharacterOptions,
): (word: string) => number[] {
  const byteIds = byteFallback
    ? Array.from({ length: 256 }, (_, byte) => ids.get(byteToken(byte)))
    : null;

  return (word) => {
    const symbols: number[] = [];
    let unknown = false; // whether one is to be written
    for (const char of word) {
      const id = ids.get(char);
      if (id === undefined) {
        const bytes = byteIds && bytesOf(char, byteIds);
        if (bytes) symbols.push(...bytes);
        else if (unknown && !fuseUnknown) symbols.push(unknownId!);
        unknown ||= !bytes && unknownId !== undefined;
        continue;
      }
      if (unknown) symbols.push(unknownId!);
      unknown = false;
      symbols.push(id);
    }
    if (unknown) symbols.push(unknownId!);
    return symbols;
  };
}

function bytesOf(
  char: string,
  byteIds: readonly (number | undefined)[],
): number[] | null {
  const ids: number[] = [];
  for (const byte of stringToBytes(char)) {
    const id = byteIds[byte];
    if (id === undefined) return null;
    ids.push(id);
  }
  return ids;
}
