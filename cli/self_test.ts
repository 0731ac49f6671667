/**
 * Tests the arithmetic of an adapter: what the kernels rely on, on small inputs,
 * against the CPU.
 *
 * @module
 */

import type { Device } from "../lib/gpu/device.ts";
import { Kernel } from "../lib/gpu/kernel.ts";
import { matmul } from "../lib/ops/matmul.ts";
import { Random } from "../lib/random.ts";
import { noGrad } from "../lib/tensor/tape.ts";
import { Tensor } from "../lib/tensor/tensor.ts";
import randomSource from "../kernels/shared/random.wgsl" with { type: "text" };
import reduceSource from "../kernels/shared/reduce_workgroup.wgsl" with {
  type: "text",
};
import source from "./self_test.wgsl" with { type: "text" };
import halfSource from "./self_test_f16.wgsl" with { type: "text" };
import subgroupSource from "./self_test_subgroup.wgsl" with { type: "text" };

const kernel = new Kernel("self_test", source, randomSource, reduceSource);
const subgroupKernel = new Kernel("self_test_subgroup", subgroupSource);
const halfKernel = new Kernel("self_test_f16", halfSource);

/** What a test found. */
export interface Finding {
  /** What was tested. */
  readonly name: string;
  /** Whether the result was right. */
  readonly passed: boolean;
  /** What was wrong, or is worth knowing. */
  readonly detail?: string;
}

/** What is wrong, what is worth knowing, or nothing. */
type Verdict = { readonly wrong: string } | { readonly note: string } | null;

/** Puts a device through its paces; an error of the device is a finding too. */
export async function* selfTest(device: Device): AsyncGenerator<Finding> {
  const tests: Record<string, (device: Device) => Promise<Verdict>> = {
    "storage of u32, i32 and f32": copies,
    "exp, log, tanh and square roots": functions,
    "NaN and infinity told by their bits": classes,
    "overflow of whole numbers": hashes,
    "sums of products": dots,
    "reductions across barriers": totals,
    ...device.subgroupSize > 0 && { "subgroup operations": lanes },
    "matrix product": product,
    "long loops": trips,
  };
  for (const [name, run] of Object.entries(tests)) {
    yield await finding(name, () => run(device));
  }
}

/** Tests half precision on a device that was granted `shader-f16`. */
export async function selfTestHalf(device: Device): Promise<Finding> {
  return await finding("half precision", () => halves(device));
}

async function finding(
  name: string,
  run: () => Promise<Verdict>,
): Promise<Finding> {
  let verdict: Verdict;
  try {
    verdict = await run();
  } catch (error) {
    const [line] = (error as Error).message.split("\n");
    verdict = { wrong: line };
  }
  if (verdict === null) return { name, passed: true };
  return "wrong" in verdict
    ? { name, passed: false, detail: verdict.wrong }
    : { name, passed: true, detail: verdict.note };
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

/** The first of several comparisons that fails. */
function compare(
  rows: Iterable<
    readonly [what: string, actual: number, expected: number, slack: number]
  >,
): Verdict {
  for (const [what, actual, expected, slack] of rows) {
    const near = Math.abs(actual - expected) <= slack;
    if (!near && !Object.is(actual, expected)) {
      return { wrong: `${what} is ${actual}, expected ${expected}` };
    }
  }
  return null;
}

async function copies(device: Device): Promise<Verdict> {
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

async function functions(device: Device): Promise<Verdict> {
  const inputs = [0, 1, -1, 0.5, 1e-6, 3, -7.25, 12, 60, 87, -80];
  const extremes = [-200, -1e4, -1e30];
  const all = [...inputs, ...extremes];
  const y = floatsOf(
    await words(device, "functions", bitsOf(all), { results: 4 * all.length }),
  );
  // WebGPU asks for no more of exp, 3 + 2 |x| units in the last place, and of
  // log, 2^-21 around 1.
  const unit = 2 ** -23;
  return compare(all.flatMap((written, i) => {
    const x = Math.fround(written);
    const size = Math.abs(x);
    const exp = Math.exp(x);
    const tanh = Math.tanh(x);
    const rows: [string, number, number, number][] = [
      [`exp(${x})`, y[4 * i], exp, exp * unit * (3 + 2 * size)],
      [`tanh(${x})`, y[4 * i + 2], tanh, 1e-5],
    ];
    if (size > 0) {
      const log = Math.log(size);
      const root = 1 / Math.sqrt(size);
      rows.push(
        [`log(${size})`, y[4 * i + 1], log, 2 ** -21 + 4 * unit * log],
        [`inverseSqrt(${size})`, y[4 * i + 3], root, 4 * unit * root],
      );
    }
    return rows;
  }));
}

async function classes(device: Device): Promise<Verdict> {
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

async function hashes(device: Device): Promise<Verdict> {
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

async function dots(device: Device): Promise<Verdict> {
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

async function totals(device: Device): Promise<Verdict> {
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

async function lanes(device: Device): Promise<Verdict> {
  const size = device.subgroupSize;
  const from = size - 1;
  const rows = 9;
  const values = new Random(5).normal(rows * size);
  using _scope = device.scope();
  const x = Tensor.from(device, values);
  const y = Tensor.zeros(device, [4 * x.size]);
  subgroupKernel.run("lanes", {
    args: { x, y },
    grid: { groups: rows },
    constants: { BLOCK: size, FROM: from },
  });
  const seen = await y.read();
  return compare(
    [...values].flatMap((_, i) => {
      const start = i - i % size;
      const row = values.subarray(start, start + size);
      const sum = row.reduce((total, value) => total + value, 0);
      const where = `of thread ${i}`;
      return [
        [`the lane ${where}`, seen[4 * i], i % size, 0],
        [`subgroupAdd ${where}`, seen[4 * i + 1], sum, 1e-4],
        [`subgroupMax ${where}`, seen[4 * i + 2], Math.max(...row), 0],
        [`subgroupBroadcast ${where}`, seen[4 * i + 3], row[from], 0],
      ] as const;
    }),
  );
}

async function product(device: Device): Promise<Verdict> {
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
async function trips(device: Device): Promise<Verdict> {
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

async function halves(device: Device): Promise<Verdict> {
  const values = new Random(7).normal(257).map((v) => Math.f16round(v));
  const size = values.length - 1;
  using _scope = device.scope();
  const x = Tensor.from(device, values);
  const y = Tensor.zeros(device, [4 * size]);
  const z = Tensor.zeros(device, [size]);
  const grid = { threads: size };
  halfKernel.run("halves", { args: { x, y, size }, grid });
  halfKernel.run("product", { args: { x, y: z, size }, grid });
  const [pairs, sums] = [await y.read(), await z.read()];
  return compare([
    ...Array.from({ length: size }, (_, i) => {
      const [a, b] = [values[i], values[i + 1]];
      const row = (what: string, k: number, exact: number) =>
        [
          what,
          pairs[4 * i + k],
          exact,
          2 ** -9 * Math.abs(exact) + 2 ** -14,
        ] as const;
      return [
        row(`${a} + ${b}`, 0, a + b),
        row(`${a} * ${b}`, 1, a * b),
        row(`${a} / ${b}`, 2, a / b),
        [`fma of ${a} and ${b}`, pairs[4 * i + 3], a * b + a, 2 ** -7] as const,
      ];
    }).flat(),
    ...Array.from({ length: size }, (_, r) => {
      let sum = 0;
      for (let j = 0; j < size; j++) sum += values[j] * values[(j + r) % size];
      return [`sum ${r} in halves`, sums[r], sum, 2] as const;
    }),
  ]);
}
