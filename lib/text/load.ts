/**
 * Loading a tokenizer from where it lies.
 *
 * @module
 */

import { readFile, stat } from "node:fs/promises";
import { parseGpt2Files } from "./gpt2_files.ts";
import { parseTiktoken } from "./tiktoken.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { parseTokenizer } from "./tokenizer_json.ts";

/**
 * The tokenizer of a tokenizer.json or a .tiktoken file, or of a folder that
 * holds a tokenizer.json, or else of a folder with GPT-2's vocab.json and
 * merges.txt. Throws one line that says what is missing or malformed.
 */
export async function loadTokenizer(path: string): Promise<Tokenizer> {
  const info = await unlessMissing(stat(path));
  if (info === undefined) {
    throw new Error(
      `Cannot load a tokenizer from ${path}: there is no such file or folder`,
    );
  }
  if (!info.isDirectory()) {
    const parse = path.endsWith(".tiktoken") ? parseTiktoken : parseTokenizer;
    return parse(await textOf(path), path);
  }

  const folder = path.replace(/(?<=.)\/+$/, "");
  const file = `${folder}/tokenizer.json`;
  const json = await unlessMissing(textOf(file));
  if (json !== undefined) return parseTokenizer(json, file);

  const vocab = await unlessMissing(textOf(`${folder}/vocab.json`));
  const merges = await unlessMissing(textOf(`${folder}/merges.txt`));
  if (vocab === undefined || merges === undefined) {
    throw new Error(
      `Cannot load a tokenizer from ${path}: the folder holds neither ` +
        `tokenizer.json nor both vocab.json and merges.txt`,
    );
  }
  return parseGpt2Files({ vocab, merges }, folder);
}

async function textOf(path: string): Promise<string> {
  const bytes = await readFile(path);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new SyntaxError(`Cannot read ${path}: it is not UTF-8 text`);
  }
}

async function unlessMissing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return undefined;
    throw error;
  }
}
