/**
 * Text in columns of a terminal.
 *
 * @module
 */

/** Columns of a terminal that a text takes: two for each East Asian letter. */
export function columnsOf(text: string): number {
  const wide = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]/u;
  return [...text].reduce((n, letter) => n + (wide.test(letter) ? 2 : 1), 0);
}

/** A text with spaces after it, up to so many columns. */
export function padAfter(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - columnsOf(text)));
}

/** A text with spaces before it, up to so many columns. */
export function padBefore(text: string, columns: number): string {
  return " ".repeat(Math.max(0, columns - columnsOf(text))) + text;
}
