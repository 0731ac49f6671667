/**
 * Cutting a text at the matches of a pattern, and what becomes of the matches.
 *
 * @module
 */

import type { Finder } from "./finder.ts";

/** What becomes of a match: a piece of its own, nothing, part of a neighbour, or one with matches beside it. */
export type CutBehavior =
  | "Isolated"
  | "Removed"
  | "MergedWithPrevious"
  | "MergedWithNext"
  | "Contiguous";

/** How {@linkcode cut} cuts. */
export interface CutOptions {
  /** Finds what is looked for. */
  readonly finder: Finder;
  /** What becomes of a match. */
  readonly behavior: CutBehavior;
  /** Whether the gaps between matches are the matches. */
  readonly invert?: boolean;
}

/** The pieces of a text, in order; what is removed leaves an empty one. */
export function* cut(text: string, options: CutOptions): Generator<string> {
  const { behavior } = options;
  if (behavior === "Isolated") {
    for (const { start, end } of spans(text, options)) {
      yield text.slice(start, end);
    }
    return;
  }
  if (behavior === "Removed") {
    for (const { start, end, isMatch } of spans(text, options)) {
      yield isMatch ? "" : text.slice(start, end);
    }
    return;
  }

  let from = 0; // where the piece under construction begins
  let previous = false; // whether the span before was a match
  for (const { start, isMatch } of spans(text, options)) {
    const joins = behavior === "Contiguous"
      ? isMatch === previous
      : behavior === "MergedWithPrevious"
      ? isMatch && !previous
      : previous && !isMatch;
    if (!joins && start > from) {
      yield text.slice(from, start);
      from = start;
    }
    previous = isMatch;
  }
  if (from < text.length) yield text.slice(from);
}

interface Span {
  readonly start: number;
  readonly end: number;
  readonly isMatch: boolean;
}

/** The matches and the gaps between them. */
function* spans(
  text: string,
  { finder, invert = false }: CutOptions,
): Generator<Span> {
  let start = 0;
  let end = -1; // of the last match
  let at = 0;
  while (finder.find(text, at)) {
    const { index: from, end: to } = finder;
    at = finder.next;
    if (from === to && from === end) continue; // as Oniguruma does
    if (from > start) yield { start, end: from, isMatch: invert };
    yield { start: from, end: to, isMatch: !invert };
    start = end = to;
  }
  if (start < text.length) {
    yield { start, end: text.length, isMatch: invert };
  }
}
