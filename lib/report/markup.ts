/**
 * Text and tables as HTML.
 *
 * @module
 */

/** What may stand in a table. */
export type Cell = string | number | boolean | null;

/** A name and what it stands for, a line each. */
export function namedValues(
  lines: Iterable<readonly [name: string, value: Cell]>,
): string {
  const rows = Array.from(
    lines,
    ([name, value]) =>
      `<tr><th scope="row">${escapeMarkup(name)}</th><td>${
        escapeMarkup(String(value ?? "none"))
      }</td></tr>`,
  );
  return `<table>\n${rows.join("\n")}\n</table>`;
}

/** Text as it may stand in HTML, XML and their attributes. */
export function escapeMarkup(text: string): string {
  return text
    // deno-lint-ignore no-control-regex
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
    .toWellFormed()
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/"/g, "&quot;")
    .replace(/'/g, "&#39;");
}
