/**
 * What a classifier is: its body, its labels, what it reads; and how
 * `config.json` says so.
 *
 * @module
 */

import {
  describeConfig,
  type ModelConfig,
  modelConfig,
} from "./model_types.ts";

/** What stands for a whole text: its last token, its first, or the mean of all. */
export type ReadToken = "last" | "first" | "mean";

/** Every {@linkcode ReadToken}. */
export const READ_TOKENS: readonly ReadToken[] = ["last", "first", "mean"];

/** What a classifier is. */
export interface ClassifierConfig {
  /** The sizes of the model below the score. */
  readonly body: ModelConfig;
  /** The names of the classes, in their order; two or more. */
  readonly labels: readonly string[];
  /**
   * The id that fills up rows; null, which is the default, if none can.
   * `transformers` then reads one text at a time.
   */
  readonly padTokenId?: number | null;
  /** What stands for a whole text: the last token, as in `transformers`. */
  readonly read?: ReadToken;
}

/**
 * The config with its defaults filled in. Throws a `RangeError` that names
 * everything wrong with it but its body.
 */
export function checkClassifierConfig(
  config: ClassifierConfig,
): Required<ClassifierConfig> {
  const { body, labels, padTokenId = null, read = "last" } = config;
  const problems: string[] = [];
  if (labels.length < 2) {
    problems.push(`there are ${labels.length} labels, expected 2 or more`);
  }
  const twice = labels.find((label, i) => labels.indexOf(label) !== i);
  if (twice !== undefined) problems.push(`label "${twice}" is there twice`);
  const isId = padTokenId === null ||
    Number.isInteger(padTokenId) && padTokenId >= 0 &&
      padTokenId < body.vocabSize;
  if (!isId) {
    problems.push(
      `padTokenId is ${padTokenId}, expected an id below ${body.vocabSize}`,
    );
  }
  if (!READ_TOKENS.includes(read)) {
    problems.push(`read is "${read}", expected ${READ_TOKENS.join(", ")}`);
  }
  if (problems.length > 0) {
    throw new RangeError(`Cannot make a classifier: ${problems.join("; ")}`);
  }
  return { body, labels: [...labels], padTokenId, read };
}

/** The classes of `transformers` that read our files, by `model_type`. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  gpt2: "GPT2ForSequenceClassification",
  llama: "LlamaForSequenceClassification",
  mistral: "MistralForSequenceClassification",
  qwen2: "Qwen2ForSequenceClassification",
  qwen3: "Qwen3ForSequenceClassification",
};

/**
 * What Hugging Face's `config.json` says of a classifier. One that does not read
 * the last token says so in a field of ours, `read_token`; `transformers` passes
 * over it and reads the last.
 */
export function describeClassifierConfig(
  config: ClassifierConfig,
  options: { eosTokenId?: number } = {},
): Record<string, unknown> {
  const { body, labels, padTokenId, read } = checkClassifierConfig(config);
  const said = describeConfig(body, options);
  return {
    ...said,
    architectures: [ARCHITECTURES[said.model_type as string]],
    id2label: Object.fromEntries(labels.entries()),
    label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
    pad_token_id: padTokenId,
    problem_type: "single_label_classification",
    read_token: read === "last" ? undefined : read,
  };
}

/** Whether a `config.json` is of a classifier. */
export function isClassifierConfig(json: unknown): boolean {
  const { architectures } = (json ?? {}) as Fields;
  return [architectures].flat().some((name) =>
    typeof name === "string" && name.endsWith("ForSequenceClassification")
  );
}

/**
 * The classifier in a `config.json`. Throws a `RangeError` naming what is not one,
 * or is not supported.
 */
export function classifierConfig(json: unknown): Required<ClassifierConfig> {
  const body = modelConfig(json);
  const said = json as Fields;
  if (!isClassifierConfig(json)) {
    throw new RangeError(
      `Cannot classify with this model: config.json says it is a ${
        [said.architectures].flat().join(", ") || `"${said.model_type}"`
      }, expected one …ForSequenceClassification`,
    );
  }
  const { problem_type: problem = null } = said;
  if (problem !== null && problem !== "single_label_classification") {
    throw new RangeError(
      `Cannot classify with this model: problem_type is ${
        JSON.stringify(problem)
      }, supported is "single_label_classification"`,
    );
  }
  return checkClassifierConfig({
    body,
    labels: labelsIn(said),
    padTokenId: (said.pad_token_id ?? null) as number | null,
    read: (said.read_token ?? "last") as ReadToken,
  });
}

type Fields = Readonly<Record<string, unknown>>;

/** The labels by their number; unnamed ones are called as in `transformers`. */
function labelsIn({ id2label, num_labels: count = 2 }: Fields): string[] {
  if (id2label === undefined || id2label === null) {
    return Array.from({ length: count as number }, (_, i) => `LABEL_${i}`);
  }
  const named = Object.entries(id2label);
  const labels = named.map((_, i) => (id2label as Fields)[i]);
  if (labels.every((label) => typeof label === "string")) return labels;
  throw new RangeError(
    `Cannot read config.json: id2label is ${
      JSON.stringify(id2label)
    }, expected a name for each number from 0`,
  );
}
