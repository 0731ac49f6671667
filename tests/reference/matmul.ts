/**
 * Products of matrices.
 *
 * @module
 */

import { type Array64, broadcast, build, zeros } from "./array.ts";
import { gelu } from "./elementwise.ts";

/** Which factors are read with their last two axes exchanged. */
export interface MatmulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/** The matrix product; leading axes are batches and broadcast. */
export function matmul(
  a: Array64,
  b: Array64,
  { transposeA = false, transposeB = false }: MatmulOptions = {},
): Array64 {
  const [rows, depth] = matrix(a, transposeA);
  const [, cols] = matrix(b, transposeB);
  const batch = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const y = zeros([...batch, rows, cols]);
  const startOfA = starts(a, batch);
  const startOfB = starts(b, batch);
  const [rowOfA, stepOfA] = transposeA ? [1, rows] : [depth, 1];
  const [stepOfB, colOfB] = transposeB ? [1, depth] : [cols, 1];
  for (let n = 0; n < startOfA.length; n++) {
    for (let r = 0; r < rows; r++) {
      const start = (n * rows + r) * cols;
      for (let k = 0; k < depth; k++) {
        const factor = a.data[startOfA[n] + r * rowOfA + k * stepOfA];
        const place = startOfB[n] + k * stepOfB;
        for (let c = 0; c < cols; c++) {
          y.data[start + c] += factor * b.data[place + c * colOfB];
        }
      }
    }
  }
  return y;
}

/** What follows a linear layer. */
export interface ActivationOptions {
  readonly activation?: "gelu";
}

/** `x weightᵀ + bias`, with `weight` [outputs, inputs]. */
export function linear(
  x: Array64,
  weight: Array64,
  bias?: Array64,
  { activation }: ActivationOptions = {},
): Array64 {
  const y = affine(x, weight, bias, { transposeB: true });
  return activation === "gelu" ? gelu(y) : y;
}

/** `x weight + bias`, with `weight` [inputs, outputs]. */
export function conv1d(
  x: Array64,
  weight: Array64,
  bias?: Array64,
  { activation }: ActivationOptions = {},
): Array64 {
  const y = affine(x, weight, bias, { transposeB: false });
  return activation === "gelu" ? gelu(y) : y;
}

function affine(
  x: Array64,
  weight: Array64,
  bias: Array64 | undefined,
  options: MatmulOptions,
): Array64 {
  const inputs = x.shape.at(-1)!;
  const rows = { data: x.data, shape: [x.data.length / inputs, inputs] };
  const { data, shape: [, outputs] } = matmul(rows, weight, options);
  bias?.data.forEach((value, o) => {
    for (let i = o; i < data.length; i += outputs) data[i] += value;
  });
  return { data, shape: [...x.shape.slice(0, -1), outputs] };
}

function matrix({ shape }: Array64, transposed: boolean): number[] {
  const sizes = shape.slice(-2);
  return transposed ? sizes.reverse() : sizes;
}

/** Where the matrix of each batch index begins. */
function starts({ shape }: Array64, batch: readonly number[]): Float64Array {
  const own = shape.slice(0, -2);
  const size = shape.at(-2)! * shape.at(-1)!;
  return build(batch, (index) => {
    const matching = index.slice(index.length - own.length);
    const place = own.reduce(
      (sum, length, axis) => sum * length + (length === 1 ? 0 : matching[axis]),
      0,
    );
    return place * size;
  }).data;
}
