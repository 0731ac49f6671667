/**
 * Self-tests of what every adapter must get right.
 *
 * @module
 */

import type { Device } from "../lib/gpu/device.ts";
import { Kernel } from "../lib/gpu/kernel.ts";
import { matmul } from "../lib/ops/matmul.ts";
import { Random } from "../lib/random.ts";
import { noGrad } from "../lib/tensor/tape.ts";
import { Tensor } from "../lib/tensor/tensor.ts";
import { compare, type Comparison, type Verdict } from "./verdict.ts";
import randomSource from "../kernels/shared/random.wgsl" with { type: "text" };
import reduceSource from "../kernels/shared/reduce_workgroup.wgsl" with {
  type: "text",
};
import source from "./self_test.wgsl" with { type: "text" };

const kernel = new Kernel("self_test", source, randomSource, reduceSource);

/** Words pass through storage unharmed, as each of the three types. */
export async function copies(device: Device): Promise<Verdict> {
  const random = new Random(1);
  const input = Uint32Array.from({ length: 301 }, () => random.bits());
  input.set([0, 1, 2 ** 31, 2 ** 32 - 1, 0x7f800001, 0xffc00000, 0x00000001]);
  const output = await words(device, "copies", input, { results: 903 });
  return compare(
    [...input].flatMap((word, i) => {
      const hex = `0x${word.toString(16)}`;
      return [
        [`a copy of ${hex}`, output[3 * i], word, 0],
        [`half of ${word | 0}`, output[3 * i + 1] | 0, (word | 0) / 2 | 0, 0],
        // Signs flip on every float but those that are none.
        ...(word & 0x7fffffff) > 0x7f800000 || (word & 0x7f800000) === 0
          ? []
          : [
            [`${hex} negated`, output[3 * i + 2], (word ^ 2 ** 31) >>> 0, 0],
          ] as const,
      ] as const;
    }),
  );
}

/** The functions of one number, also far from 0. */
export async function functions(device: Device): Promise<Verdict> {
  const inputs = [0, 1, -1, 0.5, 1e-6, 3, -7.25, 12, 60, 87, -80];
  const extremes = [-200, -1e4, -1e30];
  const all = [...inputs, ...extremes];
  const y = floatsOf(
    await words(device, "functions", bitsOf(all), { results: 4 * all.length }),
  );
  // WebGPU asks for no more of exp, 3 + 2 |x| units in the last place, and of
  // log, 2^-21 around 1; numbers below 2^-126 may become 0.
  const unit = 2 ** -23;
  return compare(all.flatMap((written, i) => {
    const x = Math.fround(written);
    const size = Math.abs(x);
    const exp = Math.exp(x);
    const tanh = Math.tanh(x);
    const rows: Comparison[] = [
      [`exp(${x})`, y[4 * i], exp, exp * unit * (3 + 2 * size) + 2 ** -126],
    ];
    // The kernels ask for no tanh beyond, where some drivers overflow.
    if (size <= 20) rows.push([`tanh(${x})`, y[4 * i + 2], tanh, 1e-5]);
    if (size > 0) {
      const log = Math.log(size);
      const root = 1 / Math.sqrt(size);
      rows.push(
        [
          `log(${size})`,
          y[4 * i + 1],
          log,
          2 ** -21 + 4 * unit * Math.abs(log),
        ],
        [`inverseSqrt(${size})`, y[4 * i + 3], root, 4 * unit * root],
      );
    }
    return rows;
  }));
}

/** A float that is no number is told by its bits: compilers fold `x != x`. */
export async function classes(device: Device): Promise<Verdict> {
  const kinds: [bits: number, kind: number][] = [
    [0x7fc00000, 2],
    [0x7f800001, 2],
    [0xffc12345, 2],
    [0x7f800000, 1],
    [0xff800000, 1],
    [0x7f7fffff, 0],
    [0x00000001, 0],
    [0x80000000, 0],
    [0x3f800000, 0],
  ];
  const input = Uint32Array.from(kinds, ([bits]) => bits);
  const y = await words(device, "classes", input, { results: input.length });
  return compare(
    kinds.map(([bits, kind], i) =>
      [`the kind of 0x${bits.toString(16)}`, y[i], kind, 0] as const
    ),
  );
}

/** The random numbers of dropout and sampling. */
export async function hashes(device: Device): Promise<Verdict> {
  const random = new Random(2);
  const input = Uint32Array.from({ length: 500 }, () => random.bits());
  input.set([0, 1, 2 ** 32 - 1]);
  const y = await words(device, "hashes", input, { results: input.length });
  return compare(
    [...input].map((word, i) =>
      [`the hash of ${word}`, y[i], mixBits(word), 0] as const
    ),
  );
}

/** `mix_bits` of kernels/shared/random.wgsl. */
function mixBits(word: number): number {
  let x = Math.imul(word ^ (word >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0xd35a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}

/** Long sums, by `dot` and by `fma`. */
export async function dots(device: Device): Promise<Verdict> {
  const size = 1204;
  const values = new Random(3).normal(size);
  const y = floatsOf(
    await words(device, "dots", bitsOf(values), { results: size / 2 }),
  );
  const vectors = size / 4;
  return compare(
    Array.from({ length: vectors }, (_, r) => {
      let sum = 0;
      for (let i = 0; i < size; i++) {
        sum += values[i] * values[(i + 4 * (1 + r)) % size];
      }
      return [
        [`sum ${r} of dot products`, y[2 * r], sum, 1e-3],
        [`sum ${r} by fma`, y[2 * r + 1], sum, 1e-3],
      ] as const;
    }).flat(),
  );
}

/** What threads of a workgroup tell each other. */
export async function totals(device: Device): Promise<Verdict> {
  const [rows, size] = [67, 301];
  const values = new Random(4).normal(rows * size);
  const y = floatsOf(
    await words(device, "totals", bitsOf(values), {
      size,
      results: 2 * rows,
      groups: rows,
    }),
  );
  return compare(
    Array.from({ length: rows }, (_, r) => {
      const row = values.subarray(r * size, (r + 1) * size);
      const sum = row.reduce((total, value) => total + value, 0);
      return [
        [`the sum of row ${r}`, y[2 * r], sum, 1e-3],
        [`the greatest of row ${r}`, y[2 * r + 1], Math.max(...row), 0],
      ] as const;
    }).flat(),
  );
}

/** A whole op, on a shape that fits no tile. */
export async function product(device: Device): Promise<Verdict> {
  const [rows, depth, cols] = [37, 61, 23];
  using _scope = device.scope();
  const random = new Random(6);
  const [a, b] = [random.normal(rows * depth), random.normal(depth * cols)];
  const c = await noGrad(() =>
    matmul(
      Tensor.from(device, a, [rows, depth]),
      Tensor.from(device, b, [depth, cols]),
    )
  ).read();
  return compare([...c].map((value, i) => {
    const [row, col] = [Math.floor(i / cols), i % cols];
    let sum = 0;
    for (let k = 0; k < depth; k++) {
      sum += a[row * depth + k] * b[k * cols + col];
    }
    return [`[${row}, ${col}]`, value, sum, 1e-4] as const;
  }));
}

/** Mesa's software driver leaves loops after 65,535 trips; kernels reckon with it. */
export async function trips(device: Device): Promise<Verdict> {
  const size = 70_000;
  const [made] = await words(device, "trips", Uint32Array.of(0), {
    size,
    results: 1,
    groups: 1,
  });
  if (made === size) return null;
  return made >= 65_535
    ? {
      note:
        `a loop ends after ${made} trips, a known limit of Mesa's software driver`,
    }
    : { wrong: `a loop of ${size} trips ends after ${made}` };
}

/** Runs an entry point on words and reads the words it gives. */
async function words(
  device: Device,
  entry: string,
  input: Uint32Array<ArrayBuffer>,
  { size = input.length, results, groups }: {
    size?: number;
    results: number;
    groups?: number;
  },
): Promise<Uint32Array<ArrayBuffer>> {
  using _scope = device.scope();
  const x = Tensor.from(device, input);
  const y = Tensor.zeros(device, [results], "u32");
  kernel.run(entry, {
    args: { x, y, size },
    grid: groups === undefined ? { threads: size } : { groups },
  });
  return await y.read() as Uint32Array<ArrayBuffer>;
}

function bitsOf(numbers: ArrayLike<number>): Uint32Array<ArrayBuffer> {
  return new Uint32Array(Float32Array.from(numbers).buffer);
}

function floatsOf(bits: Uint32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  return new Float32Array(bits.buffer);
}
