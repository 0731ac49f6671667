/**
 * The element types of safetensors files, and how those of weights become
 * float32 and back.
 *
 * @module
 */

/** Every dtype the format knows, by the bits an element takes. */
const dtypes: readonly (readonly [bits: number, names: string])[] = [
  [4, "F4"],
  [6, "F6_E2M3 F6_E3M2"],
  [8, "BOOL U8 I8 F8_E5M2 F8_E4M3 F8_E8M0 F8_E4M3FNUZ F8_E5M2FNUZ"],
  [16, "I16 U16 F16 BF16"],
  [32, "I32 U32 F32"],
  [64, "I64 U64 F64 C64"],
];

/** Bits that an element takes, by dtype. */
export const bitsPerElement: ReadonlyMap<string, number> = new Map(
  dtypes.flatMap(([bits, names]) =>
    names.split(" ").map((name) => [name, bits] as const)
  ),
);

/** How weights may lie in a file. */
export type FloatDtype = "F32" | "F16" | "BF16";

/** Bytes that an element takes, by the dtypes that weights may have. */
export const bytesPerElement: Readonly<Record<FloatDtype, number>> = {
  F32: 4,
  F16: 2,
  BF16: 2,
};

/** Whether weights may lie in a file so. */
export function isFloatDtype(dtype: string): dtype is FloatDtype {
  return Object.hasOwn(bytesPerElement, dtype);
}

/** Elements that are converted at a time: they stay in the cache. */
export const blockElements = 1 << 17;

/** Converts 16-bit numbers, given by their bits, to float32; every one exactly. */
export function widen(
  dtype: "F16" | "BF16",
  bits: Uint16Array<ArrayBuffer>,
  into: Float32Array,
): void {
  if (dtype === "F16") widenF16(bits, into);
  else widenBF16(bits, into);
}

/**
 * Converts float32 to the bits of 16-bit numbers: to the nearest one, of two
 * equally near to the even one, beyond the largest to infinity; NaN stays NaN.
 */
function narrow(
  dtype: "F16" | "BF16",
  numbers: Float32Array,
  into: Uint16Array<ArrayBuffer>,
): void {
  if (dtype === "F16") narrowF16(numbers, into);
  else narrowBF16(numbers, into);
}

/** The bytes of numbers as a file stores them, each chunk until the next. */
export function* encode(
  data: Float32Array<ArrayBuffer>,
  dtype: FloatDtype,
): Generator<Uint8Array> {
  if (dtype === "F32") {
    return yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
  const block = new Uint16Array(Math.min(data.length, blockElements));
  for (let at = 0; at < data.length; at += block.length) {
    const bits = block.subarray(0, data.length - at);
    narrow(dtype, data.subarray(at, at + bits.length), bits);
    yield new Uint8Array(bits.buffer, 0, 2 * bits.length);
  }
}

// A loop each, because one that meets arrays of several kinds is slower.

function widenF16(bits: Uint16Array<ArrayBuffer>, into: Float32Array) {
  const table = widened ??= tabulateF16();
  const words = bitsOf(into);
  for (let i = 0; i < bits.length; i++) words[i] = table[bits[i]];
}

/** The float32 bits of each of the 65,536 float16 numbers, once needed. */
let widened: Uint32Array | undefined;

function tabulateF16(): Uint32Array {
  const every = Uint16Array.from({ length: 1 << 16 }, (_, bits) => bits);
  const numbers = new Float32Array(new Float16Array(every.buffer));
  return new Uint32Array(numbers.buffer);
}

// The runtime's own conversion takes several times as long before it is
// compiled at its best, and branches on the size of numbers are mispredicted.
function narrowF16(numbers: Float32Array, into: Uint16Array<ArrayBuffer>) {
  const { base, top, shift } = narrowed ??= tabulateExponents();
  const words = bitsOf(numbers);
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    const exponent = word >>> 23;
    const mantissa = word & 0x7fffff | top[exponent];
    const by = shift[exponent];
    const odd = mantissa >>> by & 1;
    const half = base[exponent] + (mantissa + (1 << by - 1) - 1 + odd >>> by);
    into[i] = isNaNWord(word) ? word >>> 16 & 0x8000 | 0x7e00 : half;
  }
}

/**
 * For each sign and exponent of float32: the float16 bits that come with it,
 * the leading bit of the mantissa where float16 has to spell it out, and how
 * many bits of the mantissa are rounded away.
 */
interface Exponents {
  readonly base: Uint16Array;
  readonly top: Uint32Array;
  readonly shift: Uint8Array;
}

let narrowed: Exponents | undefined;

function tabulateExponents(): Exponents {
  const base = new Uint16Array(512);
  const top = new Uint32Array(512);
  const shift = new Uint8Array(512).fill(24); // All of it, unless told.
  for (let i = 0; i < 512; i++) {
    const exponent = i & 255;
    base[i] = i < 256 ? 0 : 0x8000;
    if (exponent >= 143) { // 2^16 and more.
      base[i] += 0x7c00;
    } else if (exponent >= 113) { // 2^-14, the smallest normal number.
      base[i] += exponent - 112 << 10;
      shift[i] = 13;
    } else if (exponent >= 102) { // Half of the smallest number.
      top[i] = 0x800000;
      shift[i] = 126 - exponent;
    }
  }
  return { base, top, shift };
}

function widenBF16(bits: Uint16Array<ArrayBuffer>, into: Float32Array) {
  const words = bitsOf(into);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i] << 16;
}

function narrowBF16(numbers: Float32Array, into: Uint16Array<ArrayBuffer>) {
  const words = bitsOf(numbers);
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    into[i] = isNaNWord(word)
      ? word >>> 16 | 0x40
      : word + 0x7fff + (word >>> 16 & 1) >>> 16;
  }
}

function bitsOf(numbers: Float32Array): Uint32Array {
  return new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
}

function isNaNWord(word: number): boolean {
  return (word & 0x7fffffff) > 0x7f800000;
}
