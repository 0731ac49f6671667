import { assert, assertEquals } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import { planningDevice } from "../../lib/gpu/plan.ts";
import { tune } from "../../lib/gpu/tuner.ts";
import { matmul } from "../../lib/ops/mod.ts";
import { Random } from "../../lib/random.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";

Deno.test("products met in planning are tuned on the real device, and stay right", async () => {
  using device = await Device.open({ subgroups: false });
  device.tuning.active = true;
  using plan = planningDevice(device);
  const multiply = (device: Device) => {
    const random = new Random(1);
    const a = Tensor.randn(device, [60, 36], random);
    const b = Tensor.randn(device, [36, 70], random);
    return matmul(a, b);
  };
  multiply(plan);
  const [key, ...others] = plan.tuning.open.keys();
  assertEquals([key, others], ["product nn f32 f32 f32 6 6 5", []]);

  const before = await multiply(device).read();
  const lines: string[] = [];
  const { tried } = await tune(device, {
    open: plan.tuning.open,
    log: (line) => lines.push(line),
  });
  assertEquals(tried, 1);
  // Every candidate is right here, and the fastest is said last.
  assertEquals(lines.length, 1, lines.join("\n"));
  assert(lines[0].startsWith(`${key}: ${device.tuning.choices.get(key)} (`));
  const after = await multiply(device).read();
  for (const [i, y] of after.entries()) {
    assert(Math.abs(y - before[i]) < 1e-4, `${i}: ${y} for ${before[i]}`);
  }
});
