/**
 * GPT-2 that writes with a cache, as an ONNX graph.
 *
 * One graph reads any number T of tokens after P others: a prompt at first, then
 * token by token. Which keys a query sees comes in as a mask.
 *
 * @module
 */

import type { Shared, Sizes } from "./answer.ts";
import { readShared } from "./answer.ts";
import type { Attribute, Constant, Graph, Node, Port } from "./onnx_model.ts";

/** The names of a block's caches, by what goes in and what comes out. */
export function cacheNames(nLayer: number): [past: string, present: string][] {
  return Array.from({ length: nLayer }, (_, layer) => layer).flatMap((layer) =>
    ["key", "value"].map((what): [string, string] => [
      `past.${layer}.${what}`,
      `present.${layer}.${what}`,
    ])
  );
}

/**
 * The graph: `ids` [T], `positions` [T], `mask` [T, P+T] and the caches [H, P, D]
 * to `next`, the likeliest token after them, and the caches [H, P+T, D].
 */
export function gptGraph(sizes: Sizes, shared: Shared): Graph {
  const { nLayer, nHead, nEmbd } = sizes;
  const size = nEmbd / nHead;
  const nodes: Node[] = [];
  const constants: Record<string, Constant> = {
    half: scalar(0.5),
    one: scalar(1),
    cube: scalar(0.044715),
    root: scalar(Math.sqrt(2 / Math.PI)),
    scale: scalar(1 / Math.sqrt(size)),
    "to heads": lengths([0, nHead, size]),
    "to rows": lengths([0, nEmbd]),
    last: lengths([-1]),
  };
  for (const { name, shape, data } of readShared(shared)) {
    constants[name] = { shape, data: data.slice() };
  }
  let made = 0;
  const many = (
    op: string,
    inputs: string[],
    outputs: string[],
    attributes?: Record<string, Attribute>,
  ) => nodes.push({ op, inputs, outputs, attributes });
  const one = (
    op: string,
    inputs: string[],
    attributes?: Record<string, Attribute>,
  ): string => {
    const output = `${op} ${made++}`;
    many(op, inputs, [output], attributes);
    return output;
  };
  const norm = (x: string, name: string) =>
    one("LayerNormalization", [x, `${name}.weight`, `${name}.bias`], {
      axis: -1,
      epsilon: { float: 1e-5 },
    });
  const linear = (x: string, name: string) =>
    one("Gemm", [x, `${name}.weight`, `${name}.bias`]);
  const heads = (x: string) =>
    one("Transpose", [one("Reshape", [x, "to heads"])], { perm: [1, 0, 2] });
  const gelu = (x: string) => {
    const cubed = one("Mul", [one("Mul", [one("Mul", [x, x]), x]), "cube"]);
    const inner = one("Mul", [one("Add", [x, cubed]), "root"]);
    const gate = one("Add", [one("Tanh", [inner]), "one"]);
    return one("Mul", [one("Mul", [x, "half"]), gate]);
  };

  let x = one("Add", [
    one("Gather", ["wte.weight", "ids"]),
    one("Gather", ["wpe.weight", "positions"]),
  ]); // [T, C]
  for (let layer = 0; layer < nLayer; layer++) {
    const h = `h.${layer}`;
    const qkv = linear(norm(x, `${h}.ln_1`), `${h}.attn.c_attn`);
    const parts = ["q", "k", "v"].map((part) => `${h}.${part}`);
    many("Split", [qkv], parts, { axis: 1 });
    const [q, k, v] = parts.map(heads); // [H, T, D]
    const [key, value] = [["key", k], ["value", v]].map(([what, fresh]) => {
      const present = `present.${layer}.${what}`;
      many("Concat", [`past.${layer}.${what}`, fresh], [present], { axis: 1 });
      return present;
    });
    const across = one("Transpose", [key], { perm: [0, 2, 1] });
    const scores = one("Mul", [one("MatMul", [q, across]), "scale"]);
    const shares = one("Softmax", [one("Add", [scores, "mask"])], { axis: -1 });
    const mixed = one("Transpose", [one("MatMul", [shares, value])], {
      perm: [1, 0, 2],
    });
    const rows = one("Reshape", [mixed, "to rows"]);
    x = one("Add", [x, linear(rows, `${h}.attn.c_proj`)]);
    const wide = gelu(linear(norm(x, `${h}.ln_2`), `${h}.mlp.c_fc`));
    x = one("Add", [x, linear(wide, `${h}.mlp.c_proj`)]);
  }
  const end = norm(one("Gather", [x, "last"], { axis: 0 }), "ln_f"); // [1, C]
  const logits = one("Gemm", [end, "wte.weight"], { transB: 1 }); // [1, V]
  many("ArgMax", [logits], ["next"], { axis: 1, keepdims: 0 });

  const cache = (time: string): Port => ({
    type: "float32",
    shape: [nHead, time, size],
  });
  const names = cacheNames(nLayer);
  return {
    nodes,
    constants,
    inputs: {
      ids: { type: "int64", shape: ["T"] },
      positions: { type: "int64", shape: ["T"] },
      mask: { type: "float32", shape: ["T", "P+T"] },
      ...Object.fromEntries(names.map(([past]) => [past, cache("P")])),
    },
    outputs: {
      next: { type: "int64", shape: [1] },
      ...Object.fromEntries(names.map(([, now]) => [now, cache("P+T")])),
    },
  };
}

function scalar(value: number): Constant {
  return { shape: [], data: Float32Array.of(value) };
}

function lengths(values: readonly number[]): Constant {
  const data = BigInt64Array.from(values, BigInt);
  return { shape: [values.length], data };
}
