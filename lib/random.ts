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

  /** `count` numbers from a normal distribution around zero. */
  normal(count: number, std = 1): Float32Array<ArrayBuffer> {
    return this.fillNormal(new Float32Array(count), std);
  }

  /**
   * Fills an array with such numbers. (The ziggurat of Marsaglia and Tsang, 2000: a
   * point of a random layer is a number if it lies below the curve's steps, as
   * nearly all do.) Those are drawn with the stream's words in variables, as by
   * {@linkcode Random.bits}, in a third of the time.
   */
  fillNormal(
    numbers: Float32Array<ArrayBuffer>,
    std = 1,
  ): Float32Array<ArrayBuffer> {
    const words = this.#words;
    for (let i = 0; i < numbers.length; i++) {
      let [a, b, c, d] = [words[0], words[1], words[2], words[3]];
      let bits = 0;
      for (; i < numbers.length; i++) {
        const product = Math.imul(b, 5);
        bits = Math.imul((product << 7) | (product >>> 25), 9);
        const shifted = b << 9;
        c ^= a;
        d ^= b;
        b ^= c;
        a ^= d;
        c ^= shifted;
        d = (d << 11) | (d >>> 21);
        const x = across(bits);
        if (!(Math.abs(x) < RIGHT[layerOf(bits) + 1])) break;
        numbers[i] = std * x;
      }
      words[0] = a;
      words[1] = b;
      words[2] = c;
      words[3] = d;
      if (i < numbers.length) numbers[i] = std * this.#normal(bits);
    }
    return numbers;
  }

  /** A number from the standard normal distribution, of which `bits` are drawn. */
  #normal(bits: number): number {
    for (;; bits = this.bits() | 0) {
      const layer = layerOf(bits);
      const x = across(bits);
      if (Math.abs(x) < RIGHT[layer + 1]) return x; // below the curve for certain
      if (layer === 0) return Math.sign(x) * (TAIL + this.#beyond());
      const low = HEIGHT[layer];
      const y = low + (HEIGHT[layer + 1] - low) * this.uniform();
      if (y < Math.exp(-x * x / 2)) return x;
    }
  }

  /** How far beyond the last layer's edge a number lies. (Marsaglia, 1964.) */
  #beyond(): number {
    while (true) {
      const x = -Math.log(1 - this.uniform()) / TAIL;
      const y = -Math.log(1 - this.uniform());
      if (2 * y > x * x) return x;
    }
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

const LAYERS = 256; // of the same area
const TAIL = 3.6541528853610088; // where the lowest layer's box ends
const AREA = 0.00492867323399;

/**
 * Where layers end to the right, from the lowest, whose tail is counted as if it
 * were a box, to none; and the density there, of which the peak is 1.
 */
const [RIGHT, HEIGHT] = layers();

/** The layer that 32 random bits stand for. */
function layerOf(bits: number): number {
  return bits & (LAYERS - 1);
}

/** The place that they stand for in it, from its left end to its right one. */
function across(bits: number): number {
  const share = ((bits >> 8) + 0.5) / 2 ** 23; // in (-1, 1), of other bits
  return share * RIGHT[layerOf(bits)];
}

function layers(): [Float64Array, Float64Array] {
  const density = (x: number) => Math.exp(-x * x / 2);
  const right = new Float64Array(LAYERS + 1);
  right[0] = AREA / density(TAIL);
  right[1] = TAIL;
  for (let i = 2; i < LAYERS; i++) {
    const height = density(right[i - 1]) + AREA / right[i - 1];
    right[i] = Math.sqrt(-2 * Math.log(height));
  }
  return [right, right.map(density)];
}
