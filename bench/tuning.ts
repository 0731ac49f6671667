/**
 * `--tune`, before anything is timed.
 *
 * @module
 */

import { prepareTuning, settleTuning } from "../cli/tuning_store.ts";
import type { Device } from "../lib/gpu/device.ts";
import type { BenchOptions } from "./report.ts";

/** Runs work once, so that its shapes are known, and tunes what is not settled. */
export async function tuneFor(
  device: Device,
  { tune = "auto" }: BenchOptions,
  work: () => void | Promise<unknown>,
): Promise<void> {
  prepareTuning(device, tune);
  if (!device.tuning.active) return;
  await work();
  await settleTuning(device, device.tuning.open, console.error);
}
