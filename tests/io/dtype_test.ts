import { assert, assertEquals } from "@std/assert";
import { encode, widen } from "../../lib/io/dtype.ts";
import { SafetensorsFile } from "../../lib/io/safetensors.ts";

/** The 16-bit types: bits of exponent and of mantissa. */
const formats = { F16: [5, 10], BF16: [8, 7] } as const;

type Format = keyof typeof formats;

/** What the bits mean, by the definition. */
function valueOf(format: Format, bits: number): number {
  const [exponentBits, mantissaBits] = formats[format];
  const sign = bits & 0x8000 ? -1 : 1;
  const highest = 2 ** exponentBits - 1;
  const exponent = (bits & 0x7fff) >> mantissaBits;
  const mantissa = (bits & (2 ** mantissaBits - 1)) / 2 ** mantissaBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === highest) return mantissa ? NaN : sign * Infinity;
  if (exponent === 0) return sign * mantissa * 2 ** (1 - bias);
  return sign * (1 + mantissa) * 2 ** (exponent - bias);
}

function widened(format: Format, bits: Uint16Array<ArrayBuffer>): Float32Array {
  const numbers = new Float32Array(bits.length);
  widen(format, bits, numbers);
  return numbers;
}

function narrowed(format: Format, numbers: Float32Array<ArrayBuffer>) {
  const chunks = [...encode(numbers, format)].map((chunk) => chunk.slice());
  const bytes = new Uint8Array(2 * numbers.length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return new Uint16Array(bytes.buffer);
}

const every = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);

for (const format of ["F16", "BF16"] as const) {
  Deno.test(`each of the 65,536 numbers of ${format} is widened exactly, and narrowed to itself`, () => {
    // Several times, so that interpreter and compiler both have their turn.
    for (let turn = 0; turn < 20; turn++) {
      const numbers = widened(format, every);
      const back = narrowed(format, Float32Array.from(numbers));
      let wrong = 0;
      for (let bits = 0; bits < 65_536; bits++) {
        const value = valueOf(format, bits);
        if (!Object.is(numbers[bits], value)) wrong++;
        const same = Number.isNaN(value)
          ? Number.isNaN(valueOf(format, back[bits]))
          : back[bits] === bits;
        if (!same) wrong++;
      }
      assertEquals(wrong, 0);
    }
  });

  Deno.test(`float32 becomes the nearest ${format}, of two the even one`, () => {
    const positive = 2 ** 15 - 2 ** formats[format][1]; // Up to infinity.
    for (const sign of [1, -1]) {
      const middles = new Float32Array(positive);
      for (let bits = 0; bits < positive; bits++) {
        const low = valueOf(format, bits);
        // Where infinity is, the next power of two would be.
        const high = bits + 1 < positive
          ? valueOf(format, bits + 1)
          : 2 * low - valueOf(format, bits - 1);
        middles[bits] = sign * (low + high) / 2;
      }
      const words = new Uint32Array(middles.buffer);
      const below = new Float32Array(words.map((word) => word - 1).buffer);
      const above = new Float32Array(words.map((word) => word + 1).buffer);
      const top = sign < 0 ? 0x8000 : 0;

      const even = every.subarray(0, positive)
        .map((bits) => top + bits + (bits & 1));
      assertEquals(narrowed(format, middles), even);
      const here = every.subarray(0, positive).map((bits) => top + bits);
      assertEquals(narrowed(format, below), here);
      assertEquals(narrowed(format, above), here.map((bits) => bits + 1));
    }
  });

  Deno.test(`every NaN stays a NaN in ${format}, whatever its bits`, () => {
    const words = new Uint32Array(10_000)
      .map((_, i) => 0x7f800001 + i * 838 + (i % 2) * 0x80000000);
    const bits = narrowed(format, new Float32Array(words.buffer));
    assert(bits.every((bits) => Number.isNaN(valueOf(format, bits))));
  });
}

Deno.test("float32 becomes what PyTorch makes of it, to the bit", () => {
  const path = new URL("../fixtures/io/rounded.safetensors", import.meta.url);
  const bytes = Deno.readFileSync(path);
  using file = SafetensorsFile.parse(bytes);
  const numbers = file.read("float32").data;
  const formatOf = { float16: "F16", bfloat16: "BF16" } as const;
  for (const [name, format] of Object.entries(formatOf)) {
    const { offset, size } = file.tensors.get(name)!;
    const theirs = new Uint16Array(
      bytes.slice(offset, offset + 2 * size).buffer,
    );
    const ours = narrowed(format, numbers);
    const wrong = ours.findIndex((bits, i) =>
      bits !== theirs[i] && !Number.isNaN(numbers[i])
    );
    assertEquals(wrong, -1, `${format} of ${numbers[wrong]}`);
    assert(numbers.length > 1900);
  }
});
