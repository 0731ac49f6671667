/**
 * What `finetune instruct` learns from: conversations, divided and encoded.
 *
 * @module
 */

import type { InstructionExample } from "../lib/data/instruction_shapes.ts";
import { repeatedPrompts } from "../lib/data/instructions.ts";
import { fingerprint } from "../lib/data/sampler_state.ts";
import { SequenceBatches } from "../lib/data/sequence_batches.ts";
import type { Random } from "../lib/random.ts";
import {
  type ChatTemplate,
  loadChatTemplate,
  loadTemplateTokens,
} from "../lib/text/chat_template.ts";
import { loadTokenizer } from "../lib/text/load.ts";
import { type PromptStyle, promptStyle } from "../lib/text/prompt_style.ts";
import { type MaskedPiece, maskedPieces } from "../lib/text/shown_mask.ts";
import type { Tokenizer } from "../lib/text/tokenizer.ts";
import { padTokenOf, readCompanions } from "../models/companions.ts";
import { readConfig } from "../models/folder.ts";
import type { ModelConfig } from "../models/model_types.ts";
import { dividedData } from "./divided_data.ts";
import type { Described } from "./described_data.ts";
import { type InstructValues, OWN_STYLE } from "./instruct_flags.ts";
import {
  type EncodedFiles,
  encodeFiles,
  examplesOf,
  type FiledExample,
  type InstructionFile,
  lostRows,
  readInstructions,
} from "./instruct_files.ts";

/** Conversations, divided. */
export interface InstructData extends Described {
  /** To learn from. */
  readonly train: EncodedFiles;
  /** To choose the best model by. */
  readonly validation: EncodedFiles;
  /** To be answered at the end. */
  readonly test: readonly InstructionExample[];
  /** How they are written. */
  readonly template: ChatTemplate;
  /** Whether that is the model's own way. */
  readonly ownTemplate: boolean;
  /** How that becomes ids. */
  readonly tokenizer: Tokenizer;
  /** The sizes of the model they are for. */
  readonly config: Required<ModelConfig>;
  /** Tokens of a row at most. */
  readonly blockSize: number;
  /** The id after the end of a row. */
  readonly padId: number;
  /** The first examples, token by token. */
  readonly masks: readonly (readonly MaskedPiece[])[];
  /** Tells the data of each part apart. */
  readonly fingerprints: Readonly<Record<string, number>>;
}

/** Reads, divides and encodes what the flags name, for the model in a folder. */
export async function readConversations(
  values: InstructValues,
  folder: string,
): Promise<InstructData> {
  const config = readConfig(folder, { dropout: values.dropout });
  const { "max-length": blockSize = config.blockSize } = values;
  if (blockSize > config.blockSize) {
    throw new RangeError(
      `Cannot read the instructions: --max-length is ${blockSize}, the model's block ${config.blockSize}`,
    );
  }
  const tokenizer = await loadTokenizer(folder);
  const style = await chooseStyle(values, folder, tokenizer);
  const learned = await readInstructions(values.data);
  const [forChoice, forAnswers] = await Promise.all(
    [values["validation-data"], values["test-data"]]
      .map((file) => file === undefined ? [] : readInstructions([file])),
  );
  const parts = dividedData(examplesOf(learned), {
    ...values,
    apart: {
      ...forChoice.length > 0 && { validation: examplesOf(forChoice) },
      ...forAnswers.length > 0 && { test: examplesOf(forAnswers) },
    },
  });
  const encode = (examples: readonly FiledExample[]) =>
    encodeFiles(examples, {
      template: style.template,
      tokenizer,
      blockSize,
      learn: values["mask-prompt"] ? "answers" : "all",
    });
  const [train, validation] = [encode(parts.train), encode(parts.validation)];
  const files = [...learned, ...forChoice, ...forAnswers];
  const share = (100 * train.targets / train.tokens).toFixed(1);
  const facts = {
    "shape": [...new Set(files.map(({ shape }) => shape))].join(", "),
    "prompt style": style.name,
    "to learn from": `${parts.train.length} examples, ${train.tokens} tokens`,
    "learned": `${train.targets} tokens (${share} %): ${
      values["mask-prompt"]
        ? "answers and what ends them"
        : "instructions and answers"
    }`,
    "to choose by":
      `${parts.validation.length} examples, ${validation.targets} tokens learned`,
    "to be answered": `${parts.test.length} examples`,
    "longest": `${Math.max(train.longest, validation.longest)} tokens`,
  };
  const data = {
    ...{ train, validation, tokenizer, config, blockSize, facts },
    test: parts.test.map(({ file: _, ...example }) => example),
    template: style.template,
    ownTemplate: style.name === OWN_STYLE,
    padId: padTokenOf(readCompanions(folder), tokenizer) ?? 0,
    masks: train.sequences.slice(0, values["show-masks"])
      .map((sequence) => maskedPieces(tokenizer, sequence)),
    fingerprints: {
      train: fingerprintOf(train),
      validation: fingerprintOf(validation),
      test: fingerprint(Uint32Array.from(
        new TextEncoder().encode(
          JSON.stringify(parts.test.map(({ messages }) => messages)),
        ),
      )),
    },
    warnings: [
      ...fileWarnings(files),
      ...[train, validation].flatMap((part) => cutWarnings(part, blockSize)),
      ...repeated(parts),
    ],
  };
  const { batches } = sequenceBatches(data, values, { part: "train" });
  return { ...data, batches };
}

/** The batches of one part of the data; without `random`, in their own order. */
export function sequenceBatches(
  data: Pick<InstructData, "train" | "validation" | "blockSize" | "padId">,
  values: InstructValues,
  { part, random }: { part: "train" | "validation"; random?: Random },
): SequenceBatches {
  return new SequenceBatches(data[part].sequences, {
    batchSize: values["batch-size"],
    blockSize: data.blockSize,
    packing: values.packing,
    groupByLength: values["group-by-length"] && !values.packing,
    padId: data.padId,
    random,
  });
}

/** How instructions are written, and what that is called. */
async function chooseStyle(
  { "prompt-style": asked }: InstructValues,
  folder: string,
  tokenizer: Tokenizer,
): Promise<{ name: string; template: ChatTemplate }> {
  const own = await loadChatTemplate(folder);
  if (own && (asked === undefined || asked === OWN_STYLE)) {
    return { name: OWN_STYLE, template: own };
  }
  if (asked === OWN_STYLE) {
    throw new RangeError(
      `Cannot write instructions in the style ${OWN_STYLE}: ${folder} has no chat template`,
    );
  }
  const name = asked as PromptStyle ?? "alpaca";
  const tokens = await loadTemplateTokens(folder);
  return { name, template: promptStyle(name, { tokenizer, tokens }) };
}

function fileWarnings(files: readonly InstructionFile[]): string[] {
  const empty = files.map((file) => ({ file, rows: file.empty }));
  const ignored = files.filter(({ ignored }) => ignored.length > 0)
    .map(({ name, ignored }) => `${name} ${ignored.join(", ")}`);
  return [
    ...lostRows(empty, "rows that are left out, for they have no answer"),
    ...ignored.length > 0
      ? [`columns that are not read: ${ignored.join("; ")}`]
      : [],
  ];
}

function cutWarnings(
  { truncated, dropped, divided }: EncodedFiles,
  blockSize: number,
): string[] {
  return [
    ...lostRows(
      truncated,
      `rows whose answers are cut off after the first ${blockSize} tokens, and with them their ends`,
    ),
    ...lostRows(
      dropped,
      `rows that are left out, for their answers begin after the first ${blockSize} tokens`,
    ),
    ...lostRows(
      divided,
      "conversations that are learned an answer at a time, for the template does not write them as one",
    ),
  ];
}

function repeated(
  { train, validation, test }: Readonly<
    Record<"train" | "validation" | "test", readonly FiledExample[]>
  >,
): string[] {
  const count = repeatedPrompts(train, [...validation, ...test]);
  if (count === 0) return [];
  return [
    `instructions to choose by or to be answered that are also learned from, and so easier than new ones: ${count}`,
  ];
}

function fingerprintOf({ sequences }: EncodedFiles): number {
  return fingerprint(Uint32Array.from(
    sequences.flatMap(({ ids, learned }) => [
      fingerprint(ids),
      fingerprint(Uint32Array.from(learned)),
    ]),
  ));
}
