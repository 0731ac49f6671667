/**
 * Documents side by side in a row are read as if each were alone.
 */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { Device } from "../../lib/gpu/device.ts";
import type { Init } from "../../lib/nn/layers.ts";
import { parameters } from "../../lib/nn/parameters.ts";
import { slice } from "../../lib/ops/mod.ts";
import { Random } from "../../lib/random.ts";
import { backward } from "../../lib/tensor/backward.ts";
import { type HostArray, readAll, Tensor } from "../../lib/tensor/tensor.ts";
import { GPT2 } from "../../models/gpt2.ts";
import { Llama } from "../../models/llama.ts";
import type { ModelOptions } from "../../models/pass.ts";
import { Qwen3 } from "../../models/qwen.ts";
import { bothDevices } from "../both_devices.ts";
import { relativeDistance } from "../ops/case.ts";

const devices = bothDevices();
const [VOCABULARY, TIME] = [37, 40];
const IGNORED = -100 >>> 0;

const sizes = { vocabSize: VOCABULARY, blockSize: TIME, nLayer: 2, nHead: 4 };
const family = { ...sizes, nKeyValueHead: 2, nEmbd: 32, intermediateSize: 48 };

/** The models tried, by name. */
const models = {
  "GPT-2": (init: Init, options: ModelOptions) =>
    new GPT2(init, { ...sizes, nEmbd: 32 }, options),
  Llama: (init: Init, options: ModelOptions) =>
    new Llama(init, family, options),
  Qwen3: (init: Init, options: ModelOptions) =>
    new Qwen3(init, { ...family, headSize: 12 }, options),
} as const;

type Name = keyof typeof models;
type Model = GPT2 | Llama;

/** Lengths of the documents of each row, the last of them padding. */
const ROWS = [[13, 1, 20, 6], [5, 35], [40]];

interface Document {
  readonly ids: Uint32Array<ArrayBuffer>;
  readonly targets: Uint32Array<ArrayBuffer>;
}

/** Documents of random ids; the first half of a long one is not learned. */
function documents(): Document[][] {
  const random = new Random(3);
  const draw = (length: number) =>
    Uint32Array.from({ length }, () => random.integer(VOCABULARY));
  return ROWS.map((lengths) =>
    lengths.map((length) => {
      const targets = draw(length);
      if (length > 10) targets.fill(IGNORED, 0, length / 2);
      return { ids: draw(length), targets };
    })
  );
}

/** A model whose weights are large enough for attention to matter. */
function make(device: Device, name: Name, options: ModelOptions = {}) {
  const model = models[name]({ device, random: new Random(7) }, options);
  const random = new Random(8);
  for (const parameter of parameters(model).values()) {
    if (parameter.shape.length === 2) {
      parameter.write(random.normal(parameter.size, 0.2));
    }
  }
  return model;
}

interface Packed {
  readonly ids: Tensor;
  readonly targets: Tensor;
  readonly starts: Tensor;
}

function pack(device: Device, rows: readonly Document[][]): Packed {
  const starts = ROWS.flatMap((lengths) => {
    let start = 0;
    return lengths.flatMap((length) => {
      start += length;
      return Array<number>(length).fill(start - length);
    });
  });
  const tensor = (numbers: number[]) =>
    Tensor.from(device, Uint32Array.from(numbers), [ROWS.length, TIME]);
  const all = rows.flat();
  return {
    ids: tensor(all.flatMap(({ ids }) => [...ids])),
    targets: tensor(all.flatMap(({ targets }) => [...targets])),
    starts: tensor(starts),
  };
}

/** The loss and gradients of documents side by side, or as if one text. */
async function packed(
  model: Model,
  device: Device,
  { separated }: { separated: boolean },
): Promise<HostArray[]> {
  using _scope = device.scope();
  const { ids, targets, starts } = pack(device, documents());
  const loss = model.loss(ids, targets, separated ? { starts } : {});
  backward(loss);
  return await takeGradients(model, loss);
}

/** The same of each document alone, weighed by what it teaches. */
async function alone(model: Model, device: Device): Promise<HostArray[]> {
  const counts = documents().flat().map(({ targets }) =>
    targets.filter((target) => target !== IGNORED).length
  );
  const total = counts.reduce((sum, count) => sum + count);
  using _scope = device.scope();
  let mean = 0;
  let last: Tensor | undefined;
  for (const [i, { ids, targets }] of documents().flat().entries()) {
    const [x, y] = [ids, targets].map((numbers) =>
      Tensor.from(device, numbers, [1, numbers.length])
    );
    last = model.loss(x, y);
    mean += counts[i] / total * await last.item();
    backward(last, counts[i] / total);
  }
  const [, ...gradients] = await takeGradients(model, last!);
  return [Float32Array.of(mean), ...gradients];
}

async function takeGradients(model: Model, loss: Tensor) {
  const own = [...parameters(model).values()];
  const read = await readAll([loss, ...own.map(({ grad }) => grad!)]);
  for (const parameter of own) {
    parameter.grad![Symbol.dispose]();
    parameter.grad = null;
  }
  return read;
}

function furthest(actual: HostArray[], expected: HostArray[]): number {
  return Math.max(
    ...actual.map((values, i) => relativeDistance(values, expected[i])),
  );
}

for (const name of Object.keys(models) as Name[]) {
  for (const kind of ["best", "plain"] as const) {
    Deno.test(`${name} learns from documents side by side as from each alone (${kind} kernels)`, async () => {
      const device = devices[kind]!;
      const model = make(device, name);
      const expected = await alone(model, device);
      const actual = await packed(model, device, { separated: true });
      const off = furthest(actual, expected);
      assert(off < 1e-5, `they are ${off} apart`);
      const mixed = await packed(model, device, { separated: false });
      assert(furthest(mixed, expected) > 1e-2, "the documents do not matter");
    });
  }

  Deno.test(`${name} recomputed learns the same from documents side by side`, async () => {
    const device = devices.best!;
    const expected = await packed(make(device, name), device, {
      separated: true,
    });
    for (const recompute of ["mlp", "block"] as const) {
      const model = make(device, name, { recompute });
      assertEquals(await packed(model, device, { separated: true }), expected);
    }
  });

  Deno.test(`${name} reads a document as ever, whatever stands beside it`, async () => {
    for (const device of [devices.best!, devices.plain!]) {
      using _scope = device.scope();
      const model = make(device, name);
      const { ids, starts } = pack(device, documents());
      const numbers = await ids.read() as Uint32Array<ArrayBuffer>;
      const [first, second] = [[0, 5], [5, TIME]]; // of the second row
      const read = async (changed: number[] | null) => {
        const other = numbers.slice();
        if (changed) {
          for (let t = changed[0]; t < changed[1]; t++) {
            other[TIME + t] = (other[TIME + t] + 1) % VOCABULARY;
          }
        }
        const x = Tensor.from(device, other, [ROWS.length, TIME]);
        const row = slice(model.hidden(x, { starts }), 0, 1, 2);
        const parts = [first, second].map(([from, to]) =>
          slice(row, 1, from, to)
        );
        return await readAll(parts);
      };
      const [before, after] = await read(null);
      const changedBefore = await read(first);
      const changedAfter = await read(second);
      assertEquals(changedBefore[1], after);
      assertNotEquals(changedBefore[0], before);
      assertEquals(changedAfter[0], before);
      assertNotEquals(changedAfter[1], after);
    }
  });
}
