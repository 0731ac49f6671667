/**
 * Ops that treat each element by itself.
 *
 * @module
 */

import { type Array64, at, broadcast, build } from "./array.ts";

type Unary = (x: Array64) => Array64;
type Binary = (a: Array64, b: Array64 | number) => Array64;

function unary(f: (x: number) => number): Unary {
  return ({ data, shape }) => ({ data: data.map(f), shape });
}

function binary(f: (a: number, b: number) => number): Binary {
  return (a, b) => {
    if (typeof b === "number") return unary((value) => f(value, b))(a);
    const shape = broadcast(a.shape, b.shape);
    return build(shape, (index) => f(at(a, index), at(b, index)));
  };
}

/** `a + b` */
export const add: Binary = binary((a, b) => a + b);
/** `a - b` */
export const sub: Binary = binary((a, b) => a - b);
/** `a b` */
export const mul: Binary = binary((a, b) => a * b);
/** `a / b` */
export const div: Binary = binary((a, b) => a / b);
/** `a / b` of whole numbers, rounded towards zero. */
export const quotient: Binary = binary((a, b) => Math.trunc(a / b));
/** `a` to the power of `b` */
export const pow: Binary = binary((a, b) => a ** b);

/** `-x` */
export const neg: Unary = unary((x) => -x);
/** e to the power of `x` */
export const exp: Unary = unary(Math.exp);
/** The natural logarithm. */
export const log: Unary = unary(Math.log);
/** The square root. */
export const sqrt: Unary = unary(Math.sqrt);
/** The hyperbolic tangent. */
export const tanh: Unary = unary(Math.tanh);
/** `1 / (1 + exp(-x))` */
export const sigmoid: Unary = unary((x) => 1 / (1 + Math.exp(-x)));
/** `x` above 0, else 0. */
export const relu: Unary = unary((x) => Math.max(x, 0));
/** `x sigmoid(x)` */
export const silu: Unary = unary((x) => x / (1 + Math.exp(-x)));
/**
 * `x` times the chance that a standard normal number is below it, or GPT-2's
 * formula for nearly that.
 */
export function gelu(
  x: Array64,
  { approximate = "tanh" }: { approximate?: "tanh" | "none" } = {},
): Array64 {
  return approximate === "none" ? geluErf(x) : geluTanh(x);
}

const geluErf = unary((x) => x * (1 + erf(x / Math.SQRT2)) / 2);
const geluTanh = unary((x) =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
);

/** `x` rounded towards zero. */
export const trunc: Unary = unary(Math.trunc);

/** `a` where `condition` is not 0, else `b`. */
export function where(condition: Array64, a: Array64, b: Array64): Array64 {
  return build(
    broadcast(condition.shape, a.shape, b.shape),
    (index) => at(condition, index) === 0 ? at(b, index) : at(a, index),
  );
}

/** `x`, with `value` where `mask` is not 0. */
export function maskedFill(x: Array64, mask: Array64, value: number): Array64 {
  return build(
    x.shape,
    (index) => at(mask, index) === 0 ? at(x, index) : value,
  );
}

/**
 * The error function, to double precision: the series whose terms are all
 * positive, `2/√π exp(-x²) Σ 2ⁿ x²ⁿ⁺¹ / (1·3·…·(2n+1))`.
 */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= 2 * x * x / (2 * n + 1);
    sum += term;
  }
  return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
}
