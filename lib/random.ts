/**
 * Seeded random numbers, so that a run can be repeated exactly.
 *
 * @module
 */

/** Where a {@linkcode Random} stands: four 32-bit words, fit for JSON. */
export type RandomState = readonly [number, number, number, number];

/**
 * A stream of random numbers determined by its seed, whose place can be saved.
 *
 * ```ts
 * import { Random } from "@shaderloom/shaderloom";
 * import { assertEquals } from "@std/assert";
 *
 * const random = new Random(1337);
 * const resumed = Random.at(random.state);
 * assertEquals(random.uniform(), resumed.uniform());
 * ```
 *
 * The generator is xoshiro128** (Blackman and Vigna, 2018), seeded through
 * splitmix32.
 */
export class Random {
  readonly #words = new Int32Array(4);

  /** Starts the stream of a seed, a whole number. */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed)) {
      throw new RangeError(`Cannot seed with ${seed}: expected a whole number`);
    }
    let x = (seed ^ Math.floor(seed / 2 ** 32)) >>> 0;
    const word = () => {
      x = (x + 0x9e3779b9) >>> 0;
      let z = x;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return (z ^ (z >>> 15)) >>> 0;
    };
    this.#words.set([word(), word(), word(), word() || 1]);
  }

  /** Continues a stream from a saved place. */
  static at(state: RandomState): Random {
    const random = new Random(0);
    random.state = state;
    return random;
  }

  /** Where the stream stands. */
  get state(): RandomState {
    const [a, b, c, d] = new Uint32Array(this.#words.buffer);
    return [a, b, c, d];
  }

  /** Moves the stream to a saved place. */
  set state(state: RandomState) {
    const words = Array.isArray(state) ? state : [];
    const valid = words.length === 4 && words.some((word) => word !== 0) &&
      words.every((word) => Number.isInteger(word) && word === word >>> 0);
    if (!valid) {
      throw new RangeError(
        `Cannot restore a random state from ${
          JSON.stringify(state)
        }: expected four 32-bit words, not all zero`,
      );
    }
    this.#words.set(state);
  }

  /** The next 32 random bits, as a whole number in [0, 2^32). */
  bits(): number {
    const words = this.#words;
    const b = words[1];
    const product = Math.imul(b, 5);
    const bits = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    words[2] ^= words[0];
    words[3] ^= b;
    words[1] ^= words[2];
    words[0] ^= words[3];
    words[2] ^= b << 9;
    words[3] = (words[3] << 11) | (words[3] >>> 21);
    return bits;
  }

  /** The next number in [0, 1), with 53 random bits. */
  uniform(): number {
    return ((this.bits() >>> 5) * 2 ** 26 + (this.bits() >>> 6)) / 2 ** 53;
  }

  /** A whole number in [0, below). */
  integer(below: number): number {
    return Math.floor(this.uniform() * below);
  }

  /** `count` numbers from a normal distribution around zero. (Box-Muller.) */
  normal(count: number, std = 1): Float32Array<ArrayBuffer> {
    return this.fillNormal(new Float32Array(count), std);
  }

  /** Fills an array with such numbers. An odd length leaves one of the last two out. */
  fillNormal(
    numbers: Float32Array<ArrayBuffer>,
    std = 1,
  ): Float32Array<ArrayBuffer> {
    for (let i = 0; i < numbers.length; i += 2) {
      const radius = std * Math.sqrt(-2 * Math.log(1 - this.uniform()));
      // A quarter of the angle less half a turn, doubled twice: Math.sin and
      // Math.cos take most of the time here, or the branches of a quadrant would.
      const x = Math.PI / 2 * (this.uniform() - 1 / 2);
      const s1 = sine(x);
      const c1 = cosine(x);
      const s2 = 2 * s1 * c1;
      const c2 = 1 - 2 * s1 * s1;
      numbers[i] = radius * (2 * s2 * s2 - 1);
      if (i + 1 < numbers.length) numbers[i + 1] = radius * -2 * s2 * c2;
    }
    return numbers;
  }

  /** Puts `items` in random order, in place. (Fisher-Yates.) */
  shuffle<T extends { length: number; [index: number]: unknown }>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [items[i], items[j]] = [items[j], items[i]];
    }
    return items;
  }

  /** A new stream, seeded from this one. */
  fork(): Random {
    return new Random(this.bits());
  }
}

/** The sine of an angle of at most an eighth of a turn. (fdlibm, `__kernel_sin`.) */
function sine(x: number): number {
  const z = x * x;
  const high = 2.75573137070700676789e-6 +
    z * (-2.50507602534068634195e-8 + z * 1.58969099521155010221e-10);
  return x +
    x * z * (-1.66666666666666324348e-1 +
        z * (8.33333333332248946124e-3 +
            z * (-1.98412698298579493134e-4 + z * high)));
}

/** The cosine of an angle of at most an eighth of a turn. (fdlibm, `__kernel_cos`.) */
function cosine(x: number): number {
  const z = x * x;
  const high = -2.75573143513906633035e-7 +
    z * (2.08757232129817482790e-9 + z * -1.13596475577881948265e-11);
  return 1 - z / 2 +
    z * z * (4.16666666666666019037e-2 +
        z * (-1.38888888888741095749e-3 +
            z * (2.48015872894767294178e-5 + z * high)));
}
