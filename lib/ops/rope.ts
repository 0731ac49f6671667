import type { Device } from "../gpu/device.ts";
import { expectDtype, expectFloat } from "../tensor/expect.ts";
import { sameShape } from "../tensor/shape.ts";
import { record } from "../tensor/tape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { expectStarts } from "./attention.ts";
import { RowKernel } from "./rows.ts";
import documentsSource from "../../kernels/shared/documents.wgsl" with {
  type: "text",
};
import oneDocumentSource from "../../kernels/shared/one_document.wgsl" with {
  type: "text",
};
import source from "../../kernels/rope.wgsl" with { type: "text" };

const oneKernel = new RowKernel("rope", source, oneDocumentSource);
const severalKernel = new RowKernel("rope", source, documentsSource);
const NEAR = 64;

/** What {@linkcode rope} turns by. */
export interface RopeOptions {
  /** Cosines and sines, from {@linkcode turnsFor}. */
  turns: Tensor;
  /** The position of the first row: 0. */
  start?: number;
  /**
   * u32 `[B, T]`: where in its row the document of each position begins, from
   * which its positions count. All begin at 0 unless said otherwise.
   */
  starts?: Tensor;
}

/**
 * Turns queries `[B, T, H D]` and keys `[B, T, KV D]` by their positions, as
 * Llama does, and packs them beside the values `[B, T, KV D]` for attention:
 * `[B, T, (H + 2 KV) D]`. Channels `c` and `c + D / 2` of a head turn together.
 */
export function rope(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  { turns, start = 0, starts }: RopeOptions,
): Tensor {
  const { device, dtype } = q;
  const [batch, time, channels] = q.shape;
  const half = turns.shape[2];
  const [heads, pairs] = [q, k].map(({ shape }) => shape[2] / (2 * half));
  const fits = q.shape.length === 3 && Number.isInteger(heads / pairs) &&
    Number.isInteger(pairs) && sameShape(k.shape, [batch, time, k.shape[2]]) &&
    sameShape(k.shape, v.shape);
  if (!fits) {
    throw new RangeError(
      `Cannot turn queries [${q.shape}], keys [${k.shape}] and values [${v.shape}]: expected [B, T, H D] and [B, T, KV D], heads of ${
        2 * half
      }, H a multiple of KV`,
    );
  }
  const positions = NEAR * (turns.shape[0] - NEAR);
  if (
    !(Number.isSafeInteger(start) && start >= 0 && start + time <= positions)
  ) {
    throw new RangeError(
      `Cannot turn [${q.shape}] from position ${start} on: there are turns for ${positions}`,
    );
  }
  for (const tensor of [q, k, v]) {
    expectFloat("turn", tensor);
    expectDtype(`turn ${dtype} [${q.shape}] beside`, tensor, dtype);
  }
  if (starts) expectStarts(starts, [batch, time]);
  const kernel = starts ? severalKernel : oneKernel;
  const given = { turns, ...(starts && { starts }) };
  const packed = channels + 2 * k.shape[2];
  const qkv = Tensor.empty(device, [batch, time, packed], dtype);
  const sizes = {
    ...{ rows: batch * time, time, heads, pairs, start },
    half_size: half / kernel.width(half),
  };
  const how = {
    grid: { threads: qkv.size / 2 / kernel.width(half) },
    stored: dtype,
    work: { flops: 3 * qkv.size, bytes: 2 * qkv.bytes },
  };
  kernel.run("forward", half, {
    args: { ...given, q, k, v, qkv, ...sizes },
    images: ["q", "k", "v"],
    ...how,
  });

  return record(qkv, "rope", [q, k, v], (dqkv, places) => {
    const [dq, dk, dv] = [q, k, v].map(({ shape }, i) =>
      places[i]?.tensor ?? Tensor.empty(device, shape, dtype)
    );
    const [ADD_Q, ADD_K, ADD_V] = places.map((place) => place?.add ?? false);
    kernel.run("backward", half, {
      args: { ...given, dqkv, dq, dk, dv, ...sizes },
      constants: { ADD_Q, ADD_K, ADD_V },
      images: ["dqkv"],
      ...how,
    });
    return [dq, dk, dv];
  });
}

/**
 * What turns positions below `positions` (at least) by an angle per position for
 * each channel of half a head, worked out in double precision:
 * `[64 + positions / 64, 2, D / 2]`, cosines, then sines.
 */
export function turnsFor(
  device: Device,
  angles: readonly number[],
  positions: number,
): Tensor {
  const steps = [
    ...Array.from({ length: NEAR }, (_, i) => i),
    ...Array.from({ length: Math.ceil(positions / NEAR) }, (_, i) => NEAR * i),
  ];
  const turns = steps.flatMap((position) =>
    [Math.cos, Math.sin].flatMap((of) =>
      angles.map((angle) => of(position * angle))
    )
  );
  return Tensor.from(
    device,
    Float32Array.from(turns),
    [steps.length, 2, angles.length],
  );
}
