/**
 * What `finetune classify` learns from: labeled texts, divided and encoded.
 *
 * @module
 */

import {
  balanceLabels,
  countLabels,
  type ExampleParts,
  labelsOf,
  repeatedTexts,
} from "../lib/data/classification.ts";
import {
  type ClassExample,
  encodeExamples,
  type PadOptions,
} from "../lib/data/class_examples.ts";
import { readCorpus } from "../lib/data/corpus.ts";
import { type LabeledText, labeledTexts } from "../lib/data/labeled_text.ts";
import { listed } from "../lib/data/listed.ts";
import { fingerprint } from "../lib/data/sampler_state.ts";
import { parseTable } from "../lib/data/table.ts";
import { Random } from "../lib/random.ts";
import { loadTokenizer } from "../lib/text/load.ts";
import { padTokenOf, readCompanions } from "../models/companions.ts";
import { readConfig } from "../models/folder.ts";
import type { ModelConfig } from "../models/model_types.ts";
import type { ClassifyValues } from "./classify_flags.ts";
import { dividedData } from "./divided_data.ts";
import type { Described } from "./described_data.ts";

/** Examples of classes, divided. */
export interface ClassificationData extends Described {
  /** The names of the classes, in their order. */
  readonly labels: readonly string[];
  /** The examples of each part, as ids. */
  readonly parts: ExampleParts<ClassExample>;
  /** The sizes of the model they are for. */
  readonly config: Required<ModelConfig>;
  /** The id that fills up rows, if one can. */
  readonly padTokenId: number | null;
  /** How rows are filled up. */
  readonly padding: PadOptions;
  /** Tells the data of each part apart. */
  readonly fingerprints: Readonly<Record<string, number>>;
}

const PARTS = ["train", "validation", "test"] as const;

/** Reads, divides and encodes what the flags name, for the model in a folder. */
export async function readExamples(
  values: ClassifyValues,
  folder: string,
): Promise<ClassificationData> {
  const config = readConfig(folder, { dropout: values.dropout });
  const { "max-length": most = config.blockSize } = values;
  if (most > config.blockSize) {
    throw new RangeError(
      `Cannot read the texts: --max-length is ${most}, the model's block ${config.blockSize}`,
    );
  }
  const tokenizer = await loadTokenizer(folder);
  const padTokenId = padTokenOf(readCompanions(folder), tokenizer);

  const all = await readTexts(values.data, values);
  const labels = labelsOf(all);
  const apart = {
    validation: await readPart(values["validation-data"], labels, values),
    test: await readPart(values["test-data"], labels, values),
  };
  const used = values.balance
    ? balanceLabels(all, new Random(values.seed).fork())
    : all;
  const texts = dividedData(used, { ...values, apart });
  const encoded = Object.fromEntries(
    PARTS.map((part) => [
      part,
      encodeExamples(texts[part], labels, {
        encode: (text) => tokenizer.encode(text, { addSpecialTokens: true }),
        maxLength: most,
        padTokenId,
      }),
    ]),
  );
  const longest = Math.max(...PARTS.map((part) => encoded[part].longest));
  const padTo = values["max-length"] ?? Math.min(longest, most);
  const facts = {
    "classes": labels.join(", "),
    "texts": counted(all, labels),
    ...values.balance && { "balanced": counted(used, labels) },
    "to learn from": counted(texts.train, labels),
    "to choose by": counted(texts.validation, labels),
    "to be judged by": counted(texts.test, labels),
    "longest text": `${longest} tokens`,
  };
  const parts = {
    train: encoded.train.examples,
    validation: encoded.validation.examples,
    test: encoded.test.examples,
  };
  const cut = PARTS.reduce((sum, part) => sum + encoded[part].truncated, 0);
  return {
    ...{ labels, parts, config, padTokenId, facts },
    padding: { padTokenId, ...values["pad-to-max-length"] && { padTo } },
    batches: Math.ceil(parts.train.length / values["batch-size"]),
    fingerprints: Object.fromEntries(
      PARTS.map((part) => [part, fingerprintOf(parts[part])]),
    ),
    warnings: [
      ...cut > 0
        ? [
          `texts of which only the first ${most} tokens are read: ${cut} (the longest has ${longest})`,
        ]
        : [],
      ...missingLabels(texts.train, labels),
      ...repeated(texts),
    ],
  };
}

async function readTexts(
  files: readonly string[],
  values: ClassifyValues,
): Promise<LabeledText[]> {
  const columns = {
    text: values["text-column"],
    label: values["label-column"],
    header: values.header,
  };
  const documents = await readCorpus(files);
  return documents.flatMap(({ text, name }) =>
    labeledTexts(parseTable(text, name), columns).examples
  );
}

/** The texts of a part that has a file of its own, with labels that are known. */
async function readPart(
  file: string | undefined,
  labels: readonly string[],
  values: ClassifyValues,
): Promise<LabeledText[] | undefined> {
  if (file === undefined) return undefined;
  const texts = await readTexts([file], values);
  const problems = texts.filter(({ label }) => !labels.includes(label))
    .map(({ line, label }) => `line ${line} has the label "${label}"`);
  if (problems.length === 0) return texts;
  throw new RangeError(
    `Cannot read ${file}: ${listed(problems)}; those to learn from have ${
      labels.map((label) => `"${label}"`).join(", ")
    }`,
  );
}

/** How many texts there are, and how many of each class. */
function counted(
  texts: readonly LabeledText[],
  labels: readonly string[],
): string {
  const counts = countLabels(texts, labels)
    .map((count, i) => `${labels[i]} ${count}`);
  return `${texts.length}: ${counts.join(", ")}`;
}

function missingLabels(
  texts: readonly LabeledText[],
  labels: readonly string[],
): string[] {
  const counts = countLabels(texts, labels);
  const missing = labels.filter((_, i) => counts[i] === 0);
  if (missing.length === 0) return [];
  return [`classes that no text to learn from is of: ${missing.join(", ")}`];
}

function repeated(texts: ExampleParts<LabeledText>): string[] {
  const count = repeatedTexts(texts);
  if (count === 0) return [];
  return [
    `texts to choose by or to be judged by that are also learned from, and so easier than new ones: ${count}`,
  ];
}

function fingerprintOf(examples: readonly ClassExample[]): number {
  return fingerprint(Uint32Array.from(
    examples.flatMap(({ ids, label }) => [fingerprint(ids), label]),
  ));
}
