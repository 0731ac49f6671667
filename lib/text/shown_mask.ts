/**
 * What is learned of a text, for people to see.
 *
 * @module
 */

import type { Tokenizer } from "./tokenizer.ts";

/** The text of a token, and whether it is learned. */
export interface MaskedPiece {
  /** What the token adds to the text; empty where it completes no character. */
  readonly text: string;
  /** Whether the model is to learn to write it. */
  readonly learned: boolean;
}

/** The text of each token of a sequence, and whether it is learned. */
export function maskedPieces(
  tokenizer: Tokenizer,
  { ids, learned }: {
    readonly ids: ArrayLike<number>;
    readonly learned: ArrayLike<number>;
  },
): MaskedPiece[] {
  const decoder = tokenizer.stream();
  const pieces = Array.from(ids, (id, i) => ({
    text: decoder.push(id),
    learned: learned[i] === 1,
  }));
  const rest = decoder.end();
  if (rest !== "") {
    pieces.push({ text: rest, learned: learned[learned.length - 1] === 1 });
  }
  return pieces;
}

/** How a mask is written. */
export interface ShowMaskOptions {
  /** Whether in a terminal's colours, or else between brackets. */
  readonly color: boolean;
  /** How many tokens at most, of a longer text from its start and its end. (Default 400.) */
  readonly most?: number;
}

/** Two shades for tokens side by side: of what is learned, of what is not. */
const SHADES = [["\x1b[90m", "\x1b[37m"], ["\x1b[30;42m", "\x1b[30;102m"]];
const PLAIN = "\x1b[0m";

/**
 * Writes a text with its mask for a terminal: what is learned on green, token
 * by token in two shades, and the rest grey; or, without colours, what is
 * learned between ⟦ and ⟧. Line ends show as ⏎, control characters escaped.
 */
export function showMask(
  pieces: readonly MaskedPiece[],
  { color, most = 400 }: ShowMaskOptions,
): string {
  if (pieces.length > most) {
    const half = Math.floor(most / 2);
    const left = pieces.length - 2 * half;
    return [
      showMask(pieces.slice(0, half), { color, most }),
      `… ${left} more tokens …`,
      showMask(pieces.slice(pieces.length - half), { color, most }),
    ].join("\n");
  }
  return color ? inColors(pieces) : inBrackets(pieces);
}

function inColors(pieces: readonly MaskedPiece[]): string {
  let shade = 0;
  return pieces.filter(({ text }) => text !== "").map(({ text, learned }) => {
    const code = SHADES[learned ? 1 : 0][shade ^= 1];
    return visible(text).split("\n").map((line) =>
      line === "" ? "" : `${code}${line}${PLAIN}`
    ).join("\n");
  }).join("");
}

function inBrackets(pieces: readonly MaskedPiece[]): string {
  let isOpen = false;
  let all = "";
  for (const { text, learned } of pieces) {
    if (text === "") continue;
    if (learned !== isOpen) all += learned ? "⟦" : "⟧";
    isOpen = learned;
    all += visible(text);
  }
  return isOpen ? `${all}⟧` : all;
}

/** A text that shows its line ends, and cannot command a terminal. */
function visible(text: string): string {
  return text.replaceAll("\n", "⏎\n")
    // deno-lint-ignore no-control-regex -- these are what is to be escaped
    .replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, (character) => {
      const code = character.charCodeAt(0).toString(16).padStart(2, "0");
      return `\\x${code}`;
    });
}
