/**
 * GPT-2 that writes with a cache, in jax-js.
 *
 * Compiled functions have fixed shapes, so the cache has room for a whole block
 * from the start, and a mask says how much of it is filled.
 *
 * @module
 */

import {
  type Array as Tensor,
  blockUntilReady,
  jit,
  nn,
  numpy as np,
  tree,
} from "@jax-js/jax";
import {
  type DecodeTask,
  readShared,
  type Sizes,
  type Work,
} from "./answer.ts";

/** Weights by Hugging Face's names. */
type Weights = Record<string, Tensor>;

/** The keys and values of each block, [H, S, D] with room for S tokens. */
type Cache = [keys: Tensor, values: Tensor][];

/** Makes writing ready. */
export async function decoding(task: DecodeTask): Promise<Work> {
  const { sizes, prompt, tokens } = task;
  const { nLayer, nHead, nEmbd, blockSize } = sizes;
  const weights: Weights = Object.fromEntries(
    readShared(task.shared)
      .map(({ name, shape, data }) => [name, np.array(data).reshape(shape)]),
  );
  await blockUntilReady(weights);
  const read = jit(reader(sizes, prompt.length));
  const extend = jit(reader(sizes, 1));
  const whole = (values: readonly number[]) =>
    np.array(Int32Array.from(values), { dtype: np.int32 });

  const write = async () => {
    const room = [nHead, blockSize, nEmbd / nHead];
    let cache: Cache = Array.from(
      { length: nLayer },
      () => [np.zeros(room), np.zeros(room)],
    );
    let next: Tensor; // [1]
    [next, cache] = read(tree.ref(weights), cache, whole(prompt), whole([0]));
    const written = [next.ref];
    await blockUntilReady(next);
    const start = performance.now();
    for (let at = prompt.length; written.length < tokens; at++) {
      [next, cache] = extend(tree.ref(weights), cache, next, whole([at]));
      written.push(next.ref);
    }
    const ids: number[] = [];
    for (const token of written) ids.push((await token.data())[0]);
    const seconds = (performance.now() - start) / 1000;
    tree.dispose([next, cache]);
    return { ids, seconds };
  };
  const { ids } = await write();
  return {
    check: ids,
    turns: async (count) => {
      let total = 0;
      for (let turn = 0; turn < count; turn++) {
        total += (await write()).seconds;
      }
      return total;
    },
  };
}

/** Reads `time` tokens from `start` on: the likeliest after them, the cache. */
function reader({ nLayer, nHead, nEmbd, blockSize }: Sizes, time: number) {
  return (
    w: Weights,
    cache: Cache,
    ids: Tensor,
    start: Tensor,
  ): [Tensor, Cache] => {
    const norm = (x: Tensor, name: string) =>
      nn.standardize(x, -1, { epsilon: 1e-5 })
        .mul(w[`${name}.weight`]).add(w[`${name}.bias`]);
    const linear = (x: Tensor, name: string) =>
      np.matmul(x, w[`${name}.weight`]).add(w[`${name}.bias`]);
    const positions = np.arange(time).add(start.ref); // [T]
    const places = np.arange(blockSize); // [S]
    const visible = np.lessEqual(
      places.ref,
      positions.ref.reshape([time, 1]),
    ); // [T, S]
    // Where the cache takes what is new: [S, 1].
    const row = places.reshape([blockSize, 1]);
    const filled = np.greaterEqual(row.ref, start.ref)
      .mul(np.less(row, start.add(time)));
    const put = (into: Tensor, x: Tensor): Tensor => {
      const rows = time === 1
        ? x // [H, 1, D], the same everywhere
        : np.pad(x, [[0, 0], [0, blockSize - time], [0, 0]]);
      return np.where(filled.ref, rows, into);
    };

    let x = np.take(w["wte.weight"].ref, ids, 0)
      .add(np.take(w["wpe.weight"], positions, 0)); // [T, C]
    const after: Cache = [];
    for (let layer = 0; layer < nLayer; layer++) {
      const h = `h.${layer}`;
      const qkv = linear(norm(x.ref, `${h}.ln_1`), `${h}.attn.c_attn`);
      const [q, k, v] = np.split(qkv, 3, -1).map((part) =>
        np.transpose(part.reshape([time, nHead, nEmbd / nHead]), [1, 0, 2])
      ); // [H, T, D]
      const [keys, values] = cache[layer];
      const [key, value] = [put(keys, k), put(values, v)]; // [H, S, D]
      const scores = np.matmul(q, np.transpose(key.ref, [0, 2, 1]))
        .mul(1 / Math.sqrt(nEmbd / nHead)); // [H, T, S]
      const shares = nn.softmax(np.where(visible.ref, scores, -1e9));
      const mixed = np.transpose(np.matmul(shares, value.ref), [1, 0, 2])
        .reshape([time, nEmbd]);
      after.push([key, value]);
      x = x.add(linear(mixed, `${h}.attn.c_proj`));
      const wide = nn.gelu(linear(norm(x.ref, `${h}.ln_2`), `${h}.mlp.c_fc`));
      x = x.add(linear(wide, `${h}.mlp.c_proj`));
    }
    const last = time === 1 ? x : np.split(x, [time - 1], 0)[1]; // [1, C]
    const logits = np.matmul(norm(last, "ln_f"), np.transpose(w["wte.weight"]));
    tree.dispose([visible, filled]);
    return [np.argmax(logits, -1), after];
  };
}
