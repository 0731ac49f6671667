/**
 * Every op in plain loops over doubles: what the kernels must agree with.
 *
 * Only the forward is written out. In double precision its finite differences
 * are accurate to about nine digits, so they are the reference for the
 * backward too, and no second backward has to be right.
 *
 * Integers (ids, targets, masks) travel as doubles as well.
 *
 * @module
 */

export * from "./reference/array.ts";
export * from "./reference/attention.ts";
export * from "./reference/elementwise.ts";
export * from "./reference/layers.ts";
export * from "./reference/llama.ts";
export * from "./reference/matmul.ts";
export * from "./reference/reductions.ts";
export * from "./reference/shapes.ts";
export * from "./reference/slope.ts";
