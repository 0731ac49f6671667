/**
 * Loading a tokenizer from where it lies.
 *
 * @module
 */

import { parseGpt2Files } from "./gpt2_files.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { parseTokenizer } from "./tokenizer_json.ts";

/**
 * The tokenizer of a tokenizer.json, or of a folder that holds one, or else of
 * a folder with GPT-2's vocab.json and merges.txt. Throws one line that says
 * what is missing or malformed.
 */
export async function loadTokenizer(path: string): Promise<Tokenizer> {
  const info = await orMissing(Deno.stat(path));
  if (info === undefined) {
    throw new Error(
      `Cannot load a tokenizer from ${path}: there is no such file or folder`,
    );
  }
  if (!info.isDirectory) {
    return parseTokenizer(await Deno.readTextFile(path), path);
  }

  const folder = path.replace(/\/+$/, "");
  const json = await readText(`${folder}/tokenizer.json`);
  if (json !== undefined) {
    return parseTokenizer(json, `${folder}/tokenizer.json`);
  }
  const vocab = await readText(`${folder}/vocab.json`);
  const merges = await readText(`${folder}/merges.txt`);
  if (vocab === undefined || merges === undefined) {
    throw new Error(
      `Cannot load a tokenizer from ${path}: the folder holds neither ` +
        `tokenizer.json nor both vocab.json and merges.txt`,
    );
  }
  return parseGpt2Files({ vocab, merges }, folder);
}

function readText(path: string): Promise<string | undefined> {
  return orMissing(Deno.readTextFile(path));
}

async function orMissing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
