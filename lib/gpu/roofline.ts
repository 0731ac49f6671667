/**
 * The most a device can do: what no kernel can be faster than.
 *
 * @module
 */

import type { Resident } from "./arguments.ts";
import type { Device } from "./device.ts";
import { Kernel } from "./kernel.ts";
import type { Profiler, Slice } from "./profiler.ts";
import gridSource from "../../kernels/shared/grid.wgsl" with { type: "text" };
import source from "../../kernels/peak.wgsl" with { type: "text" };

const kernel = new Kernel("peak", source, gridSource);

/** What a device was seen to do at most. */
export interface Roofline {
  /** Additions and multiplications of 32-bit floats in a second. */
  readonly flops: number;
  /** Bytes read and written in a second. */
  readonly bytes: number;
}

const VECTOR = 16; // bytes
const FLOPS_PER_TRIP = 2 * 2 * 4 * 32; // fma, two chains of 32, vectors of four
const LONG = 2000; // microseconds that a run should take at least
const MOST_TRIPS = 1 << 14;
const TURNS = 5;

/**
 * Measures both roofs by two small kernels run in the way that all are, the best
 * of several turns counting. It reads what the profiler holds, and drops it.
 */
export async function measureRoofline(
  device: Device,
  profiler: Profiler,
): Promise<Roofline> {
  const { software } = device.adapter;
  const threads = software ? 1 << 14 : 1 << 19;
  const span = Math.min(
    software ? 1 << 23 : 1 << 27,
    device.limits.maxStorageBufferBindingSize,
  );
  using x = new Scratch(device, span);
  using y = new Scratch(device, span);

  const arithmetic = (trips: number) =>
    kernel.run("arithmetic", {
      args: { y, vectors: threads, trips, factor: 0.5, x },
      grid: { threads },
      work: {
        flops: threads * trips * FLOPS_PER_TRIP,
        bytes: threads * VECTOR,
      },
    });
  let trips = 16;
  for (;;) {
    const best = await fastest(profiler, () => arithmetic(trips), 2);
    if (best.duration >= LONG || trips >= MOST_TRIPS) break;
    trips *= 2;
  }
  const vectors = span / VECTOR;
  const copy = () =>
    kernel.run("copy", {
      args: { x, y, vectors, trips: 0, factor: 0 },
      grid: { threads: vectors },
      work: { bytes: 2 * span },
    });
  await fastest(profiler, copy, 2);
  const computes = await fastest(profiler, () => arithmetic(trips), TURNS);
  const moves = await fastest(profiler, copy, TURNS);
  return {
    flops: computes.flops! / computes.duration * 1e6,
    bytes: moves.bytes! / moves.duration * 1e6,
  };

  async function fastest(
    profiler: Profiler,
    run: () => void,
    turns: number,
  ): Promise<Slice> {
    for (let turn = 0; turn < turns; turn++) run();
    device.flush();
    const { slices } = await profiler.read();
    return slices.reduce((a, b) => a.duration <= b.duration ? a : b);
  }
}

/** Memory with no meaning. */
class Scratch implements Resident, Disposable {
  readonly device: Device;
  readonly storage;
  readonly offset = 0;
  readonly bytes: number;
  readonly span: number;

  constructor(device: Device, bytes: number) {
    this.device = device;
    this.storage = device.allocate(bytes);
    this.bytes = bytes;
    this.span = bytes;
  }

  [Symbol.dispose](): void {
    this.device.recycle(this.storage);
  }
}
