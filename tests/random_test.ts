import { assert, assertEquals, assertThrows } from "@std/assert";
import { Random, type RandomState } from "../lib/random.ts";

// Published with the generator's implementation in Rust, rand_xoshiro 0.7.0.
const BITS = [
  ...[11520, 0, 5927040, 70819200, 2031721883],
  ...[1637235492, 1287239034, 3734860849, 3729100597, 4258142804],
];

Deno.test("bits are those of xoshiro128**", () => {
  const random = Random.at([1, 2, 3, 4]);
  assertEquals(BITS.map(() => random.bits()), BITS);
});

// The chance of a standard normal number above x, by Python's math.erfc.
const ABOVE = [
  [0, 0.5],
  [0.25, 0.4012936743170763],
  [0.5, 0.3085375387259869],
  [1, 0.15865525393145707],
  [1.5, 0.06680720126885809],
  [2, 0.02275013194817922],
  [2.5, 0.006209665325776139],
  [3, 0.0013498980316300957],
  [3.5, 0.00023262907903552504],
  [4, 3.1671241833119965e-5],
] as const;

Deno.test("normal numbers lie where they should", () => {
  const count = 4e6;
  const numbers = new Random(1).normal(count, 0.5);
  for (const [x, chance] of ABOVE) {
    const most = 5 * Math.sqrt(chance * (1 - chance) / count);
    for (const sign of [1, -1]) {
      let above = 0;
      for (const number of numbers) if (sign * number > 0.5 * x) above++;
      const error = Math.abs(above / count - chance);
      assert(error < most, `${above} of ${count} beyond ${sign * x}`);
    }
  }
});

Deno.test("normal numbers have the right moments and do not depend on the last", () => {
  const count = 1e6;
  const numbers = new Random(2).normal(count);
  const mean = (of: (x: number, i: number) => number) =>
    numbers.reduce((sum, x, i) => sum + of(x, i), 0) / count;
  const next = (i: number) => numbers[(i + 1) % count];
  const moments = [
    [mean((x) => x), 0, 1],
    [mean((x) => x ** 2), 1, 2],
    [mean((x) => x ** 3), 0, 15],
    [mean((x) => x ** 4), 3, 96],
    [mean((x, i) => x * next(i)), 0, 1],
    [mean((x, i) => Math.abs(x) * Math.abs(next(i))), 2 / Math.PI, 1.1],
  ];
  for (const [moment, wanted, variance] of moments) {
    const error = Math.abs(moment - wanted);
    assert(error < 5 * Math.sqrt(variance / count), `${moment} for ${wanted}`);
  }
});

Deno.test("fewer normal numbers are the first of more", () => {
  assertEquals(new Random(1).normal(3), new Random(1).normal(4).slice(0, 3));
});

Deno.test("normal numbers are the same one by one, each of the stream's next bits", () => {
  const count = 2000; // of which about 25 take more bits than the others
  const [together, single, bits] = [1, 1, 1].map((seed) => new Random(seed));
  const numbers = together.normal(count);
  let others = 0;
  for (const number of numbers) {
    bits.state = single.state;
    assertEquals(single.normal(1), Float32Array.of(number));
    const sign = (bits.bits() | 0) < 0 ? -1 : 1;
    if (bits.state.join() !== single.state.join()) others++;
    else assertEquals(Math.sign(number), sign);
  }
  assert(others > 0 && others < count / 40, `${others}`);
  assertEquals(together.state, single.state);
});

Deno.test("a stream goes on from where it was saved", () => {
  const random = new Random(-5);
  random.normal(7);
  const resumed = Random.at(JSON.parse(JSON.stringify(random.state)));
  assertEquals(resumed.normal(10), random.normal(10));
});

Deno.test("what is no place of a stream, and what is no seed, is refused", () => {
  for (
    const state of [[0, 0, 0, 0], [1, 2, 3], [1, 2, 3, -1], [1, 2, 3, 0.5]]
  ) {
    assertThrows(
      () => Random.at(state as unknown as RandomState),
      RangeError,
      "Cannot restore a random state",
    );
  }
  assertThrows(() => new Random(0.5), RangeError, "Cannot seed with 0.5");
});
