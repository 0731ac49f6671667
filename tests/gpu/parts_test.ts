import { assert, assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import { Kernel } from "../../lib/gpu/kernel.ts";
import { isMesa } from "../../lib/gpu/mesa.ts";
import { add } from "../../lib/ops/mod.ts";
import { Parameter } from "../../lib/tensor/parameter.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";

Deno.test("rows of a tensor are read, written and filled in place", async () => {
  using device = await Device.open();
  const x = Tensor.from(
    device,
    Float32Array.from({ length: 320 }, (_, i) => i),
    [5, 64],
  );
  const middle = x.rows(2, 4);
  assertEquals(middle.shape, [2, 64]);
  assertEquals((await middle.read())[0], 128);
  const doubled = await add(middle, middle).read();
  assertEquals([doubled[0], doubled[127]], [256, 510]);

  x.rows(4, 5).fill(-1);
  x.rows(0, 1).write(new Float32Array(64).fill(7));
  const all = await x.read();
  assertEquals([all[0], all[63], all[64], all[255], all[256], all[319]], [
    7,
    7,
    64,
    255,
    -1,
    -1,
  ]);
});

Deno.test("a part keeps the memory, and starts where kernels can bind it", async () => {
  using device = await Device.open();
  const x = Tensor.zeros(device, [4, 65]);
  assertThrows(() => x.rows(1, 4), RangeError, "multiple of 256");
  assertThrows(() => x.rows(0, 5), RangeError, "to 1300 of 1040");
  const all = x.rows(0, 4);
  const { bytesInUse } = device;
  x[Symbol.dispose]();
  assertEquals(device.bytesInUse, bytesInUse);
  all[Symbol.dispose]();
  assertEquals(device.bytesInUse < bytesInUse, true);
});

Deno.test("a kernel may write one part of a tensor and read another", async () => {
  using device = await Device.open();
  const kernel = new Kernel(
    "double",
    `@group(0) @binding(0) var<storage, read_write> y: array<f32>;
     @group(0) @binding(1) var<storage, read_write> x: array<f32>;
     @compute @workgroup_size(64)
     fn double(@builtin(global_invocation_id) id: vec3u) { y[id.x] = 2.0 * x[id.x]; }`,
  );
  const both = Tensor.ones(device, [2, 64]);
  const run = (x: Tensor, y: Tensor) =>
    kernel.run("double", { args: { x, y }, grid: { threads: 64 } });
  run(both.rows(0, 1), both.rows(1, 2));
  const numbers = await both.read();
  assertEquals([numbers[63], numbers[64], numbers[127]], [1, 2, 2]);
  assertThrows(
    () => run(both, both.rows(1, 2)),
    TypeError,
    "shares its memory",
  );
});

Deno.test("an image holds what its tensor held when it was made", async () => {
  using device = await Device.open();
  const kernel = new Kernel(
    "texels",
    `@group(0) @binding(0) var x: texture_storage_2d<rgba32float, read>;
     @group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
     @compute @workgroup_size(64)
     fn texels(@builtin(global_invocation_id) id: vec3u) {
       y[id.x] = textureLoad(x, vec2u(id.x % 1024u, id.x / 1024u));
     }`,
  );
  const lines = new Kernel(
    "lines",
    `struct Params { line: u32 }
     @group(0) @binding(0) var<uniform> params: Params;
     @group(0) @binding(1) var x: texture_storage_2d<rgba32float, read>;
     @group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
     @compute @workgroup_size(16)
     fn texels(@builtin(global_invocation_id) id: vec3u) {
       y[id.x] = textureLoad(x, vec2u(id.x % params.line, id.x / params.line));
     }`,
  );
  for (const size of [1, 70, 4096, 5000, 20000]) {
    const x = Tensor.from(
      device,
      Float32Array.from({ length: size }, (_, i) => i),
    );
    const y = Tensor.zeros(device, [Math.ceil(size / 4) * 4]);
    const [image] = device.images.copies([x]);
    assert(device.images.copies([y, x]).includes(image), "copied once");
    x.fill(-1);
    kernel.run("texels", {
      args: { x: image, y },
      grid: { threads: Math.ceil(size / 4) },
    });
    const numbers = (await y.read()).subarray(0, size);
    assertEquals([...numbers], Array.from({ length: size }, (_, i) => i));
    assertThrows(
      () => kernel.run("texels", { args: { x, y }, grid: { threads: 1 } }),
      TypeError,
      'needs an image "x"',
    );
  }
  // A line of texels for every row of a matrix, then zeros, and room for more.
  for (const [rows, cols] of [[9, 64], [5, 64], [3, 4096]]) {
    const numbers = Float32Array.from({ length: rows * cols }, (_, i) => i);
    const x = Tensor.from(device, numbers, [rows, cols]);
    const line = device.images.lineOf(x, 4 * cols);
    assertEquals(line, cols / 4);
    const [image] = device.images.copies([x], { lines: [line] });
    assertEquals(device.images.copies([x], { lines: [line] }), [image]);
    const [plain] = device.images.copies([x]);
    assert(plain !== image, "lines of another length");
    const y = Tensor.ones(device, [4 * Math.ceil(rows / 4), cols]);
    lines.run("texels", {
      args: { x: image, y, line },
      grid: { threads: y.size / 4 },
    });
    const filled = new Float32Array(y.size);
    filled.set(numbers);
    assertEquals(await y.read(), filled);
  }
  // Of 40 widths the last 24 are kept: 5 MB, where all would take 14 MB.
  for (let line = 16 * 40; line > 0; line -= 16) {
    device.images.copies([Tensor.zeros(device, [64, 4 * line])], {
      lines: [line],
    });
  }
  assert(device.images.bytes < 6e6, "too many images are kept");
  assertEquals(device.images.lineOf({ bytes: 4 * 68 * 10 }, 4 * 68), 0);
  assertEquals(device.images.lineOf({ bytes: 2 ** 30 }, 256), 0);
  const { storage, offset, span } = Tensor.ones(device, [1]);
  const bytes = 1 + device.images.most;
  assertThrows(
    () => device.images.copies([{ storage, offset, span, bytes }]),
    RangeError,
    "in one texture",
  );
});

Deno.test("a parameter without data is zeros, whatever the memory held", async () => {
  using device = await Device.open();
  Tensor.ones(device, [100])[Symbol.dispose]();
  const weight = new Parameter(device, null, [100]);
  assertEquals([...await weight.read()], Array(100).fill(0));
});

Deno.test("a loop that Mesa's software driver would cut short is refused", async () => {
  using device = await Device.open();
  if (!isMesa(device.adapter)) return;
  const kernel = new Kernel(
    "loop",
    `@group(0) @binding(0) var<storage, read_write> y: array<f32>;
     @compute @workgroup_size(1) fn loop() { y[0] = 1.0; }`.replaceAll(
      "loop",
      "run",
    ),
  );
  const y = Tensor.zeros(device, [1]);
  const run = (trips: number) =>
    kernel.run("run", { args: { y }, grid: { groups: 1 }, trips });
  run(60000);
  assertThrows(() => run(70000), RangeError, "70000 times");
});
