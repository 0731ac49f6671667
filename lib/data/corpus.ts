/**
 * Text to learn from: files, folders, globs and web addresses.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { decodeText } from "./decode_text.ts";
import { download, type DownloadOptions } from "./download.ts";
import { filesOf, isURL, reason } from "./sources.ts";

/** A text and where it came from. */
export interface Document {
  /** The path or address it was read from. */
  readonly name: string;
  /** Its whole content, never empty. */
  readonly text: string;
}

/**
 * Reads every text that `sources` name, in their order.
 *
 * A source is a file of any name, a folder (all `.txt` and `.md` files in it
 * and below, sorted by path), a glob (`*`, `?`, `[ab]`, `{a,b}`, and `**` for
 * folders at any depth) or an http(s) address
 * (redirects are followed, and an HTML page counts as the text that it is,
 * with its tags). Hidden files and folders are skipped unless named. A file
 * that several sources name is read once. All text must be UTF-8; a byte order
 * mark is dropped, and line endings are kept: CRLF stays CRLF.
 *
 * ```ts
 * import { readCorpus } from "@shaderloom/shaderloom";
 *
 * const documents = await readCorpus(["README.md"]);
 * console.log(documents[0].text.length);
 * ```
 *
 * @throws {Error} With a line for each source that can not be read.
 */
export async function readCorpus(
  sources: readonly string[],
  options: DownloadOptions = {},
): Promise<readonly Document[]> {
  if (sources.length === 0) {
    throw new Error("Cannot read a corpus: no file, folder or URL is named");
  }
  const names = new Set<string>();
  const problems: string[] = [];
  for (const source of sources) {
    try {
      const found = isURL(source) ? [source] : await filesOf(source);
      for (const name of found) names.add(name);
    } catch (error) {
      problems.push(`Cannot read ${source}: ${reason(error)}`);
    }
  }

  const documents: Document[] = [];
  for (const name of names) {
    try {
      const bytes = isURL(name)
        ? await download(name, options)
        : await readFile(name);
      documents.push({ name, text: decodeText(bytes) });
    } catch (error) {
      problems.push(`Cannot read ${name}: ${reason(error)}`);
    }
  }
  if (problems.length > 0) throw new Error(problems.join("\n"));
  return documents;
}
