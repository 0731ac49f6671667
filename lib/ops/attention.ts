import type { Device } from "../gpu/device.ts";
import { Kernel, type RunOptions } from "../gpu/kernel.ts";
import type { Random } from "../random.ts";
import { record } from "../tensor/tape.ts";
import { expectDtype } from "../tensor/expect.ts";
import { Tensor } from "../tensor/tensor.ts";
import { checkRate, seedFrom } from "./dropout.ts";
import { RowKernel } from "./rows.ts";
import gridSource from "../../kernels/shared/grid.wgsl" with { type: "text" };
import headsSource from "../../kernels/shared/heads.wgsl" with { type: "text" };
import randomSource from "../../kernels/shared/random.wgsl" with {
  type: "text",
};
import subgroupSource from "../../kernels/attention_subgroup.wgsl" with {
  type: "text",
};
import workgroupSource from "../../kernels/attention.wgsl" with {
  type: "text",
};

const subgroupKernel = new Kernel(
  "attention_subgroup",
  subgroupSource,
  gridSource,
  randomSource,
  headsSource,
);
const workgroupKernel = new RowKernel(
  "attention",
  workgroupSource,
  randomSource,
  headsSource,
);

/** What {@linkcode attention} may be told. */
export interface AttentionOptions {
  /** Zeroes each probability with chance `rate`, as drawn from `random`. */
  dropout?: { readonly rate: number; readonly random: Random };
}

/**
 * Causal self-attention: softmax(q k^T / sqrt(D)) v for each head, a position
 * seeing itself and those before it. Takes queries, keys and values side by
 * side, `[B, T, 3 C]` with `C = heads D`, and gives `[B, T, C]`. Memory grows
 * with T, not with its square.
 */
export function attention(
  qkv: Tensor,
  heads: number,
  { dropout }: AttentionOptions = {},
): Tensor {
  const [batch, time, packed] = qkv.shape;
  const channels = packed / 3;
  const size = channels / heads;
  if (qkv.shape.length !== 3 || !Number.isInteger(size) || size === 0) {
    throw new RangeError(
      `Cannot attend with ${heads} heads over [${qkv.shape}]: expected [B, T, 3 C] with C a multiple of the heads`,
    );
  }
  expectDtype("attend over", qkv, "f32");
  const { device } = qkv;
  const rate = dropout?.rate ?? 0;
  checkRate(rate);
  const seed = dropout && rate > 0
    ? seedFrom(dropout.random)
    : { seed_x: 0, seed_y: 0 };
  const sizes = {
    batch,
    time,
    heads,
    scale: 1 / Math.sqrt(size),
    rate,
    ...seed,
  };
  const head = headKernel(device, size, rate > 0);
  const blocks = Math.ceil(time / head.block);
  const args = { ...sizes, blocks };
  const grid = { groups: batch * heads * blocks };
  const y = Tensor.empty(device, [batch, time, channels]);
  const lse = Tensor.empty(device, [batch, heads, time]);
  head.run("forward", { args: { qkv, y, lse, ...args }, grid });

  return record(y, "attention", [qkv], (dy) => {
    const delta = Tensor.empty(device, lse.shape);
    workgroupKernel.run("delta_rows", size, {
      args: { dy, y_kept: y, delta, ...args },
      constants: { SIZE: size / workgroupKernel.width(size) },
      grid: { threads: lse.size },
    });
    const dqkv = Tensor.empty(device, qkv.shape);
    const kept = { qkv, lse_kept: lse, dy, delta_kept: delta, dqkv, ...args };
    head.run("backward_q", { args: kept, grid });
    head.run("backward_kv", { args: kept, grid });
    delta[Symbol.dispose]();
    lse[Symbol.dispose]();
    return [dqkv];
  });
}

/** The kernel for heads of `size` channels, and the queries of a workgroup. */
function headKernel(device: Device, size: number, drops: boolean) {
  if (device.prefersBroadcast && size % 4 === 0 && size <= 128) {
    const LANES = device.subgroupSize;
    const QUERIES = size <= 64 ? 2 : 1;
    // The vectors of KEYS rows should fill the lanes.
    const KEYS = size / 4 * 2 % LANES === 0 ? 2 : 4;
    const constants = { LANES, QUERIES, KEYS, SIZE: size / 4, DROPOUT: drops };
    return {
      block: QUERIES * LANES,
      run: (entry: string, options: Omit<RunOptions, "constants">) =>
        subgroupKernel.run(entry, { ...options, constants }),
    };
  }
  const BLOCK = 64;
  const STAGE = Math.max(1, Math.min(16, Math.floor(2048 / size)));
  const SIZE = size / workgroupKernel.width(size);
  const constants = { BLOCK, STAGE, SIZE, DROPOUT: drops };
  return {
    block: BLOCK,
    run: (entry: string, options: Omit<RunOptions, "constants">) =>
      workgroupKernel.run(entry, size, { ...options, constants }),
  };
}
