/**
 * Which kernels a device takes for which attention: the table's, or what the
 * tuner found.
 *
 * @module
 */

import type { Device } from "../gpu/device.ts";
import type { Trial, Tunable } from "../gpu/tuning.ts";
import { Random } from "../random.ts";
import { type Dtype, Tensor } from "../tensor/tensor.ts";
import {
  attend,
  attendBackward,
  type Heads,
  type Tile,
  type Way,
} from "./attention_kernels.ts";

/** A pass that is tuned by itself. */
export type AttentionPass = "forward" | "backward";

/** How a device attends. */
export function wayFor(
  device: Device,
  heads: Heads,
  dtype: Dtype,
  pass: AttentionPass,
): Way {
  const { size } = heads;
  if (device.prefersBroadcast && size % 4 === 0 && size <= 128) {
    return "broadcast";
  }
  const { tuning } = device;
  const chosen = tuning.active || tuning.choices.size > 0
    ? tuning.choose(
      attentionClass(heads, dtype, pass),
      () => tunable(device, heads, dtype, pass),
    )
    : null;
  return tileNamed(chosen ?? tableChoice(device, heads, pass));
}

/** What attention is tuned together: `attention forward f32 64 10 6`. */
export function attentionClass(
  { batch, heads, keyHeads, time, size }: Heads,
  dtype: Dtype,
  pass: AttentionPass,
): string {
  const sizes = [time, batch * heads].map(bucket).join(" ");
  const shared = heads === keyHeads ? "" : ` of ${heads / keyHeads}`;
  return `attention ${pass} ${dtype} ${size} ${sizes}${shared}`;
}

/**
 * Threads down the rows, threads across the columns, rows of a thread: from the
 * fastest, where they fit, to those that nearly always fit.
 */
const TILES = ["8x8x8", "8x8x4", "8x8x2", "8x4x2", "4x4x2", "4x2x1", "4x1x1"];

/** Workgroups that keep a large GPU busy. */
const ENOUGH_GROUPS = 256;

function tileNamed(name: string): Tile {
  const [DOWN, ACROSS, EACH] = name.split("x").map(Number);
  return { DOWN, ACROSS, EACH };
}

/** The largest tile that fits and leaves enough workgroups. */
function tableChoice(
  device: Device,
  heads: Heads,
  pass: AttentionPass,
): string {
  const groups = (rows: number) =>
    heads.batch * heads.heads * Math.ceil(heads.time / rows);
  const names = fitting(device, heads, pass);
  if (names.length === 0) {
    throw new RangeError(
      `Cannot attend with heads of ${heads.size} channels: the workgroup memory of ${device.adapter.name} is too small for the ${pass} pass; more heads (--n-head) make them smaller`,
    );
  }
  const choice = names.find((name) => {
    const { DOWN, ACROSS, EACH } = tileNamed(name);
    // Large tiles take software adapters long to compile.
    return device.adapter.software
      ? DOWN * ACROSS <= 16
      : EACH <= 2 || groups(DOWN * EACH) >= ENOUGH_GROUPS;
  });
  return choice ?? names[names.length - 1];
}

/** The tiles whose rows and columns fit into workgroup memory. */
function fitting(
  { limits }: Device,
  { size }: Heads,
  pass: AttentionPass,
): string[] {
  const width = size % 4 === 0 ? 4 : 1;
  const line = 4 * width * (size / width + 1 - size / width % 2);
  return TILES.filter((name) => {
    const { DOWN, ACROSS, EACH } = tileNamed(name);
    const rows = DOWN * EACH;
    const lines = (rows + 4 * ACROSS) * line;
    const shares = rows * (ACROSS + 1) * 16;
    const bytes = pass === "forward"
      ? lines + shares + 4 * rows * ACROSS
      : 2 * (lines + shares);
    // Backward, eight rows a thread would need more registers than there are.
    return bytes <= limits.maxComputeWorkgroupStorageSize &&
      (pass === "forward" || EACH <= 4);
  });
}

const MOST_HEADS = 64; // in a trial

/** The tiles to try for a class, and what to try them on. */
function tunable(
  device: Device,
  heads: Heads,
  dtype: Dtype,
  pass: AttentionPass,
): Tunable {
  const table = tableChoice(device, heads, pass);
  const names = fitting(device, heads, pass);
  const count = 2 ** bucket(heads.batch * heads.heads);
  const served = heads.heads / heads.keyHeads;
  const keyHeads = Math.ceil(Math.min(MOST_HEADS, count) / served);
  const tried = {
    ...heads,
    batch: 1,
    heads: served * keyHeads,
    keyHeads,
    time: 2 ** bucket(heads.time),
  };
  return {
    candidates: [table, ...names.filter((name) => name !== table)].slice(0, 5),
    reference: names[names.length - 1] ?? table,
    tolerance: dtype === "f16" ? 1e-2 : 1e-5,
    trial: (device: Device) => trial(device, tried, dtype, pass),
  };
}

function trial(
  device: Device,
  heads: Heads,
  dtype: Dtype,
  pass: AttentionPass,
): Trial {
  const { batch, time, heads: count, keyHeads, size } = heads;
  const random = new Random(1);
  const shape = [batch, time, count * size];
  const packed = [batch, time, (count + 2 * keyHeads) * size];
  const owned = new DisposableStack();
  const noise = (shape: readonly number[]) => {
    const tensor = owned.use(Tensor.empty(device, shape, dtype));
    const numbers = random.normal(tensor.size);
    tensor.write(dtype === "f16" ? Float16Array.from(numbers) : numbers);
    return tensor;
  };
  const [qkv, dy] = [noise(packed), noise(shape)];
  const y = owned.use(Tensor.empty(device, shape, dtype));
  const lse = owned.use(Tensor.empty(device, [batch, count, time]));
  const delta = owned.use(Tensor.empty(device, lse.shape));
  attend(heads, { qkv, y, lse }, wayFor(device, heads, dtype, "forward"));
  return {
    run(candidate) {
      const tile = tileNamed(candidate);
      if (pass === "forward") {
        const y = Tensor.empty(device, shape, dtype);
        attend(heads, { qkv, y, lse }, tile);
        return y;
      }
      const dqkv = Tensor.empty(device, packed, dtype);
      attendBackward(heads, { qkv, y, lse, dy, delta, dqkv }, tile);
      return dqkv;
    },
    [Symbol.dispose]: () => owned.dispose(),
  };
}

function bucket(size: number): number {
  return Math.round(Math.log2(size));
}
