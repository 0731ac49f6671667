/**
 * Learns a byte-pair vocabulary from texts.
 *
 * @module
 */

import { readCorpus } from "../lib/data/corpus.ts";
import { makeFolder, replaceFile } from "../lib/io/atomic.ts";
import type { BpeTokenizer } from "../lib/text/bpe.ts";
import { formatGpt2Files } from "../lib/text/gpt2_files.ts";
import type { SplitName } from "../lib/text/split_pattern.ts";
import { trainBpe } from "../lib/text/train_bpe.ts";
import { readArgs, usageError } from "./args.ts";

/** Runs `tokenize train`. */
export async function trainTokenizer(args: string[]): Promise<void> {
  const name = "tokenize train";
  const command = readArgs({
    name,
    about:
      "Learns a byte-pair vocabulary from texts: writes tokenizer.json,\n" +
      "and GPT-2's vocab.json and merges.txt where its pattern is used.",
    flags: {
      data: {
        kind: "texts",
        value: "FILE|DIR|GLOB|URL",
        help: "Text to learn from; may be given several times",
      },
      "vocab-size": {
        kind: "number",
        integer: true,
        least: 256,
        help: "Ids in all: 256 bytes, the special tokens, the merges",
      },
      out: { kind: "text", value: "DIR", help: "Folder to write" },
      pattern: {
        kind: "text",
        value: "NAME",
        default: "gpt2",
        choices: ["gpt2", "cl100k", "o200k", "none"] satisfies SplitName[],
        help: "How text is cut into words: gpt2, cl100k, o200k or none",
      },
      "special-token": {
        kind: "texts",
        value: "TEXT",
        help: `Control token, may be given several times; else ${END_OF_TEXT}`,
      },
      json: { kind: "switch", help: "Print one JSON object" },
    },
  }, args);
  if (command === null) return;
  const { values, given, rest } = command;
  const { out, "vocab-size": vocabSize } = values;
  const problems = (["data", "vocab-size", "out"] as const)
    .filter((flag) => !given.has(flag)).map((flag) => `--${flag} is needed`);
  if (rest.length > 0) problems.push(`unexpected ${rest.join(" ")}`);
  if (vocabSize === undefined || out === undefined || problems.length > 0) {
    throw usageError(name, problems);
  }

  const texts = (await readCorpus(values.data)).map(({ text }) => text);
  const characters = texts.reduce((sum, text) => sum + text.length, 0);
  console.error(`learning ${vocabSize} tokens from ${characters} characters`);
  const start = performance.now();
  const tokenizer = trainBpe(texts, {
    vocabSize,
    pattern: values.pattern as SplitName,
    specialTokens: given.has("special-token")
      ? values["special-token"]
      : [END_OF_TEXT],
  });
  const seconds = (performance.now() - start) / 1000;

  const files = writeTokenizer(tokenizer, out);
  const sample = texts[0].slice(0, 1_000_000);
  const perToken = sample.length / tokenizer.encode(sample).length;
  if (values.json) {
    console.log(JSON.stringify({
      vocab_size: tokenizer.vocabSize,
      characters,
      characters_per_token: perToken,
      seconds,
      files,
    }));
    return;
  }
  console.log(
    `${tokenizer.vocabSize} tokens in ${seconds.toFixed(1)} s, ` +
      `${perToken.toFixed(2)} characters a token`,
  );
  for (const file of files) console.log(file);
}

/** Writes the files of a tokenizer and returns their paths. */
function writeTokenizer(tokenizer: BpeTokenizer, folder: string): string[] {
  const files = new Map([
    ["tokenizer.json", `${JSON.stringify(tokenizer, null, 2)}\n`],
  ]);
  if (tokenizer.pattern.name === "gpt2") {
    const { vocab, merges } = formatGpt2Files(tokenizer);
    files.set("vocab.json", vocab).set("merges.txt", merges);
  }
  makeFolder(folder);
  return [...files].map(([name, content]) => {
    const path = `${folder.replace(/(?<=.)\/+$/, "")}/${name}`;
    replaceFile(path, content);
    return path;
  });
}

const END_OF_TEXT = "<|endoftext|>";
