import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { generate, type GenerateOptions } from "../../lib/generate/generate.ts";
import { Device } from "../../lib/gpu/device.ts";
import { Random } from "../../lib/random.ts";
import { noGrad } from "../../lib/tensor/tape.ts";
import { type HostArray, Tensor } from "../../lib/tensor/tensor.ts";
import type { GPT2 } from "../../models/gpt2.ts";
import { distribution } from "./distribution.ts";
import { release, someIds, tinyModel } from "./tiny_model.ts";

const shared: { device?: Device; model?: GPT2 } = {};

Deno.test.beforeAll(async () => {
  shared.device = await Device.open();
  shared.model = tinyModel(shared.device);
});

Deno.test.afterAll(() => shared.device?.[Symbol.dispose]());

function write(options: Partial<GenerateOptions> = {}): AsyncGenerator<number> {
  return generate({
    device: shared.device!,
    model: shared.model!,
    prompt: someIds(5),
    maxNewTokens: 10,
    random: new Random(1),
    ...options,
  });
}

function all(options?: Partial<GenerateOptions>): Promise<number[]> {
  return Array.fromAsync(write(options));
}

/** The logits after each position of one text, read in one pass. */
async function logitsAfter(
  model: GPT2,
  ids: readonly number[],
): Promise<HostArray[]> {
  const { device } = model.wte.weight;
  using _scope = device.scope();
  const tensor = Tensor.from(device, Uint32Array.from(ids), [1, ids.length]);
  const logits = await noGrad(() => model.forward(tensor)).read();
  const { vocabSize } = model.config;
  return ids.map((_, t) =>
    logits.subarray(t * vocabSize, (t + 1) * vocabSize) as HostArray
  );
}

async function likeliest(model: GPT2, ids: readonly number[]) {
  const rows = await logitsAfter(model, ids);
  return rows.map((row) => row.indexOf(Math.max(...row)));
}

Deno.test("200 greedy tokens are those of reading everything anew", async () => {
  const model = tinyModel(shared.device!, { blockSize: 256 });
  const prompt = someIds(7);
  const written = await all({
    model,
    prompt,
    maxNewTokens: 200,
    temperature: 0,
  });
  assertEquals(written.length, 200);
  // The model is causal: one pass tells what follows each beginning.
  const expected = await likeliest(model, [...prompt, ...written]);
  assertEquals(written, expected.slice(6, -1));
  assert(new Set(written).size > 10, "the text repeats one thing");
  release(model);
});

Deno.test("in half precision a decided model writes the same", async () => {
  const device = shared.device!;
  if (!device.features.has("shader-f16")) return;
  const half = tinyModel(device, {}, { dtype: "f16" });
  const greedy = { maxNewTokens: 60, temperature: 0 };
  assertEquals(await all({ ...greedy, model: half }), await all(greedy));
  release(half);
});

for (const length of [1, 31, 32, 33, 100]) {
  Deno.test(`a prompt of ${length} in a block of 32 is written on over full blocks`, async () => {
    const model = shared.model!;
    const prompt = someIds(length);
    const written = await all({ prompt, maxNewTokens: 70, temperature: 0 });
    // All that fits is read; where the block is full, its last half anew.
    const expected: number[] = [];
    let start = length <= 32 ? 0 : length - 16;
    const text = [...prompt, ...written];
    for (let at = length; at < text.length;) {
      const block = text.slice(start, start + 32);
      for (const id of (await likeliest(model, block)).slice(at - start - 1)) {
        if (at++ < text.length) expected.push(id);
      }
      start = at - 16;
    }
    assertEquals(written, expected);
  });
}

Deno.test("a block of one position still writes", async () => {
  const model = tinyModel(shared.device!, { blockSize: 1 });
  const prompt = someIds(3);
  const written = await all({ model, prompt, temperature: 0 });
  const expected: number[] = [];
  for (let last = prompt[2]; expected.length < 10;) {
    [last] = await likeliest(model, [last]);
    expected.push(last);
  }
  assertEquals(written, expected);
  release(model);
});

Deno.test("a seed gives the same 1,000 tokens again, another seed others", async () => {
  const options = { maxNewTokens: 1000, temperature: 0.9, topK: 40 };
  const once = await all({ ...options, random: new Random(7) });
  const again = await all({ ...options, random: new Random(7) });
  const other = await all({ ...options, random: new Random(8) });
  assertEquals(once.length, 1000);
  assertEquals(again, once);
  assertNotEquals(other.slice(0, 20), once.slice(0, 20));
});

Deno.test("fewer tokens are the beginning of more", async () => {
  const long = await all({ maxNewTokens: 50 });
  for (const maxNewTokens of [0, 1, 2, 5, 6, 21, 22, 49]) {
    assertEquals(await all({ maxNewTokens }), long.slice(0, maxNewTokens));
  }
});

Deno.test("a stop token ends the text and is not given", async () => {
  const long = await all({ maxNewTokens: 60 });
  const stop = long[37];
  const upTo = long.indexOf(stop);
  assertEquals(
    await all({ maxNewTokens: 60, stopTokens: [stop] }),
    long.slice(0, upTo),
  );
  assertEquals(await all({ maxNewTokens: 60, stopTokens: [long[0]] }), []);
  assertEquals(await all({ maxNewTokens: 60, stopTokens: [] }), long);
});

Deno.test("a repetition penalty counts the prompt and what was written", async () => {
  const options = { temperature: 0, repetitionPenalty: 3 };
  const prompt = someIds(5);
  const written = await all({ prompt, maxNewTokens: 27, ...options });
  const text = [...prompt, ...written];
  const rows = await logitsAfter(shared.model!, text);
  const expected = written.map((_, i) => {
    const seen = new Set(text.slice(0, 5 + i));
    return distribution(rows[4 + i], options, seen).indexOf(1);
  });
  assertEquals(written, expected);
  const free = await all({ prompt, maxNewTokens: 27, temperature: 0 });
  assertNotEquals(free, written);
});

Deno.test("nothing is held once a text is written, stopped or abandoned", async () => {
  const device = shared.device!;
  const before = device.bytesInUse;
  await all({ maxNewTokens: 40 });
  assertEquals(device.bytesInUse, before);

  for await (const _ of write({ maxNewTokens: 40 })) break;
  assertEquals(device.bytesInUse, before);

  const thrown = async () => {
    for await (const _ of write()) throw new Error("enough");
  };
  await assertRejects(thrown, Error, "enough");
  assertEquals(device.bytesInUse, before);

  const [stop] = await all({ maxNewTokens: 1 });
  await all({ maxNewTokens: 40, stopTokens: [stop] });
  assertEquals(device.bytesInUse, before);

  write(); // never begun
  assertEquals(device.bytesInUse, before);
});

Deno.test("a text in a scope of the caller holds no more than it", async () => {
  const device = shared.device!;
  const before = device.bytesInUse;
  {
    using _scope = device.scope();
    await all({ maxNewTokens: 40 });
    assertEquals(device.bytesInUse, before);
  }
  assertEquals(device.bytesInUse, before);
});

Deno.test("writing again makes no new buffers", async () => {
  const device = shared.device!;
  const options = { maxNewTokens: 60, topP: 0.9 };
  await all(options);
  await all(options);
  const { buffers, bindGroups } = device.counters;
  await all(options);
  assertEquals(device.counters.buffers, buffers);
  assertEquals(device.counters.bindGroups, bindGroups);
});

Deno.test("two texts written by turns do not disturb each other", async () => {
  const alone = [await all(), await all({ prompt: someIds(9) })];
  const both = [write(), write({ prompt: someIds(9) })];
  const mixed: number[][] = [[], []];
  for (let i = 0; i < 10; i++) {
    for (const [j, text] of both.entries()) {
      mixed[j].push((await text.next()).value!);
    }
  }
  for (const text of both) await text.return(undefined);
  assertEquals(mixed, alone);
});

for (
  const [name, options, message] of [
    ["an empty prompt", { prompt: new Uint32Array() }, "the prompt is empty"],
    [
      "an id outside the vocabulary",
      { prompt: Uint32Array.of(3, 61, 4) },
      "the prompt holds id 61, the vocabulary ends at 60",
    ],
    [
      "half a token",
      { maxNewTokens: 1.5 },
      "maxNewTokens is 1.5, expected a whole number from 0",
    ],
    [
      "a text longer than a binding",
      { maxNewTokens: 1e12 },
      "maxNewTokens 1000000000000 is longer than the",
    ],
    ["no end", { maxNewTokens: Infinity }, "maxNewTokens is Infinity"],
    ["a temperature below 0", { temperature: -1 }, "temperature is -1"],
  ] as const
) {
  Deno.test(`${name} is refused, and nothing is held`, async () => {
    const before = shared.device!.bytesInUse;
    const error = await assertRejects(() => all(options), RangeError, message);
    assert(/^Cannot (generate|sample): [^\n]*$/.test(error.message));
    assertEquals(shared.device!.bytesInUse, before);
  });
}

Deno.test("ids beyond those that may be drawn are not, whatever their scores", async () => {
  const free = await all({ maxNewTokens: 24, temperature: 0 });
  const drawnBelow = Math.max(...free);
  for (const temperature of [0, 1]) {
    const options = { maxNewTokens: 24, temperature, drawnBelow };
    const bound = await all(options);
    assertEquals(bound.length, 24);
    assert(bound.every((id) => id < drawnBelow), `${bound}`);
    const first = bound.findIndex((id, i) => id !== free[i]);
    if (temperature === 0) assertEquals(free[first], drawnBelow);
  }
  assertEquals(
    await all({ maxNewTokens: 24, temperature: 0, drawnBelow: 1000 }),
    free,
  );
  await assertRejects(() => all({ drawnBelow: 0 }), RangeError, "drawnBelow");
});
