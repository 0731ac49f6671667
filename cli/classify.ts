/**
 * `deno task classify`: the class of every line, and how likely each is.
 *
 * @module
 */

import { readCorpus } from "../lib/data/corpus.ts";
import { encodeExamples } from "../lib/data/class_examples.ts";
import { labeledTexts, textsOf } from "../lib/data/labeled_text.ts";
import { formatOf, parseTable, type Table } from "../lib/data/table.ts";
import { Device } from "../lib/gpu/device.ts";
import { classTableText } from "../lib/report/class_table.ts";
import { confusionText } from "../lib/report/confusion_text.ts";
import {
  classProbabilities,
  likeliestClass,
} from "../lib/train/classification.ts";
import { scoreClasses } from "../lib/train/class_scores.ts";
import {
  loadClassifier,
  type LoadedClassifier,
} from "../models/classifier_folder.ts";
import { type Parsed, readArgs, type Values } from "./args.ts";
import { describeAdapter } from "./describe_adapter.ts";
import { ADAPTER_FLAG, findAdapted } from "./find_model.ts";
import { lineGroups, type NumberedLine } from "./line_groups.ts";
import { stdinLines } from "./stdio.ts";

const FLAGS = {
  "model": {
    kind: "text",
    value: "DIR|ORG/NAME[@REVISION]",
    default: "out",
    help: "Folder of the classifier, or its name on the Hugging Face hub",
  },
  "adapter": { ...ADAPTER_FLAG, kind: "text" },
  "data": {
    kind: "text",
    value: "FILE|URL",
    help:
      "Texts: a column of a .csv, .tsv or .jsonl, or else a text a line (default: the lines of stdin)",
  },
  "text-column": {
    kind: "text",
    value: "NAME|N",
    help: "The column of the texts: its name, or its number from 1",
  },
  "label-column": {
    kind: "text",
    value: "NAME|N",
    help: "Compare with the labels in this column, and say how good that is",
  },
  "header": {
    kind: "switch",
    negatable: true,
    help:
      "Whether the first row names the columns (default: if it has usual names, or those given)",
  },
  "batch-size": {
    kind: "number",
    integer: true,
    least: 1,
    default: 8,
    help: "Texts at a time",
  },
  "json": { kind: "switch", help: "Print a JSON object per text" },
} as const;

const COMMAND = {
  name: "classify",
  about:
    "Prints for every text its likeliest label and the probability of each,\nparted by tabs: LABEL, then NAME=PROBABILITY of every label, then the text.\nLines of stdin are answered as they come; empty ones are passed over.",
  flags: FLAGS,
  check,
} as const;

type Settings = Values<typeof FLAGS>;

/** Batches of texts that are worked on together. */
const BATCHES = 64;

/** Runs the command and returns the exit code. */
export async function classify(args: string[]): Promise<number> {
  const parsed = readArgs(COMMAND, args);
  if (parsed === null) return 0;
  const { values, given } = parsed;
  const header = given.has("header") ? values.header : undefined;
  const texts = values.data === undefined
    ? null
    : await readTexts(values.data, { ...values, header });
  const { folder, adapters: [adapter, ...others] } = await findAdapted({
    model: given.has("model") ? values.model : undefined,
    otherwise: values.model,
    adapters: values.adapter === undefined ? [] : [values.adapter],
  });
  if (others.length > 0) {
    throw new RangeError(
      `Cannot classify with two adapters: --model is one, and --adapter another`,
    );
  }
  using device = await Device.open();
  console.error(describeAdapter(device));
  const loaded = await loadClassifier(device, folder, { adapter });
  const show = (answer: Answer) => console.log(formatted(answer, values.json));
  const counts = { empty: 0, cut: 0 };
  const options = { batchSize: values["batch-size"], counts };
  if (texts === null) {
    const groups = lineGroups(stdinLines(), BATCHES * values["batch-size"]);
    for await (const group of groups) {
      for (const answer of await answersTo(device, loaded, group, options)) {
        show(answer);
      }
    }
  } else {
    const answers = await answersTo(device, loaded, texts, options);
    for (const answer of answers) show(answer);
    if (values["label-column"] !== undefined) {
      console.error(comparison(loaded, answers));
    }
  }
  if (counts.empty > 0) {
    console.error(`note: empty lines passed over: ${counts.empty}`);
  }
  if (counts.cut > 0) {
    console.error(
      `note: of ${counts.cut} texts the end did not fit the model's block of ${loaded.model.config.body.blockSize} tokens`,
    );
  }
  return 0;
}

/** What is wrong with the flags together. */
function check({ values, given, rest: [word] }: Parsed<typeof FLAGS>) {
  const needData = (["text-column", "label-column", "header"] as const)
    .filter((name) => given.has(name) && !isTable(values.data));
  return [
    ...word === undefined ? [] : [`unexpected "${word}"; texts come by stdin`],
    ...needData.map((name) => `--${name} is for --data that is a table`),
  ];
}

function isTable(name = ""): boolean {
  try {
    return formatOf(name) !== undefined;
  } catch {
    return false;
  }
}

/** A text to classify, and its label if that is known. */
interface Text extends NumberedLine {
  readonly label?: string;
}

async function readTexts(
  source: string,
  { header, ...settings }: Omit<Settings, "header"> & { header?: boolean },
): Promise<readonly Text[]> {
  const [{ text, name }] = await readCorpus([source]);
  if (!isTable(name)) {
    return text.replace(/\r?\n$/, "").split(/\r?\n/)
      .map((text, at) => ({ text, line: at + 1 }));
  }
  const table: Table = parseTable(text, name);
  const column = settings["text-column"];
  const label = settings["label-column"];
  return label === undefined
    ? textsOf(table, { text: column, header })
    : labeledTexts(table, { text: column, label, header }).examples;
}

/** What the model makes of a text. */
interface Answer extends Text {
  readonly guess: string;
  readonly probabilities: readonly (readonly [label: string, share: number])[];
}

async function answersTo(
  device: Device,
  { model, tokenizer }: LoadedClassifier,
  texts: readonly Text[],
  { batchSize, counts }: {
    readonly batchSize: number;
    readonly counts: { empty: number; cut: number };
  },
): Promise<readonly Answer[]> {
  const { labels, padTokenId, body: { blockSize } } = model.config;
  const full = texts.filter(({ text }) => text.trim() !== "");
  const [label] = labels; // the true one is of no account here
  const { examples, truncated } = encodeExamples(
    full.map((text) => ({ ...text, label })),
    labels,
    {
      encode: (text) => tokenizer.encode(text, { addSpecialTokens: true }),
      maxLength: blockSize,
      padTokenId,
    },
  );
  counts.empty += texts.length - full.length;
  counts.cut += truncated;
  const found = await classProbabilities({
    ...{ device, model, examples, batchSize, padTokenId },
  });
  return full.map((text, i) => ({
    ...text,
    guess: labels[likeliestClass(found[i])],
    probabilities: labels.map((label, k) => [label, found[i][k]] as const),
  }));
}

function formatted(answer: Answer, asJson: boolean): string {
  const { text, line, label, guess, probabilities } = answer;
  if (asJson) {
    return JSON.stringify({
      line,
      text,
      ...label !== undefined && { expected: label },
      label: guess,
      probabilities: Object.fromEntries(probabilities),
    });
  }
  return [
    guess,
    ...probabilities.map(([label, share]) => `${label}=${share.toFixed(4)}`),
    text,
  ].map((part) => part.replace(/\s+/g, " ")).join("\t");
}

/** How good the answers are, for people. */
function comparison(
  { model: { config: { labels } } }: LoadedClassifier,
  answers: readonly Answer[],
): string {
  const classOf = (label: string, line: number) => {
    const found = labels.indexOf(label);
    if (found >= 0) return found;
    throw new RangeError(
      `Cannot compare line ${line}: its label "${label}" is none of the model's, which are ${
        labels.map((label) => `"${label}"`).join(", ")
      }`,
    );
  };
  const scores = scoreClasses({
    labels: answers.map(({ label, line }) => classOf(label!, line)),
    guesses: answers.map(({ guess }) => labels.indexOf(guess)),
    classes: labels.length,
  });
  return [
    `accuracy ${(100 * scores.accuracy).toFixed(2)} % of ${answers.length}`,
    classTableText({ split: "data", labels, scores }),
    confusionText({ labels, counts: scores.confusion }),
  ].join("\n\n");
}
