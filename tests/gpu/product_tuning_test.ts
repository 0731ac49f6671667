import { assert, assertEquals } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import { tune } from "../../lib/gpu/tuner.ts";
import { product } from "../../lib/ops/product.ts";
import { Random } from "../../lib/random.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";
import { assertNear } from "../ops/case.ts";

Deno.test("the tuner settles the tile of a class of products", async () => {
  using device = await Device.open({ subgroups: false });
  using _scope = device.scope();
  const random = new Random(4);
  const a = Tensor.randn(device, [60, 70], random);
  const b = Tensor.randn(device, [70, 66], random);
  const untuned = await product(a, b).read();
  assertEquals(device.tuning.open.size, 0);

  device.tuning.active = true;
  product(a, b);
  const key = "product nn f32 f32 f32 6 6 6";
  assertEquals([...device.tuning.open.keys()], [key]);
  const { candidates, reference } = device.tuning.open.get(key)!;
  assert(candidates.length >= 4 && candidates.includes(reference));

  const dropped: string[] = [];
  await tune(device, {
    log: (line) => line.includes("dropped") && dropped.push(line),
  });
  assertEquals(dropped, []);
  const choice = device.tuning.choices.get(key);
  if (choice === undefined) return; // there is no clock
  assert(candidates.includes(choice), choice);

  device.tuning.active = false;
  const another = candidates.find((name) => name.startsWith("64"))!;
  device.tuning.settle(key, another);
  assertNear(await product(a, b).read(), untuned, "another tile", 1e-6);
});
