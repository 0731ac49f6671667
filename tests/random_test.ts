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

Deno.test("normal numbers are Box and Muller's", () => {
  const count = 1e5;
  const uniform = new Random(1);
  const numbers = new Random(1).normal(count, 0.5);
  for (let i = 0; i < count; i += 2) {
    const radius = 0.5 * Math.sqrt(-2 * Math.log(1 - uniform.uniform()));
    const angle = 2 * Math.PI * uniform.uniform();
    const wanted = [radius * Math.cos(angle), radius * Math.sin(angle)];
    for (const [k, number] of wanted.entries()) {
      const most = 2 ** -24 * Math.abs(number) + 1e-15; // half of an f32's last bit
      assert(Math.abs(numbers[i + k] - number) <= most, `number ${i + k}`);
    }
  }
});

Deno.test("an odd number of normal numbers leaves the last one out", () => {
  assertEquals(new Random(1).normal(3), new Random(1).normal(4).slice(0, 3));
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
