/**
 * `deno task eval`: how well a model predicts a text.
 *
 * @module
 */

import { readCorpus } from "../lib/data/corpus.ts";
import { stridedBatches } from "../lib/data/evaluation.ts";
import { Device } from "../lib/gpu/device.ts";
import { evaluate as measure } from "../lib/train/evaluate.ts";
import { loadModel } from "../models/folder.ts";
import { type Parsed, readArgs } from "./args.ts";
import { describeAdapter } from "./describe_adapter.ts";
import { findModel } from "./find_model.ts";

const FLAGS = {
  "model": {
    kind: "text",
    value: "DIR|ORG/NAME[@REVISION]",
    default: "out",
    help: "Folder of the model, or its name on the Hugging Face hub",
  },
  "data": {
    kind: "texts",
    value: "FILE|DIR|GLOB|URL",
    help: "Text to predict; may come again",
  },
  "batch-size": {
    kind: "number",
    integer: true,
    least: 1,
    default: 8,
    help: "Windows at a time",
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
    "Measures how well a model predicts a text: loss in nats per token,\nperplexity, and bits per byte, which compares models of any vocabulary.",
  usage: "[FILE…]",
  flags: FLAGS,
  check: ({ values, rest }: Parsed<typeof FLAGS>) =>
    values.data.length + rest.length > 0 ? [] : ["--data is missing"],
} as const;

/** Runs the command and returns the exit code. */
export async function evaluate(args: string[]): Promise<number> {
  const parsed = readArgs(COMMAND, args);
  if (parsed === null) return 0;
  const { values, rest } = parsed;
  const data = [...values.data, ...rest];
  const documents = await readCorpus(data);

  const folder = await findModel(values.model);
  using device = await Device.open();
  console.error(describeAdapter(device));
  const { model, tokenizer } = await loadModel(device, folder);
  const { blockSize } = model.config;
  const stride = values.stride ?? Math.max(1, Math.floor(blockSize / 2));
  let nats = 0;
  let tokens = 0;
  let bytes = 0;
  for (const { name, text } of documents) {
    const ids = tokenizer.encode(text);
    if (ids.length < 2) {
      throw new RangeError(
        `Cannot evaluate on ${name}: it has ${ids.length} tokens, 2 are needed`,
      );
    }
    const batchSize = values["batch-size"];
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
  if (values.json) console.log(JSON.stringify(result));
  else {
    console.log(`loss           ${result.loss.toFixed(4)} nats per token`);
    console.log(`perplexity     ${result.perplexity.toFixed(3)}`);
    console.log(`bits per byte  ${result.bits_per_byte.toFixed(4)}`);
    console.log(`               over ${tokens} tokens, ${bytes} bytes`);
  }
  return 0;
}
