/**
 * Every op, each with its gradient.
 *
 * @module
 */

export { add, div, mul, pow, sub } from "./binary.ts"; //  a + b, a / b, a b, a^b, a - b
export { attention, type AttentionOptions } from "./attention.ts"; //  softmax(q k^T / sqrt(D)) v, causal
export { crossEntropy, type CrossEntropyOptions } from "./cross_entropy.ts"; //  mean(-log softmax(x)[target])
export { dropout } from "./dropout.ts"; //  x mask / (1 - rate)
export { embedding } from "./embedding.ts"; //  table[id]
export { layerNorm } from "./layer_norm.ts"; //  (x - mean) / std weight + bias
export {
  concat, //  x joined with others along an axis
  expand, //  x repeated along axes of size 1
  permute, //  x with its axes in another order
  reshape, //  x in another shape
  slice, //  x[start .. end] along an axis
  transpose, //  x with two axes exchanged
} from "./layout.ts";
export { conv1d, linear } from "./linear.ts"; //  x W + b, x W^T + b
export { matmul, type MatmulOptions } from "./matmul.ts"; //  a b
export { argmax, max, mean, type ReduceOptions, sum } from "./reduce.ts"; //  along an axis, or of everything
export { gather, maskedFill, to, where } from "./select.ts"; //  x[index], fill where mask, cast, a or b
export { logSoftmax, softmax, type SoftmaxOptions } from "./softmax.ts"; //  e^x / sum(e^x) and its logarithm
export {
  exp, //  e^x
  gelu, //  x P(X <= x)
  type GeluOptions,
  log, //  ln x
  neg, //  -x
  relu, //  max(x, 0)
  sigmoid, //  1 / (1 + e^-x)
  silu, //  x sigmoid(x)
  sqrt, //  square root
  tanh, //  hyperbolic tangent
} from "./unary.ts";
