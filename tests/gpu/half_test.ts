import { assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import { Kernel } from "../../lib/gpu/kernel.ts";
import { settle } from "../../lib/gpu/specialize.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";

const kernel = new Kernel(
  "halves",
  `alias Stored = vec4f;
   @group(0) @binding(0) var<storage, read> x: array<Stored>;
   @group(0) @binding(1) var<storage, read_write> y: array<Stored>;
   @compute @workgroup_size(64)
   fn halves(@builtin(global_invocation_id) id: vec3u) {
     y[id.x] = Stored(0.5 * vec4f(x[id.x]));
   }`,
);

Deno.test("16-bit floats are written, computed with and read", async () => {
  using device = await Device.open();
  if (!device.features.has("shader-f16")) return;
  for (const size of [1, 3, 4, 257]) {
    const numbers = Float16Array.from({ length: size }, (_, i) => i / 8);
    const x = Tensor.from(device, numbers);
    assertEquals([x.dtype, x.bytes], ["f16", 2 * size]);
    assertEquals(await x.read(), numbers);
    const y = Tensor.empty(device, [size], "f16");
    kernel.run("halves", {
      args: { x, y },
      types: { Stored: "vec4h" },
      grid: { threads: Math.ceil(size / 4) },
    });
    assertEquals(await y.read(), numbers.map((n) => n / 2));
    const full = Tensor.full(device, [size], 1.5, "f16");
    assertEquals(await full.read(), new Float16Array(size).fill(1.5));
  }
});

Deno.test("a device without 16-bit floats says so", async () => {
  const adapter = (await navigator.gpu.requestAdapter())!;
  using device = new Device(await adapter.requestDevice(), adapter.info);
  const x = Tensor.zeros(device, [4], "f16");
  const y = Tensor.zeros(device, [4], "f16");
  assertThrows(
    () =>
      kernel.run("halves", {
        args: { x, y },
        types: { Stored: "vec4h" },
        grid: { threads: 1 },
      }),
    Error,
    "has no 16-bit floats",
  );
});

Deno.test("types stand in for aliases, and enable what they need", () => {
  const source = "alias Stored = vec4f;\nalias Other = f32;";
  assertEquals(settle(source).source, source);
  assertEquals(
    settle(source, {}, { Stored: "vec4h" }).source,
    "enable f16;\nalias Stored = vec4h;\nalias Other = f32;",
  );
  assertThrows(
    () => settle(source, {}, { Missing: "f16" }),
    TypeError,
    "Missing",
  );
});
