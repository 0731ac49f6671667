/**
 * Trains a tokenizer; encodes, decodes and inspects text.
 *
 * @module
 */

import { readCorpus } from "../lib/data/corpus.ts";
import type { EncodeOptions, Tokenizer } from "../lib/text/tokenizer.ts";
import { readArgs, usageError } from "./args.ts";
import { tokenizerNamed } from "./choose_tokenizer.ts";
import { nearest } from "./nearest.ts";
import { readStdin, writeStdout } from "./stdio.ts";
import { trainTokenizer } from "./tokenize_train.ts";

/** Runs `tokenize train|encode|decode|inspect` and returns the exit code. */
export async function tokenize(args: string[]): Promise<number> {
  const [name = "", ...rest] = args;
  if (name === "--help" || name === "-h") {
    console.log(HELP);
    return 0;
  }
  const action = ACTIONS.get(name);
  if (action === undefined) {
    const guess = nearest(name, ACTIONS.keys());
    throw usageError("tokenize", [
      `expected ${[...ACTIONS.keys()].join(", ")}` +
      (name === "" ? "" : `, got "${name}"`) +
      (guess === undefined ? "" : `; did you mean ${guess}?`),
    ]);
  }
  await action(rest);
  return 0;
}

const HELP = `Trains a byte-pair tokenizer; encodes, decodes and inspects text.

Usage: deno task tokenize ACTION [--flags]

  train      Learn a vocabulary from texts and write a tokenizer folder
  encode     Text to ids
  decode     Ids to text
  inspect    Show a text token by token

\`deno task tokenize ACTION --help\` lists the flags of an action.`;

const ACTIONS = new Map([
  ["train", trainTokenizer],
  ["encode", encode],
  ["decode", decode],
  ["inspect", inspect],
]);

const TOKENIZER = {
  kind: "text",
  value: "X",
  help: "gpt2, byte, a tokenizer.json or .tiktoken file, or a folder",
} as const;

const SPECIAL = {
  kind: "switch",
  help: "Take the text of special tokens for the tokens themselves",
} as const;

const AROUND = {
  kind: "switch",
  help: "Put the special tokens around a text that the tokenizer says",
} as const;

async function encode(args: string[]): Promise<void> {
  const name = "tokenize encode";
  const command = readArgs({
    name,
    about: "Prints the ids of each text on a line.",
    flags: {
      tokenizer: TOKENIZER,
      data: {
        kind: "texts",
        value: "FILE|DIR|GLOB|URL",
        help: "Text to encode; without it, all of stdin as one text",
      },
      "allow-special": SPECIAL,
      "add-special": AROUND,
      json: { kind: "switch", help: 'Print {"ids": [...]} for each text' },
    },
  }, args);
  if (command === null) return;
  const { values, rest } = command;
  const tokenizer = await requiredTokenizer(name, values.tokenizer, rest);

  const texts = values.data.length > 0
    ? (await readCorpus(values.data)).map(({ text }) => text)
    : [await readStdin()];
  for (const text of texts) {
    const ids = tokenizer.encode(text, encodeOptions(values));
    console.log(values.json ? `{"ids": [${ids.join(", ")}]}` : ids.join(" "));
  }
}

async function decode(args: string[]): Promise<void> {
  const name = "tokenize decode";
  const command = readArgs({
    name,
    about:
      "Reads ids from stdin, as encode prints them, and writes their text.",
    flags: {
      tokenizer: TOKENIZER,
      json: { kind: "switch", help: 'Print {"text": "..."}' },
    },
  }, args);
  if (command === null) return;
  const { values, rest } = command;
  const tokenizer = await requiredTokenizer(name, values.tokenizer, rest);

  const text = tokenizer.decode(readIds(await readStdin()));
  if (values.json) console.log(JSON.stringify({ text }));
  else writeStdout(text);
}

async function inspect(args: string[]): Promise<void> {
  const name = "tokenize inspect";
  const command = readArgs({
    name,
    usage: "TEXT",
    about:
      "Shows a text token by token: the id, and the text that it completes\n" +
      "(an ellipsis where a character goes on in the next token).",
    flags: {
      tokenizer: TOKENIZER,
      "allow-special": SPECIAL,
      "add-special": AROUND,
      json: { kind: "switch", help: 'Print {"tokens": [...]}' },
    },
  }, args);
  if (command === null) return;
  const { values, rest: [text, ...rest] } = command;
  if (text === undefined) throw usageError(name, ["a TEXT is needed"]);
  const tokenizer = await requiredTokenizer(name, values.tokenizer, rest);

  const stream = tokenizer.stream();
  const tokens = Array.from(
    tokenizer.encode(text, encodeOptions(values)),
    (id) => ({ id, text: stream.push(id) }),
  );
  if (values.json) {
    console.log(JSON.stringify({ tokens }));
    return;
  }
  for (const { id, text } of tokens) {
    const shown = text === "" ? "…" : JSON.stringify(text);
    console.log(`${String(id).padStart(8)}  ${shown}`);
  }
  console.log(`${tokens.length} tokens, ${[...text].length} characters`);
}

function encodeOptions(
  values: {
    readonly "allow-special": boolean;
    readonly "add-special": boolean;
  },
): EncodeOptions {
  return {
    allowedSpecial: values["allow-special"] ? "all" : [],
    addSpecialTokens: values["add-special"],
  };
}

function requiredTokenizer(
  command: string,
  tokenizer: string | undefined,
  rest: readonly string[],
): Promise<Tokenizer> {
  if (tokenizer === undefined) {
    throw usageError(command, ["--tokenizer is needed", ...unexpected(rest)]);
  }
  refuseRest(command, rest);
  return tokenizerNamed(tokenizer);
}

function refuseRest(command: string, rest: readonly string[]): void {
  const problems = unexpected(rest);
  if (problems.length > 0) throw usageError(command, problems);
}

function unexpected(rest: readonly string[]): string[] {
  return rest.length === 0 ? [] : [`unexpected ${rest.join(" ")}`];
}

/** Whole numbers with anything but digits between, so that JSON will do. */
function readIds(text: string): number[] {
  const json = text.trim().replace(/^\{\s*"ids"\s*:\s*(\[[^]*\])\s*\}$/, "$1");
  const words = json.replace(/^\[([^]*)\]$/, "$1").split(/[\s,]+/)
    .filter((word) => word !== "");
  return words.map((word) => {
    if (/^\d+$/.test(word)) return Number(word);
    throw new Error(
      `Cannot decode ${JSON.stringify(word.slice(0, 40))}: ` +
        `expected ids, whole numbers with spaces between`,
    );
  });
}
