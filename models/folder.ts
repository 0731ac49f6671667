/**
 * A model on disk: a Hugging Face folder, readable by `transformers` and here.
 *
 * `config.json`, `model.safetensors` and `tokenizer.json`, with the names and
 * layouts of Hugging Face.
 *
 * @module
 */

import { join } from "node:path";
import type { Device } from "../lib/gpu/device.ts";
import { makeFolder, replaceFileIfChanged } from "../lib/io/atomic.ts";
import {
  type HostTensor,
  SafetensorsFile,
  saveSafetensors,
  type TensorSource,
} from "../lib/io/safetensors.ts";
import { parameters } from "../lib/nn/parameters.ts";
import { type HostArray, readAll, type Tensor } from "../lib/tensor/tensor.ts";
import { loadTokenizer } from "../lib/text/load.ts";
import type { Tokenizer } from "../lib/text/tokenizer.ts";
import { GPT2 } from "./gpt2.ts";
import {
  fromHuggingFace,
  type GPT2Config,
  toHuggingFace,
} from "./gpt2_config.ts";

const PREFIX = "transformer.";

/** A model and how text becomes its ids. */
export interface LoadedModel {
  /** The model, on the device it was loaded to. */
  readonly model: GPT2;
  /** Its tokenizer. */
  readonly tokenizer: Tokenizer;
}

/**
 * Writes a model folder: everything that `transformers` and
 * {@linkcode loadModel} need, each file whole or not at all.
 */
export async function saveModel(
  folder: string,
  { model, tokenizer }: LoadedModel,
): Promise<void> {
  describeModel(folder, { model, tokenizer });
  await saveSafetensors(
    join(folder, "model.safetensors"),
    modelTensors(model),
  );
}

/** Writes what a model folder holds beside the weights. */
export function describeModel(
  folder: string,
  { model, tokenizer }: LoadedModel,
): void {
  makeFolder(folder);
  const [eosTokenId] = tokenizer.specialTokens.values();
  const files: Record<string, unknown> = {
    "config.json": toHuggingFace(model.config, { eosTokenId }),
    "tokenizer.json": tokenizer,
    "tokenizer_config.json": {
      tokenizer_class: "PreTrainedTokenizerFast",
      model_max_length: model.config.blockSize,
      clean_up_tokenization_spaces: false,
    },
    "generation_config.json": { eos_token_id: eosTokenId ?? null },
  };
  for (const [name, content] of Object.entries(files)) {
    replaceFileIfChanged(
      join(folder, name),
      `${JSON.stringify(content, null, 2)}\n`,
    );
  }
}

/** What a loaded model may have otherwise than its folder says. */
export interface LoadOptions {
  /** Share of activations dropped in training. */
  readonly dropout?: number;
}

/**
 * Loads a model folder. Throws one line naming the file and what is missing,
 * malformed or not supported.
 */
export async function loadModel(
  device: Device,
  folder: string,
  options: LoadOptions = {},
): Promise<LoadedModel> {
  const config = { ...readConfig(folder), ...options };
  const tokenizer = await loadTokenizer(folder);
  if (tokenizer.vocabSize > config.vocabSize) {
    throw new RangeError(
      `Cannot load ${folder}: its tokenizer has ${tokenizer.vocabSize} tokens, its model ${config.vocabSize}`,
    );
  }
  const path = join(folder, "model.safetensors");
  using file = SafetensorsFile.open(path);
  const model = new GPT2({ device, random: null }, config);
  try {
    loadWeights(model, file, path);
  } catch (error) {
    for (const parameter of parameters(model).values()) {
      parameter[Symbol.dispose]();
    }
    throw error;
  }
  return { model, tokenizer };
}

/** The sizes of the model in a folder. */
function readConfig(folder: string): Required<GPT2Config> {
  const path = join(folder, "config.json");
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(
      `Cannot load a model from ${folder}: there is no config.json in it`,
      { cause: error },
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(
      `Cannot read ${path}: ${
        (error as Error).message.replace(/\s*\n\s*/g, " ")
      }`,
      { cause: error },
    );
  }
  return fromHuggingFace(json);
}

/** The weights of a model by their published names, read from the GPU. */
export function modelTensors(model: GPT2): TensorSource {
  const { nEmbd: c, bias, nLayer } = model.config;
  const named = new Map<string, Tensor>();
  for (const [name, parameter] of parameters(model)) {
    named.set(PREFIX + name, parameter);
  }
  const zeros = new Map<string, number[]>();
  if (!bias) {
    for (let layer = 0; layer < nLayer; layer++) {
      const block = `${PREFIX}h.${layer}.`;
      zeros.set(`${block}ln_1.bias`, [c]);
      zeros.set(`${block}attn.c_attn.bias`, [3 * c]);
      zeros.set(`${block}attn.c_proj.bias`, [c]);
      zeros.set(`${block}ln_2.bias`, [c]);
      zeros.set(`${block}mlp.c_fc.bias`, [4 * c]);
      zeros.set(`${block}mlp.c_proj.bias`, [c]);
    }
    zeros.set(`${PREFIX}ln_f.bias`, [c]);
  }
  return tensorSource(named, zeros);
}

/**
 * Tensors on the GPU as a source of files, read in groups of bounded size, and
 * after them zeros of the shapes given.
 */
export function tensorSource(
  named: ReadonlyMap<string, Tensor>,
  zeros: ReadonlyMap<string, readonly number[]> = new Map(),
): TensorSource {
  const shapes = new Map<string, readonly number[]>();
  for (const [name, { shape }] of named) shapes.set(name, shape);
  for (const [name, shape] of zeros) shapes.set(name, shape);
  return { shapes, tensors: readTensors(named, zeros) };
}

const GROUP_BYTES = 64 << 20;

async function* readTensors(
  named: ReadonlyMap<string, Tensor>,
  zeros: ReadonlyMap<string, readonly number[]>,
): AsyncGenerator<readonly [string, HostTensor]> {
  let group: [name: string, tensor: Tensor][] = [];
  let bytes = 0;
  const settle = async () => {
    const data = await readAll(group.map(([, tensor]) => tensor));
    const read = group.map(([name, { shape }], i) =>
      [name, { shape, data: data[i] as Float32Array<ArrayBuffer> }] as const
    );
    group = [];
    bytes = 0;
    return read;
  };
  for (const [name, tensor] of named) {
    group.push([name, tensor]);
    bytes += tensor.bytes;
    if (bytes >= GROUP_BYTES) yield* await settle();
  }
  yield* await settle();
  for (const [name, shape] of zeros) {
    const size = shape.reduce((product, n) => product * n, 1);
    yield [name, { shape, data: new Float32Array(size) }];
  }
}

/**
 * Fills a model from a file with or without the `transformer.` prefix. Throws a
 * `RangeError` that lists every name or shape that does not fit.
 */
export function loadWeights(
  model: GPT2,
  file: SafetensorsFile,
  path: string,
): void {
  const left = new Map(
    [...file.tensors.keys()].map((name) => [
      name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name,
      name,
    ]),
  );
  fill(parameters(model), left, file, path);
  // Masks that old checkpoints keep, the head where it is the embedding, and
  // zeros in place of biases the model does without.
  const strange = [...left].filter(([name, stored]) =>
    !/^(lm_head\.weight|.*\.attn\.(masked_)?bias)$/.test(name) &&
    (model.config.bias || !name.endsWith(".bias") ||
      file.read(stored).data.some((value) => value !== 0))
  ).map(([name]) => name);
  if (strange.length > 0) {
    throw new RangeError(
      `Cannot load ${path}: the model has no ${strange.slice(0, 3).join(", ")}${
        strange.length > 3 ? ` and ${strange.length - 3} others` : ""
      }`,
    );
  }
}

/** Fills tensors by name, taking the names found out of `names`. */
export function fill(
  targets: ReadonlyMap<string, Tensor>,
  names: Map<string, string>,
  file: SafetensorsFile,
  path: string,
): void {
  const problems: string[] = [];
  for (const [name, target] of targets) {
    const stored = names.get(name);
    const shape = stored && file.tensors.get(stored)?.shape;
    if (stored === undefined) problems.push(`${name} is missing`);
    else if (`${shape}` !== `${target.shape}`) {
      problems.push(`${name} is [${shape}], expected [${target.shape}]`);
    }
  }
  if (problems.length > 0) {
    throw new RangeError(
      `Cannot load ${path}: ${problems.slice(0, 3).join("; ")}${
        problems.length > 3 ? `; and ${problems.length - 3} more` : ""
      }`,
    );
  }
  for (const [name, target] of targets) {
    target.write(file.read(names.get(name)!).data as HostArray);
    names.delete(name);
  }
}
