/**
 * What work would take, found out by doing it with nothing.
 *
 * @module
 */

import { blankGpu } from "./blank.ts";
import { Device } from "./device.ts";

/**
 * A device with the limits, the features and the choices of another, on which
 * everything runs but nothing is computed: no buffer is made, no shader compiled.
 * Its counts of bytes, bindings and dispatches are those of the other device
 * after the same work, because the same code leads to them.
 *
 * ```ts
 * import { Device, planningDevice, Tensor } from "@shaderloom/shaderloom";
 * import { assertEquals } from "@std/assert";
 *
 * using device = await Device.open();
 * using plan = planningDevice(device);
 * Tensor.zeros(plan, [1024, 1024]);
 * assertEquals(plan.bytesPeak, 4 * 1024 * 1024);
 * assertEquals(device.bytesPeak, 0);
 * ```
 */
export function planningDevice(like: Device): Device {
  const { limits, features } = like.gpu;
  const device = new Device(blankGpu(limits, features), like.info);
  device.tuning.active = like.tuning.active;
  for (const [key, candidate] of like.tuning.choices) {
    device.tuning.settle(key, candidate);
  }
  return device;
}
