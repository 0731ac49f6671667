/**
 * Small models and data to fine-tune on, made on the spot.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import { Random } from "../../lib/random.ts";
import { ByteTokenizer } from "../../lib/text/byte.ts";
import { CharTokenizer } from "../../lib/text/char.ts";
import type { Tokenizer } from "../../lib/text/tokenizer.ts";
import type { GPT2Config } from "../../models/gpt2_config.ts";
import type { LlamaConfig } from "../../models/llama_config.ts";
import { saveModel } from "../../models/folder.ts";
import { newModel } from "../../models/model_types.ts";
import { readMetrics } from "../../lib/report/metrics.ts";
import { type Outcome, run, type Workplace, workplace } from "./program.ts";

/** The token that ends a text. */
export const END = "<|endoftext|>";

const SIZES = { blockSize: 96, nLayer: 2, nHead: 2, nEmbd: 16 };

type Sizes = Omit<GPT2Config, "vocabSize"> | Omit<LlamaConfig, "vocabSize">;

/** Models that a place may have, by the names of their folders. */
const MODELS: Readonly<
  Record<
    string,
    { tokenizer: Tokenizer; config: Sizes }
  >
> = {
  gpt2: { tokenizer: new ByteTokenizer([END]), config: SIZES },
  dropping: {
    tokenizer: new ByteTokenizer([END]),
    config: { ...SIZES, dropout: 0.1 },
  },
  endless: {
    tokenizer: new CharTokenizer(
      Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i))
        .join("") + "\n",
    ),
    config: SIZES,
  },
  llama: {
    tokenizer: new ByteTokenizer([END]),
    config: {
      ...SIZES,
      modelType: "llama",
      nKeyValueHead: 1,
      intermediateSize: 24,
      eosTokenIds: [256],
    },
  },
};

/**
 * A folder with the models `gpt2`, `dropping` (which has dropout), `endless`
 * (whose tokenizer has no special token) and `llama`, and with `texts.csv` and
 * `rows.jsonl` to learn from.
 */
export async function finetunePlace(): Promise<Workplace> {
  const place = workplace();
  using device = await Device.open();
  for (const [name, { tokenizer, config }] of Object.entries(MODELS)) {
    const model = newModel(
      { device, random: new Random(5) },
      { ...config, vocabSize: tokenizer.vocabSize },
    );
    await saveModel(place.path(name), { model, tokenizer });
  }
  const write = (name: string, text: string) =>
    Deno.writeTextFileSync(place.path(name), text);
  write("texts.csv", `label,text\n${texts(60).join("\n")}\n`);
  write("rows.jsonl", `${rows(40).join("\n")}\n`);
  return place;
}

/** Texts that one letter tells apart, of different lengths, as rows of a table. */
function texts(count: number): string[] {
  const random = new Random(2);
  return Array.from({ length: count }, (_, i) => {
    const words = 1 + random.integer(4);
    const [label, word] = i % 3 === 0 ? ["spam", "win"] : ["ham", "see"];
    return `${label},${i} ${`${word} `.repeat(words).trim()}`;
  });
}

/** Instructions with one right answer, as lines of JSON. */
function rows(count: number): string[] {
  return Array.from({ length: count }, (_, i) =>
    JSON.stringify({
      instruction: `Say ${i}`,
      output: `${i}${"!".repeat(i % 5)}`,
    }));
}

/** Runs `finetune`, which is to succeed. */
export async function succeed(...args: readonly string[]): Promise<Outcome> {
  const outcome = await run(...args);
  assertEquals(outcome.code, 0, outcome.err);
  return outcome;
}

/** What a JSON file of a place says. */
// deno-lint-ignore no-explicit-any
export function json(place: Workplace, path: string): any {
  return JSON.parse(Deno.readTextFileSync(place.path(path)));
}

/** The metrics of a run whose folder is `out`. */
export function metrics(place: Workplace, out: string) {
  return readMetrics(place.path(`${out}/metrics.jsonl`));
}

/** The names of what a folder of a place holds, in order. */
export function names(place: Workplace, folder: string): string[] {
  return [...Deno.readDirSync(place.path(folder))].map(({ name }) => name)
    .sort();
}
