/**
 * `deno task eval`: how well a model predicts a text, or chooses endings.
 *
 * @module
 */

import { type Document, readCorpus } from "../lib/data/corpus.ts";
import { stridedBatches } from "../lib/data/evaluation.ts";
import {
  type MultipleChoice,
  parseMultipleChoice,
} from "../lib/data/multiple_choice.ts";
import { Device } from "../lib/gpu/device.ts";
import { evaluate as measure } from "../lib/train/evaluate.ts";
import { answer } from "../lib/train/multiple_choice.ts";
import { type LoadedModel, loadModel } from "../models/folder.ts";
import { type Parsed, readArgs, type Values } from "./args.ts";
import { describeAdapter } from "./describe_adapter.ts";
import { ADAPTER_FLAG, findAdapted } from "./find_model.ts";
import { formatDuration, Progress } from "./progress.ts";

const FLAGS = {
  "model": {
    kind: "text",
    value: "DIR|ORG/NAME[@REVISION]",
    default: "out",
    help: "Folder of the model, or its name on the Hugging Face hub",
  },
  "adapter": {
    ...ADAPTER_FLAG,
    help: `${ADAPTER_FLAG.help}; of several, each is measured`,
  },
  "data": {
    kind: "texts",
    value: "FILE|DIR|GLOB|URL",
    help: "Text to predict; may come again",
  },
  "choices": {
    kind: "text",
    value: "FILE",
    help:
      "Choose among the endings of this file's rows instead: JSON lines with ctx, endings and label, as HellaSwag's",
  },
  "limit": {
    kind: "number",
    integer: true,
    least: 1,
    help: "Rows of --choices to read at most (default: all)",
  },
  "batch-size": {
    kind: "number",
    integer: true,
    least: 1,
    default: 8,
    help: "Windows, or endings, at a time",
  },
  "block-size": {
    kind: "number",
    integer: true,
    least: 1,
    help:
      "Tokens in each window (default: the model's block, 1024 at most; with --choices: the model's block)",
  },
  "stride": {
    kind: "number",
    integer: true,
    least: 1,
    help: "New tokens in each window (default: half a block)",
  },
  "json": { kind: "switch", help: "Print a JSON object" },
} as const;

const COMMAND = {
  name: "eval",
  about:
    "Measures how well a model predicts a text: loss in nats per token,\nperplexity, and bits per byte, which compares models of any vocabulary.\nOr with --choices: how often it finds the right ending likeliest, by its\nlog-probability (acc), or by that per character (acc_norm).",
  usage: "[FILE…]",
  flags: FLAGS,
  check,
} as const;

/** Windows of a text are no longer than this unless it is asked for. */
const LONGEST_WINDOW = 1024;

/** Runs the command and returns the exit code. */
export async function evaluate(args: string[]): Promise<number> {
  const parsed = readArgs(COMMAND, args);
  if (parsed === null) return 0;
  const { values, given, rest } = parsed;
  const evaluation = values.choices === undefined
    ? await onText([...values.data, ...rest], values)
    : await onChoices(values.choices, values);
  const { device, loaded, names } = await open(values, given.has("model"));
  using _device = device;
  const { adapters = [] } = loaded;
  const several = adapters.length > 1;
  for (const [i, adapter] of (several ? adapters : [null]).entries()) {
    adapter?.attach();
    const { result, lines } = await evaluation({ device, ...loaded });
    const named = several ? { adapter: names[i], ...result } : result;
    const text = several ? [`${names[i]}:`, ...lines] : lines;
    console.log(values.json ? JSON.stringify(named) : text.join("\n"));
  }
  return 0;
}

/** What is wrong with the flags together. */
function check({ values, given, rest }: Parsed<typeof FLAGS>): string[] {
  const hasText = values.data.length + rest.length > 0;
  if (values.choices === undefined) {
    const problems = hasText ? [] : ["--data is missing"];
    if (given.has("limit")) problems.push("--limit is for --choices");
    return problems;
  }
  const problems = hasText ? ["--choices and --data exclude each other"] : [];
  if (given.has("stride")) problems.push("--stride is not for --choices");
  return problems;
}

/** What was found, for programs and for people. */
interface Report {
  readonly result: Readonly<Record<string, number>>;
  readonly lines: readonly string[];
}

type Settings = Values<typeof FLAGS>;

/** What is to be found out of a model, once that is there. */
type Evaluation = (
  opened: LoadedModel & { readonly device: Device },
) => Promise<Report>;

/** Opens the device, and loads the model and its adapters to it. */
async function open(settings: Settings, isNamed: boolean) {
  const { folder, adapters } = await findAdapted({
    model: isNamed ? settings.model : undefined,
    otherwise: settings.model,
    adapters: settings.adapter,
  });
  const device = await Device.open();
  console.error(describeAdapter(device));
  try {
    const loaded = await loadModel(device, folder, { adapters });
    const { blockSize } = loaded.model.config;
    const asked = settings["block-size"];
    if (asked !== undefined && asked > blockSize) {
      throw new RangeError(
        `Cannot evaluate: --block-size is ${asked}, the model's block ${blockSize}`,
      );
    }
    return { device, loaded, names: adapters };
  } catch (error) {
    device[Symbol.dispose]();
    throw error;
  }
}

async function onText(
  sources: readonly string[],
  settings: Settings,
): Promise<Evaluation> {
  const documents = await readCorpus(sources);
  return (opened) => predictText(documents, opened, settings);
}

async function predictText(
  documents: readonly Document[],
  { device, model, tokenizer }: Parameters<Evaluation>[0],
  settings: Settings,
): Promise<Report> {
  const blockSize = settings["block-size"] ??
    Math.min(model.config.blockSize, LONGEST_WINDOW);
  const stride = settings.stride ?? Math.max(1, Math.floor(blockSize / 2));
  const batchSize = settings["batch-size"];
  let nats = 0;
  let tokens = 0;
  let bytes = 0;
  for (const { name, text } of documents) {
    const ids = tokenizer.encode(text, { addSpecialTokens: true });
    if (ids.length < 2) {
      throw new RangeError(
        `Cannot evaluate on ${name}: it has ${ids.length} tokens, 2 are needed`,
      );
    }
    const found = await measure({
      device,
      model,
      batches: stridedBatches(ids, { batchSize, blockSize, stride }),
    });
    nats += found.loss * found.tokens;
    tokens += found.tokens;
    bytes += new TextEncoder().encode(text).length;
  }
  const result = {
    loss: nats / tokens,
    perplexity: Math.exp(nats / tokens),
    bits_per_byte: nats / Math.LN2 / bytes,
    tokens,
    bytes,
  };
  return {
    result,
    lines: [
      `loss           ${result.loss.toFixed(4)} nats per token`,
      `perplexity     ${result.perplexity.toFixed(3)}`,
      `bits per byte  ${result.bits_per_byte.toFixed(4)}`,
      `               over ${tokens} tokens, ${bytes} bytes`,
    ],
  };
}

async function onChoices(
  file: string,
  settings: Settings,
): Promise<Evaluation> {
  const [{ text, name }] = await readCorpus([file]);
  const questions = parseMultipleChoice(text, name).slice(0, settings.limit);
  return (opened) => choose(questions, opened, settings);
}

async function choose(
  questions: readonly MultipleChoice[],
  { device, model, tokenizer }: Parameters<Evaluation>[0],
  settings: Settings,
): Promise<Report> {
  using progress = new Progress();
  const start = performance.now();
  let count = 0;
  let right = 0;
  let rightNorm = 0;
  let cut = 0;
  const answers = answer({
    ...{ device, model, tokenizer, questions },
    batchSize: settings["batch-size"],
    blockSize: settings["block-size"],
  });
  for await (const { pick, pickNorm, label, isCut } of answers) {
    count++;
    right += Number(pick === label);
    rightNorm += Number(pickNorm === label);
    cut += Number(isCut);
    const seconds = (performance.now() - start) / 1000;
    const total = questions.length;
    const etaSeconds = seconds / count * (total - count);
    progress.update(
      { step: count, total, etaSeconds },
      ({ step }, columns) =>
        `${step} of ${total} rows  acc ${(right / step).toFixed(4)}  ETA ${
          formatDuration(etaSeconds)
        }`.slice(0, Math.max(0, columns)),
    );
  }
  if (cut > 0) {
    progress.line(
      `note: of ${cut} rows the start of the context did not fit the block`,
    );
  }
  const result = { acc: right / count, acc_norm: rightNorm / count, count };
  return {
    result,
    lines: [
      `acc       ${result.acc.toFixed(4)}`,
      `acc_norm  ${result.acc_norm.toFixed(4)}`,
      `          over ${count} rows`,
    ],
  };
}
