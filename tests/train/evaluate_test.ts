import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
} from "@std/assert";
import { type Batch, IGNORE_INDEX } from "../../lib/data/batch.ts";
import { Device } from "../../lib/gpu/device.ts";
import { parameters } from "../../lib/nn/parameters.ts";
import { Random } from "../../lib/random.ts";
import { noGrad } from "../../lib/tensor/tape.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";
import { evaluate } from "../../lib/train/evaluate.ts";
import { GPT2 } from "../../models/gpt2.ts";

const VOCABULARY = 19;
const TIME = 8;

let device: Device;
let model: GPT2;

Deno.test.beforeAll(async () => {
  device = await Device.open();
  const random = new Random(1);
  model = new GPT2({ device, random }, {
    vocabSize: VOCABULARY,
    blockSize: TIME,
    nLayer: 1,
    nHead: 2,
    nEmbd: 8,
    dropout: 0.5,
  });
  const { weight } = model.wte; // Far from uniform, so that batches differ.
  weight.write(random.normal(weight.size, 0.8));
});

Deno.test.afterAll(() => device[Symbol.dispose]());

/** A batch in which so many targets count, scattered at random. */
function batch(rows: number, counted: number, random: Random): Batch {
  const ids = () =>
    Uint32Array.from({ length: rows * TIME }, () => random.integer(VOCABULARY));
  const targets = ids();
  const places = random.shuffle([...targets.keys()]);
  for (const place of places.slice(counted)) targets[place] = IGNORE_INDEX;
  return { inputs: ids(), targets, shape: [rows, TIME] };
}

/** Nats of every target that counts, from the logits, in float64. */
async function natsByHand(
  { inputs, targets, shape }: Batch,
): Promise<number[]> {
  using _scope = device.scope();
  const logits = await noGrad(() =>
    model.forward(Tensor.from(device, inputs, shape))
  ).read();
  return [...targets].flatMap((target, place) => {
    if (target === IGNORE_INDEX) return [];
    const start = place * VOCABULARY;
    const scores = [...logits.subarray(start, start + VOCABULARY)];
    const sum = scores.reduce((sum, score) => sum + Math.exp(score), 0);
    return [Math.log(sum) - scores[target]];
  });
}

Deno.test("the loss is the mean over targets that count, not over batches", async () => {
  const random = new Random(2);
  const batches = [
    batch(4, 32, random),
    batch(2, 3, random),
    batch(3, 0, random),
    batch(1, 1, random),
    batch(4, 20, random),
  ];
  const found = await evaluate({ device, model, batches });
  const nats: number[] = [];
  for (const each of batches) nats.push(...await natsByHand(each));
  const loss = nats.reduce((sum, each) => sum + each, 0) / nats.length;
  assertEquals(found.tokens, 56);
  assertEquals(nats.length, 56);
  assertAlmostEquals(found.loss, loss, 1e-5);
  assertEquals(found.perplexity, Math.exp(found.loss));
});

Deno.test("it does not matter how many batches there are, nor how they are read", async () => {
  const random = new Random(3);
  const batches = Array.from({ length: 150 }, () => batch(1, 8, random));
  const sizes: number[] = [];
  function* watched(): Generator<Batch> {
    for (const each of batches) {
      yield each;
      sizes.push(device.bytesInUse);
    }
  }
  const before = device.bytesInUse;
  const { loss, tokens } = await evaluate({
    device,
    model,
    batches: watched(),
  });
  assertEquals(tokens, 1200);
  assertEquals(device.bytesInUse, before);
  assert(Math.max(...sizes) - before < 64 * 1024, `${Math.max(...sizes)}`);
  const joined: Batch = {
    inputs: Uint32Array.from(batches.flatMap(({ inputs }) => [...inputs])),
    targets: Uint32Array.from(batches.flatMap(({ targets }) => [...targets])),
    shape: [150, TIME],
  };
  const whole = await evaluate({ device, model, batches: [joined] });
  assertAlmostEquals(loss, whole.loss, 1e-6);
});

Deno.test("evaluating drops nothing and leaves no gradient", async () => {
  const batches = [batch(4, 32, new Random(4))];
  const once = await evaluate({ device, model, batches });
  assertEquals(await evaluate({ device, model, batches }), once);
  for (const { grad } of parameters(model).values()) assertEquals(grad, null);
});

Deno.test("without a target there is nothing to evaluate", async () => {
  for (const batches of [[], [batch(2, 0, new Random(5))]]) {
    await assertRejects(
      () => evaluate({ device, model, batches }),
      RangeError,
      "Cannot evaluate: there are no targets",
    );
  }
});
