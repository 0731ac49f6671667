/**
 * What contestants are measured on, with numbers they all share.
 *
 * @module
 */

import { Random } from "../lib/random.ts";
import type {
  DecodeTask,
  MatmulTask,
  Shared,
  Sizes,
  TrainTask,
} from "./peers/answer.ts";

/** The sizes of a product to compete in. */
export type MatmulSizes = Pick<MatmulTask, "rows" | "depth" | "cols">;

const DRAWN = 999_983; // numbers drawn; a prime, so that no two rows repeat
const PROBES = 32;

/** Products of square matrices, and one as in a small GPT. */
export const PRODUCTS: readonly MatmulSizes[] = [
  { rows: 512, depth: 512, cols: 512 },
  { rows: 1024, depth: 1024, cols: 1024 },
  { rows: 1024, depth: 384, cols: 1536 },
];

/** A product, its matrices put into `folder`. */
export async function matmulTask(
  { rows, depth, cols }: MatmulSizes,
  folder: string,
): Promise<MatmulTask> {
  const shapes: Shared["shapes"] = [["a", [rows, depth]], ["b", [depth, cols]]];
  const random = new Random(2);
  const probes = Array.from(
    { length: PROBES },
    () => random.integer(rows * cols),
  );
  probes.push(0, rows * cols - 1);
  const shared = await share(shapes, 1, `${folder}/matrices`);
  return { kind: "matmul", rows, depth, cols, shared, probes };
}

/** Training a model, its first weights put into `folder`. */
export async function trainTask(
  sizes: Sizes,
  batchSize: number,
  folder: string,
): Promise<TrainTask> {
  const count = batchSize * (sizes.blockSize + 1);
  const ids = randomIds(sizes, count);
  const rows = Array.from(
    { length: batchSize },
    (_, row) => ids.slice(row * (sizes.blockSize + 1)),
  );
  return {
    kind: "train",
    sizes,
    shared: await share(weightShapes(sizes), 0.02, `${folder}/weights`),
    inputs: rows.flatMap((row) => row.slice(0, sizes.blockSize)),
    targets: rows.flatMap((row) => row.slice(1, sizes.blockSize + 1)),
    checks: 2,
    learningRate: 1e-3,
    beta1: 0.9,
    beta2: 0.95,
    eps: 1e-8,
    weightDecay: 0.1,
  };
}

/** Writing half a block, or 64 tokens of it, after a prompt of half a block. */
export async function decodeTask(
  sizes: Sizes,
  folder: string,
): Promise<DecodeTask> {
  const half = sizes.blockSize / 2;
  return {
    kind: "decode",
    sizes,
    shared: await share(weightShapes(sizes), 0.02, `${folder}/weights`),
    prompt: randomIds(sizes, half),
    tokens: tokensToWrite(sizes),
  };
}

/** How many tokens {@linkcode decodeTask} asks for. */
export function tokensToWrite({ blockSize }: Sizes): number {
  return Math.min(blockSize / 2, 64);
}

function randomIds({ vocabSize }: Sizes, count: number): number[] {
  const random = new Random(3);
  return Array.from({ length: count }, () => random.integer(vocabSize));
}

/** A GPT-2's parameters, by Hugging Face's names. */
function weightShapes(
  { vocabSize, blockSize, nLayer, nEmbd: c }: Sizes,
): Shared["shapes"] {
  const norm = (name: string): Shared["shapes"] => [
    [`${name}.weight`, [c]],
    [`${name}.bias`, [c]],
  ];
  const linear = (
    name: string,
    inputs: number,
    outputs: number,
  ): Shared["shapes"] => [
    [`${name}.weight`, [inputs, outputs]],
    [`${name}.bias`, [outputs]],
  ];
  const blocks = Array.from({ length: nLayer }, (_, layer) => [
    ...norm(`h.${layer}.ln_1`),
    ...linear(`h.${layer}.attn.c_attn`, c, 3 * c),
    ...linear(`h.${layer}.attn.c_proj`, c, c),
    ...norm(`h.${layer}.ln_2`),
    ...linear(`h.${layer}.mlp.c_fc`, c, 4 * c),
    ...linear(`h.${layer}.mlp.c_proj`, 4 * c, c),
  ]);
  return [
    ["wte.weight", [vocabSize, c]],
    ["wpe.weight", [blockSize, c]],
    ...blocks.flat(),
    ...norm("ln_f"),
  ];
}

/** Writes arrays to a file: normal ones, or as norms and biases start. */
async function share(
  shapes: Shared["shapes"],
  std: number,
  path: string,
): Promise<Shared> {
  const drawn = new Random(1).normal(DRAWN, std);
  let at = 0;
  using file = await Deno.open(path, { write: true, create: true });
  for (const [name, shape] of shapes) {
    const size = shape.reduce((product, length) => product * length, 1);
    const data = new Float32Array(size);
    if (/ln_\w+\.weight$/.test(name)) data.fill(1);
    else if (!name.endsWith(".bias")) {
      for (let i = 0; i < size; i++, at++) data[i] = drawn[at % DRAWN];
    }
    const bytes = new Uint8Array(data.buffer);
    for (let sent = 0; sent < bytes.length;) {
      sent += await file.write(bytes.subarray(sent));
    }
  }
  return { path, shapes };
}
