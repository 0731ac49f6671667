/**
 * Every op, each with its gradient.
 *
 * @module
 */

export { add, div, mul, pow, sub } from "./binary.ts"; //  a + b, a / b, a b, a^b, a - b
export { attention, type AttentionOptions } from "./attention.ts"; //  softmax(q k^T / sqrt(D)) v, causal
export { to } from "./convert.ts"; //  x in another type
export { crossEntropy, type CrossEntropyOptions } from "./cross_entropy.ts"; //  mean(-log softmax(x)[target])
export { dropout } from "./dropout.ts"; //  x mask / (1 - rate)
export { embedding, type EmbeddingOptions } from "./embedding.ts"; //  table[id]
export { layerNorm } from "./layer_norm.ts"; //  (x - mean) / std weight + bias
export {
  concat, //  x joined with others along an axis
  expand, //  x repeated along axes of size 1
  permute, //  x with its axes in another order
  reshape, //  x in another shape
  slice, //  x[start .. end] along an axis
  transpose, //  x with two axes exchanged
} from "./layout.ts";
export {
  linearCrossEntropy, //  crossEntropy(x W^T, target), a few rows at a time
  type LinearCrossEntropyOptions,
} from "./linear_cross_entropy.ts";
export { type AffineOptions, conv1d, linear } from "./linear.ts"; //  x W + b, x W^T + b
export { matmul, type MatmulOptions } from "./matmul.ts"; //  a b
export { argmax, max, mean, type ReduceOptions, sum } from "./reduce.ts"; //  along an axis, or of everything
export { gather, maskedFill, where } from "./select.ts"; //  x[index], fill where mask, a or b
export { rmsNorm } from "./rms_norm.ts"; //  x / rms(x) weight
export { rope, type RopeOptions } from "./rope.ts"; //  q and k turned by their positions, beside v
export { logSoftmax, softmax, type SoftmaxOptions } from "./softmax.ts"; //  e^x / sum(e^x) and its logarithm
export { swiglu } from "./swiglu.ts"; //  silu(gate) up
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
