/**
 * From what a user types to the files that are meant.
 *
 * @module
 */

import type { Stats } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
// @ts-types="./globs.d.ts"
import { globToRegExp } from "npm:deno-std@1.4.0/path/glob_to_regexp.js";

/** Whether a source is downloaded. */
export function isURL(source: string): boolean {
  return /^https?:\/\//i.test(source);
}

/**
 * The files that a file name, folder or glob stands for, sorted by path.
 *
 * What exists under that very name is never taken for a glob.
 *
 * @throws {Error} When there are none, with the reason alone.
 */
export async function filesOf(source: string): Promise<readonly string[]> {
  const path = /^file:/i.test(source) ? fileURLToPath(source) : source;
  const found = await lookUp(path);
  if (found?.isFile()) return [path];
  if (found?.isDirectory()) {
    const files = await filesIn(path, Infinity);
    const texts = files.filter((file) => /\.(txt|md)$/i.test(file)).sort();
    if (texts.length > 0) return texts;
    throw new Error(
      `none of the ${files.length} files in the folder is a .txt or .md file`,
    );
  }
  if (found) throw new Error("it is neither a file nor a folder");

  const { base, pattern } = await literalPart(path);
  if (!pattern) throw new Error("there is no such file or folder");
  const files = await filesMatching(base, pattern);
  if (files.length > 0) return files;
  throw new Error("no file matches");
}

/** What makes a name a glob. */
const MAGIC = /[*?[{]/;

/** One line of what the system said about a file. */
export function reason(error: unknown): string {
  if (isMissing(error)) return "there is no such file or folder";
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\s+/g, " ").trim();
}

/**
 * Divides a glob into a folder and the pattern of what is in it: none if no
 * part of it is one.
 */
async function literalPart(
  glob: string,
): Promise<{ base: string; pattern: string }> {
  const segments = (sep === "\\" ? glob.replaceAll(sep, "/") : glob).split("/");
  let base = ".";
  for (const [i, segment] of segments.entries()) {
    const folder = segments.slice(0, i + 1).join("/") || "/";
    if (MAGIC.test(segment) && !(await lookUp(folder))?.isDirectory()) {
      return { base, pattern: segments.slice(i).join("/") };
    }
    base = folder;
  }
  return { base, pattern: "" };
}

async function filesMatching(
  base: string,
  pattern: string,
): Promise<readonly string[]> {
  if (!await lookUp(base)) return [];
  const depth = pattern.includes("**") ? Infinity : pattern.split("/").length;
  const matcher = globToRegExp(pattern);
  const prefix = join(base, "x").length - 1;
  const files = await filesIn(base, depth);
  return files.filter((file) =>
    matcher.test(file.slice(prefix).replaceAll(sep, "/"))
  ).sort();
}

/**
 * Files in a folder and the folders in it. Hidden ones are skipped, and links
 * to folders, which may lead round in circles.
 */
async function filesIn(folder: string, depth: number): Promise<string[]> {
  const files: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (depth > 1) files.push(...await filesIn(path, depth - 1));
    } else if ((await lookUp(path))?.isFile()) {
      files.push(path);
    }
  }
  return files;
}

async function lookUp(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

function isMissing(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === "ENOENT" || code === "ENOTDIR";
}
