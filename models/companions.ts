/**
 * What a published folder holds beside weights and tokenizer: descriptions that
 * are kept as they are, so that a model can be handed on with its chat template.
 *
 * @module
 */

import { join } from "node:path";
import type { FloatDtype } from "../lib/io/dtype.ts";
import { fileError, isMissing } from "../lib/io/file_error.ts";
import type { Tokenizer } from "../lib/text/tokenizer.ts";
import {
  describeConfig,
  type ModelConfig,
  modelConfig,
} from "./model_types.ts";

/** The texts of a folder's descriptions, by the names of their files. */
export type Companions = ReadonlyMap<string, string>;

const NAMES: readonly string[] = [
  "config.json",
  "generation_config.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "chat_template.jinja",
  "chat_template.json",
];

/**
 * The descriptions that a folder has. Throws one line naming the file that
 * cannot be read.
 */
export function readCompanions(folder: string): Companions {
  const texts = new Map<string, string>();
  for (const name of NAMES) {
    const path = join(folder, name);
    try {
      texts.set(name, Deno.readTextFileSync(path));
    } catch (error) {
      if (!isMissing(error)) throw fileError(`read "${path}"`, error);
    }
  }
  endTokensIn(texts); // What is malformed shows here, not when it is needed.
  return texts;
}

/** What becomes of the folder's texts when a model is saved. */
export interface Described {
  /** The sizes of the model to save. */
  readonly config: ModelConfig;
  /** How its weights are stored. */
  readonly dtype: FloatDtype;
  /** The id that ends a text, where the folder does not say. */
  readonly eosTokenId: number | undefined;
  /** Fields of config.json that are so whatever the folder says. */
  readonly fields?: Fields;
}

/** PyTorch's names of how weights are stored. */
const PYTORCH_DTYPES: Readonly<Record<FloatDtype, string>> = {
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
};

/**
 * The files that describe a model: the texts of its folder where there are any,
 * and in its config.json only what is otherwise now.
 */
export function companionFiles(
  companions: Companions,
  { config, dtype, eosTokenId, fields }: Described,
): Map<string, string> {
  const stored = PYTORCH_DTYPES[dtype];
  const said = parsed(companions, "config.json");
  const now = describeConfig(config, { eosTokenId });
  const before = said && describeConfig(modelConfig(said), { eosTokenId });
  const changed = Object.entries(now).filter(([name, value]) =>
    JSON.stringify(value) !== JSON.stringify(before?.[name])
  );
  const whole: Fields = {
    ...now,
    ...said,
    ...Object.fromEntries(changed),
    ...fields,
    torch_dtype: stored,
    ...said && "dtype" in said && { dtype: stored },
  };
  return new Map([
    ["config.json", format(whole)],
    [
      "tokenizer_config.json",
      format({
        tokenizer_class: "PreTrainedTokenizerFast",
        model_max_length: config.blockSize,
        clean_up_tokenization_spaces: false,
      }),
    ],
    ["generation_config.json", format({ eos_token_id: whole.eos_token_id })],
    ...[...companions].filter(([name]) => name !== "config.json"),
  ]);
}

/**
 * The ids that a folder says end a text, each once: those of config.json, then
 * those of generation_config.json, by which chat models also end their turn.
 */
export function endTokensIn(companions: Companions): number[] {
  const ids = ["config.json", "generation_config.json"].flatMap((name) => {
    const value = parsed(companions, name)?.eos_token_id ?? [];
    const list = [value].flat();
    if (list.every((id) => typeof id === "number")) return list;
    throw new RangeError(
      `Cannot read ${name}: eos_token_id is ${
        JSON.stringify(value)
      }, expected a number or a list of them`,
    );
  });
  return [...new Set(ids)];
}

/**
 * The id that fills up rows: the one that a folder names, else the first special
 * one of the tokenizer, as GPT-2's is used; null if there is none.
 */
export function padTokenOf(
  companions: Companions,
  { specialTokens }: Pick<Tokenizer, "specialTokens">,
): number | null {
  const id = parsed(companions, "config.json")?.pad_token_id;
  if (Number.isInteger(id) && (id as number) >= 0) return id as number;
  const said = parsed(companions, "tokenizer_config.json")?.pad_token;
  const name = typeof said === "string" ? said : (said as Fields)?.content;
  const [first] = specialTokens.values();
  return specialTokens.get(name as string) ?? first ?? null;
}

type Fields = Readonly<Record<string, unknown>>;

function parsed(companions: Companions, name: string): Fields | undefined {
  const text = companions.get(name);
  if (text === undefined) return undefined;
  try {
    const json = JSON.parse(text);
    const isObject = typeof json === "object" && !Array.isArray(json);
    if (isObject && json !== null) return json;
  } catch (error) {
    const reason = (error as Error).message.replace(/\s*\n\s*/g, " ");
    throw new SyntaxError(`Cannot read ${name}: ${reason}`, { cause: error });
  }
  throw new SyntaxError(`Cannot read ${name}: expected an object`);
}

function format(json: unknown): string {
  return `${JSON.stringify(json, null, 2)}\n`;
}
