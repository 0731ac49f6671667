/**
 * The weights of a model on their way from and to files, by their published
 * names.
 *
 * @module
 */

import type {
  HostTensor,
  StoredTensors,
  TensorSource,
} from "../lib/io/tensors.ts";
import { parameters } from "../lib/nn/parameters.ts";
import { Parameter } from "../lib/tensor/parameter.ts";
import { readAll, type Tensor } from "../lib/tensor/tensor.ts";
import { GPT2 } from "./gpt2.ts";
import type { Model } from "./model_types.ts";

const GPT2_PREFIX = "transformer.";

/** The published name of what lies at a path in a model: a parameter, a layer. */
export function publishedName(model: object, path: string): string {
  return model instanceof GPT2 ? GPT2_PREFIX + path : path;
}

/**
 * The weights of a model by their published names, read from the GPU. Throws an
 * `Error` if it has an adapter on, which is no part of them unless it is merged.
 */
export function modelTensors(model: Model): TensorSource {
  if (parameters(model).keys().some((path) => path.includes(".adapter."))) {
    throw new Error(
      "Cannot save a model that has an adapter on: merge it first, or save the adapter by itself",
    );
  }
  if (!(model instanceof GPT2)) return tensorSource(parameters(model));
  const { nEmbd: c, bias, nLayer } = model.config;
  const named = new Map<string, Tensor>();
  for (const [name, parameter] of parameters(model)) {
    named.set(GPT2_PREFIX + name, parameter);
  }
  const zeros = new Map<string, number[]>();
  if (!bias) {
    for (let layer = 0; layer < nLayer; layer++) {
      const block = `${GPT2_PREFIX}h.${layer}.`;
      zeros.set(`${block}ln_1.bias`, [c]);
      zeros.set(`${block}attn.c_attn.bias`, [3 * c]);
      zeros.set(`${block}attn.c_proj.bias`, [c]);
      zeros.set(`${block}ln_2.bias`, [c]);
      zeros.set(`${block}mlp.c_fc.bias`, [4 * c]);
      zeros.set(`${block}mlp.c_proj.bias`, [c]);
    }
    zeros.set(`${GPT2_PREFIX}ln_f.bias`, [c]);
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
 * Fills a model from stored tensors; GPT-2's may or may not have the prefix
 * `transformer.`. Throws a `RangeError` that lists every name or shape that does
 * not fit, saying that they are of `path`.
 */
export async function loadWeights(
  model: Model,
  stored: StoredTensors,
  path: string,
): Promise<void> {
  const prefix = model instanceof GPT2 ? GPT2_PREFIX : "";
  const left = new Map(
    [...stored.tensors.keys()].map((name) => [
      name.startsWith(prefix) ? name.slice(prefix.length) : name,
      name,
    ]),
  );
  await fill(parameters(model), left, stored, path);
  const strange = [...left]
    .filter(([name, of]) => !dispensable(model, name, () => stored.read(of)))
    .map(([name]) => name);
  if (strange.length > 0) {
    throw new RangeError(
      `Cannot load ${path}: the model has no ${strange.slice(0, 3).join(", ")}${
        strange.length > 3 ? ` and ${strange.length - 3} others` : ""
      }`,
    );
  }
}

/**
 * Whether a model does without a tensor: the head where it is the embedding,
 * masks and frequencies that old checkpoints keep, and zeros in place of biases
 * that are not there.
 */
function dispensable(
  model: Model,
  name: string,
  read: () => HostTensor,
): boolean {
  if (name === "lm_head.weight") return true; // or it would have been found
  if (!(model instanceof GPT2)) return name.endsWith(".rotary_emb.inv_freq");
  return /\.attn\.(masked_)?bias$/.test(name) ||
    (!model.config.bias && name.endsWith(".bias") &&
      read().data.every((value) => value === 0));
}

/**
 * Fills tensors by name, taking the names found out of `names`. Waits for the
 * GPU now and then, since what is on its way there is in memory twice.
 */
export async function fill(
  targets: ReadonlyMap<string, Tensor>,
  names: Map<string, string>,
  stored: StoredTensors,
  path: string,
): Promise<void> {
  const problems: string[] = [];
  for (const [name, target] of targets) {
    const found = names.get(name);
    const shape = found && stored.tensors.get(found)?.shape;
    if (found === undefined) problems.push(`${name} is missing`);
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
  let bytes = 0;
  for (const [name, target] of targets) {
    for (const { first, end, data } of stored.slices(names.get(name)!)) {
      if (data.length === target.size) target.write(data);
      else {
        using part = target.rows(first, end);
        part.write(data);
      }
      bytes += data.byteLength;
      if (bytes < GROUP_BYTES) continue;
      await target.device.idle();
      bytes = 0;
    }
    if (target instanceof Parameter) target.changed();
    names.delete(name);
  }
}
