import {
  assert,
  assertEquals,
  assertLess,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  type Drawn,
  Sampler,
  type SamplingOptions,
} from "../../lib/generate/sample.ts";
import type { Device } from "../../lib/gpu/device.ts";
import { Random } from "../../lib/random.ts";
import { type HostArray, Tensor } from "../../lib/tensor/tensor.ts";
import { distribution, surprise } from "./distribution.ts";
import { bothDevices } from "../both_devices.ts";

const devices = bothDevices();

const DRAWS = 2048;

/** Fewer than 1 in 1000 tests of a true sampler come as far. */
const MOST_SURPRISE = 3.2;

interface Draws {
  /** The same logits in each row. */
  readonly rows: number;
  /** Draws from each row. */
  readonly steps?: number;
  /** Tokens each row has already. */
  readonly seen?: readonly number[];
  readonly seed?: number;
  readonly device?: Device;
}

/** Draws tokens from equal rows of logits: `[steps, rows]`, flat. */
async function draw(
  logits: ArrayLike<number>,
  options: SamplingOptions,
  { rows, steps = 1, seen = [], seed = 1, device = devices.best! }: Draws,
): Promise<HostArray> {
  using _scope = device.scope();
  const cols = logits.length;
  const tiled = new Float32Array(rows * cols);
  for (let row = 0; row < rows; row++) tiled.set(logits, row * cols);
  const scores = Tensor.from(device, tiled, [rows, cols]);

  // The tokens seen stand before those drawn.
  const capacity = seen.length + steps;
  const before = new Uint32Array(rows * capacity);
  for (let row = 0; row < rows; row++) before.set(seen, row * capacity);
  const drawn: Drawn = {
    tokens: Tensor.from(device, before, [rows, capacity]),
    next: Tensor.zeros(device, [rows], "u32"),
    seen: Tensor.zeros(device, [rows, cols], "u32"),
  };
  const sampler = new Sampler(options, new Random(seed));
  sampler.mark(seen.length, drawn);
  for (let step = 0; step < steps; step++) {
    sampler.draw(scores, seen.length + step, drawn);
  }
  const tokens = await drawn.tokens.read();
  return tokens.filter((_, i) => i % capacity >= seen.length);
}

function countsOf(tokens: HostArray): Map<number, number> {
  const counts = new Map<number, number>();
  for (const id of tokens) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

/** The ids that can be drawn. */
function support(probabilities: Float64Array): number[] {
  return [...probabilities.keys()].filter((id) => probabilities[id] > 0);
}

/** Well apart, so that rounding cannot change an order; in random places. */
function spread(size: number, range: number): Float32Array {
  const random = new Random(size);
  const ranks = random.shuffle(Array.from({ length: size }, (_, i) => i));
  return Float32Array.from(ranks, (rank) => range * (rank / size - 0.7));
}

const options: readonly SamplingOptions[] = [
  {},
  { temperature: 0.5 },
  { temperature: 3 },
  { topK: 1 },
  { topK: 7 },
  { topP: 0.3 },
  { topP: 0.9, temperature: 2 },
  { minP: 0.25 },
  { minP: 1 },
  { topK: 20, topP: 0.8 },
  { topK: 20, topP: 0.8, minP: 0.4, temperature: 1.5 },
  { repetitionPenalty: 1.7 },
  { repetitionPenalty: 0.6, topK: 9 },
  { repetitionPenalty: 1.3, topK: 30, topP: 0.7, minP: 0.1, temperature: 0.9 },
];

for (const size of [2, 61, 257]) {
  for (const chosen of options) {
    Deno.test(`${JSON.stringify(chosen)} draws from ${size} tokens as the reference`, async () => {
      const logits = spread(size, 3);
      const seen = [0, 1, 5, 8, 13, 40].filter((id) => id < size);
      const tokens = await draw(logits, chosen, { rows: DRAWS, seen });
      const expected = distribution(logits, chosen, new Set(seen));
      const counts = countsOf(tokens);
      const strange = [...counts.keys()].filter((id) => expected[id] === 0);
      assertEquals(strange, [], "drawn but not allowed");
      const missed = support(expected).filter((id) =>
        expected[id] * DRAWS > 16 && !counts.has(id)
      );
      assertEquals(missed, [], "allowed but never drawn");
      assertLess(surprise(counts, expected, DRAWS), MOST_SURPRISE);
    });
  }
}

/** Eleven likely tokens among many. */
const peaked = spread(50257, 2).map((v, id) => id % 5000 === 7 ? v + 14 : v);

for (
  const chosen of [
    { topK: 5 },
    { topP: 0.8 },
    { minP: 0.6 },
    { topK: 9, topP: 0.9, temperature: 1.2 },
    { topK: 8, repetitionPenalty: 5 },
  ]
) {
  Deno.test(`${JSON.stringify(chosen)} finds the likely among 50257 tokens`, async () => {
    const rows = 8;
    const steps = 16;
    // With a penalty, drawing changes what is drawn next: one step each.
    const penalized = "repetitionPenalty" in chosen;
    const seen = [7, 5007];
    const tokens = await draw(
      peaked,
      chosen,
      penalized ? { rows: 128, seen } : { rows, steps, seen },
    );
    const expected = distribution(peaked, chosen, new Set(seen));
    const ids = support(expected);
    assert(ids.length > 1 && ids.length < 10);
    assertEquals([...countsOf(tokens).keys()].sort((a, b) => a - b), ids);
    assertLess(
      surprise(countsOf(tokens), expected, tokens.length),
      MOST_SURPRISE,
    );
  });
}

Deno.test("every cut at once works with 151936 tokens, on software too", async () => {
  const logits = spread(151936, 2).map((v, id) => id % 5000 === 7 ? v + 14 : v);
  const chosen = { topK: 9, topP: 0.9, minP: 0.1, temperature: 1.2 };
  const tokens = await draw(logits, chosen, { rows: 4, steps: 32 });
  const expected = distribution(logits, chosen);
  const ids = support(expected);
  assert(ids.length > 1 && ids.length < 10);
  assertEquals([...countsOf(tokens).keys()].sort((a, b) => a - b), ids);
  const off = surprise(countsOf(tokens), expected, tokens.length);
  assertLess(off, MOST_SURPRISE);
});

Deno.test("both forms of the kernel draw the same", async () => {
  const logits = spread(257, 3);
  const shape = { rows: 48, steps: 2, seen: [3, 200, 9] };
  for (const chosen of options) {
    const best = await draw(logits, chosen, shape);
    const plain = await draw(logits, chosen, {
      ...shape,
      device: devices.plain!,
    });
    assertEquals(plain, best, JSON.stringify(chosen));
  }
});

Deno.test("unlikely tokens are as rare as they should be, however many", async () => {
  // 50256 tokens hold 5e-9 of the probability: 1 in 150,000 such tests fails.
  const logits = new Float32Array(50257);
  logits[31337] = 30;
  const tokens = await draw(logits, {}, { rows: 64, steps: 24 });
  assertEquals([...countsOf(tokens).keys()], [31337]);
});

Deno.test("all of 50257 tokens can be drawn when all are alike", async () => {
  const logits = new Float32Array(50257).fill(-3.5);
  const tokens = await draw(logits, {}, { rows: 64, steps: 8 });
  const halves = countsOf(tokens.map((id) => Math.floor(id / 12565)));
  const expected = Float64Array.from(
    { length: 4 },
    (_, i) => Math.min(12565, 50257 - i * 12565) / 50257,
  );
  assertLess(surprise(halves, expected, tokens.length), MOST_SURPRISE);
  // 512 draws from 50257 meet the same one about 2.6 times.
  assertLess(512 - countsOf(tokens).size, 12);
});

Deno.test("equal logits: no cut tells them apart", async () => {
  for (const chosen of [{ topK: 3 }, { topP: 0.2 }, { minP: 1 }]) {
    const tokens = await draw(new Float32Array(61), chosen, { rows: DRAWS });
    const expected = new Float64Array(61).fill(1 / 61);
    assertLess(surprise(countsOf(tokens), expected, DRAWS), MOST_SURPRISE);
  }
});

Deno.test("temperature 0 takes the likeliest, the first of equals", async () => {
  for (const size of [2, 61, 257, 50257]) {
    const logits = spread(size, 20);
    const top = logits.indexOf(Math.max(...logits));
    const greedy = { temperature: 0, topK: 2, topP: 0.5, minP: 0.5 };
    assertEquals([...await draw(logits, greedy, { rows: 2 })], [top, top]);
  }
  const tied = new Float32Array(2000).fill(-7);
  for (const id of [1999, 640, 1300]) tied[id] = 2.5;
  assertEquals([...await draw(tied, { temperature: 0 }, { rows: 1 })], [640]);
  const alike = new Float32Array(300);
  assertEquals([...await draw(alike, { temperature: 0 }, { rows: 1 })], [0]);
  const close = Float32Array.of(1e7, 1e7 + 1, 1e7 - 1);
  assertEquals([...await draw(close, { temperature: 0 }, { rows: 1 })], [1]);
});

Deno.test("temperature 0 heeds the repetition penalty, token after token", async () => {
  const logits = Float32Array.of(4, 3.9, 3.8, -1, 2.1);
  const penalized = { temperature: 0, repetitionPenalty: 2 };
  const tokens = await draw(logits, penalized, { rows: 1, steps: 5 });
  // 4, 3.9 and 3.8 halved are below 2.1; all halved, the first leads again.
  assertEquals([...tokens], [0, 1, 2, 4, 0]);
  const seen = await draw(logits, penalized, { rows: 1, seen: [0, 1] });
  assertEquals([...seen], [2]);
});

Deno.test("a penalty lowers negative logits too", async () => {
  const logits = Float32Array.of(-1, -1.5, -3);
  const penalized = { temperature: 0, repetitionPenalty: 2 };
  const tokens = await draw(logits, penalized, { rows: 1, steps: 3 });
  assertEquals([...tokens], [0, 1, 0]);
});

Deno.test("tokens at -Infinity are never drawn", async () => {
  const logits = spread(257, 2).map((v, id) => id % 3 ? -Infinity : v);
  for (
    const chosen of [
      {},
      { topK: 200 },
      { topP: 0.999 },
      { minP: 1e-30 },
      { temperature: 1e300 },
      { temperature: 1e-300 },
      { repetitionPenalty: 1e-300 },
      { repetitionPenalty: 1e300, temperature: 100 },
    ]
  ) {
    const tokens = await draw(logits, chosen, { rows: 512, seen: [0, 1, 2] });
    assertEquals(tokens.filter((id) => id % 3 > 0), new Uint32Array());
  }
});

Deno.test("extreme temperatures: the likeliest, or all alike", async () => {
  const logits = Float32Array.of(5, 80, 79.9, -80, 60);
  for (const temperature of [1e-3, 1e-30, 1e-39, 1e-300]) {
    const tokens = await draw(logits, { temperature }, { rows: 512 });
    assertEquals([...countsOf(tokens).keys()], [1], `${temperature}`);
  }
  for (const temperature of [1e30, 1e39, 1e300]) {
    const tokens = await draw(logits, { temperature }, { rows: DRAWS });
    const expected = new Float64Array(5).fill(0.2);
    assertLess(surprise(countsOf(tokens), expected, DRAWS), MOST_SURPRISE);
  }
});

Deno.test("extreme options neither cut too much nor too little", async () => {
  const logits = spread(61, 2);
  const whole = distribution(logits, {});
  for (
    const chosen of [
      { topK: 61 },
      { topK: 2 ** 32 },
      { topK: 2 ** 32 + 1 },
      { topP: 1 - 1e-12 },
      { minP: 1e-300 },
    ]
  ) {
    const tokens = await draw(logits, chosen, { rows: DRAWS });
    assertLess(surprise(countsOf(tokens), whole, DRAWS), MOST_SURPRISE);
  }
  const top = logits.indexOf(Math.max(...logits));
  for (const chosen of [{ topP: 1e-300 }, { topP: 1e-6 }, { minP: 1 }]) {
    const tokens = await draw(logits, chosen, { rows: 256 });
    assertEquals([...countsOf(tokens).keys()], [top]);
  }
});

Deno.test("huge logits are drawn from as small ones are", async () => {
  const logits = Float32Array.of(3e38, -3e38, 1, 3e38, -Infinity);
  const tokens = await draw(logits, {}, { rows: DRAWS });
  const expected = Float64Array.of(0.5, 0, 0, 0.5, 0);
  assertEquals([...countsOf(tokens).keys()].sort(), [0, 3]);
  assertLess(surprise(countsOf(tokens), expected, DRAWS), MOST_SURPRISE);
  const infinite = Float32Array.of(0, Infinity, 1);
  const certain = await draw(infinite, {}, { rows: 64 });
  assertEquals([...countsOf(certain).keys()], [1]);
});

Deno.test("logits that make no sense still give an id of the vocabulary", async () => {
  for (const value of [NaN, -Infinity, Infinity]) {
    const logits = new Float32Array(300).fill(value);
    for (const chosen of [{ temperature: 0 }, {}, { topK: 3, topP: 0.5 }]) {
      const tokens = await draw(logits, chosen, { rows: 8 });
      assert(tokens.every((id) => id < 300), `${value}: ${tokens}`);
    }
  }
});

Deno.test("rows, steps and seeds draw independently, and the same again", async () => {
  const logits = new Float32Array(257);
  const shape = { rows: 64, steps: 16 };
  const once = await draw(logits, {}, shape);
  assertEquals(await draw(logits, {}, shape), once);
  const other = await draw(logits, {}, { ...shape, seed: 2 });
  // A row against the next, a step against the next, a seed against another:
  // 1 in 257 are equal by chance.
  const equal = (shift: number) =>
    once.filter((id, i) => id === once[(i + shift) % once.length]).length;
  assertLess(equal(16), 16);
  assertLess(equal(1), 16);
  assertLess(once.filter((id, i) => id === other[i]).length, 16);
});

Deno.test("more rows than a grid is wide are all drawn", async () => {
  const rows = 65_600;
  const tokens = await draw([0, 9], { temperature: 0 }, { rows });
  assertEquals(tokens.indexOf(0), -1);
});

Deno.test("options out of range are refused together", () => {
  const error = assertThrows(
    () =>
      new Sampler({
        temperature: -1,
        topK: 1.5,
        topP: 0,
        minP: NaN,
        repetitionPenalty: 0,
      }, new Random(1)),
    RangeError,
    "Cannot sample: ",
  );
  for (
    const name of ["temperature", "top-k", "top-p", "min-p", "repetition"]
  ) assertStringIncludes(error.message, name);
});
