/** Runs a broken kernel and never touches the device again. */

import { Device } from "../../lib/gpu/device.ts";
import { Kernel } from "../../lib/gpu/kernel.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";

const device = await Device.open();
new Kernel(
  "unnoticed",
  "@group(0) @binding(0) var<storage, read_write> x: array<f32>;\n" +
    "@compute @workgroup_size(1) fn fail() { x[0] = y; }",
).run("fail", {
  args: { x: Tensor.empty(device, [1]) },
  grid: { groups: 1 },
});
