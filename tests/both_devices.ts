/**
 * The two devices that tests compare kernels on.
 *
 * @module
 */

import { Device } from "../lib/gpu/device.ts";

/** A device of each kind, open while the tests of a file run. */
export interface BothDevices {
  /** With the kernels for narrow subgroups where they are faster. */
  best?: Device;
  /** Without subgroups: the kernels that every GPU can run. */
  plain?: Device;
}

/** Opens both before the first test of the calling file, closes them after the last. */
export function bothDevices(): BothDevices {
  const devices: BothDevices = {};
  Deno.test.beforeAll(async () => {
    devices.best = await Device.open();
    devices.plain = await Device.open({ subgroups: false });
  });
  Deno.test.afterAll(() => {
    devices.best?.[Symbol.dispose]();
    devices.plain?.[Symbol.dispose]();
  });
  return devices;
}

/** The same device, which takes its adapter for a GPU rather than software. */
export function posingAsGpu({ gpu, info }: Device): Device {
  const { subgroupMinSize, subgroupMaxSize } = info as {
    subgroupMinSize?: number;
    subgroupMaxSize?: number;
  };
  const shown = { description: "GPU", subgroupMinSize, subgroupMaxSize };
  return new Device(gpu, shown as unknown as GPUAdapterInfo);
}
