import type { Random } from "../random.ts";
import { record } from "../tensor/tape.ts";
import { expectDtype, expectFloat } from "../tensor/expect.ts";
import { sameShape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { attend, attendBackward } from "./attention_kernels.ts";
import { wayFor } from "./attention_tuning.ts";
import { checkRate, seedFrom } from "./dropout.ts";

/** What {@linkcode attention} may be told. */
export interface AttentionOptions {
  /** Heads of keys, and of values, each serving as many of queries: as many. */
  keyValueHeads?: number;
  /** Zeroes each probability with chance `rate`, as drawn from `random`. */
  dropout?: { readonly rate: number; readonly random: Random };
  /**
   * u32 `[B, T]`: the position in its row at which the document of each position
   * begins, for several documents side by side. At most the position itself, and
   * never less than before it. All begin at 0 unless said otherwise.
   */
  starts?: Tensor;
}

/**
 * Causal self-attention: softmax(q k^T / sqrt(D)) v for each head, a position
 * seeing itself and those before it in its document. Takes queries, keys and values side by
 * side, `[B, T, 3 C]` with `C = heads D`, or `[B, T, (heads + 2 keyValueHeads) D]`
 * where heads of keys are shared, and gives `[B, T, C]`. Memory grows with T, not
 * with its square. In f16 it computes in f32.
 */
export function attention(
  qkv: Tensor,
  heads: number,
  { keyValueHeads = heads, dropout, starts }: AttentionOptions = {},
): Tensor {
  const [batch, time, packed] = qkv.shape;
  const size = packed / (heads + 2 * keyValueHeads);
  if (qkv.shape.length !== 3 || !Number.isInteger(size) || size === 0) {
    throw new RangeError(
      keyValueHeads === heads
        ? `Cannot attend with ${heads} heads over [${qkv.shape}]: expected [B, T, 3 C] with C a multiple of the heads`
        : `Cannot attend with ${heads} heads and ${keyValueHeads} of keys over [${qkv.shape}]: expected [B, T, ${
          heads + 2 * keyValueHeads
        } D]`,
    );
  }
  if (!Number.isInteger(heads / keyValueHeads)) {
    throw new RangeError(
      `Cannot attend with ${heads} heads and ${keyValueHeads} of keys: expected a multiple`,
    );
  }
  const channels = heads * size;
  expectFloat("attend over", qkv);
  if (starts) expectStarts(starts, [batch, time]);
  const { device, dtype } = qkv;
  const rate = dropout?.rate ?? 0;
  checkRate(rate);
  const seed = dropout && rate > 0
    ? seedFrom(dropout.random)
    : { seed_x: 0, seed_y: 0 };
  const keyHeads = keyValueHeads;
  const over = { batch, time, heads, keyHeads, size, rate, ...seed };
  const y = Tensor.empty(device, [batch, time, channels], dtype);
  const lse = Tensor.empty(device, [batch, heads, time]);
  attend(over, { qkv, starts, y, lse }, wayFor(device, over, dtype, "forward"));

  return record(y, "attention", [qkv], (dy, [into]) => {
    const dqkv = into?.add === false
      ? into.tensor
      : Tensor.empty(device, qkv.shape, dtype);
    const delta = Tensor.empty(device, lse.shape);
    const way = wayFor(device, over, dtype, "backward");
    attendBackward(over, { qkv, starts, y, lse, dy, delta, dqkv }, way);
    delta[Symbol.dispose]();
    lse[Symbol.dispose]();
    return [dqkv];
  });
}

/** Fails unless `starts` says where documents begin in rows of `[B, T]`. */
export function expectStarts(starts: Tensor, shape: readonly number[]): void {
  expectDtype("begin documents at", starts, "u32");
  if (!sameShape(starts.shape, shape)) {
    throw new RangeError(
      `Cannot begin documents at [${starts.shape}]: expected a start for each position, [${shape}]`,
    );
  }
}
