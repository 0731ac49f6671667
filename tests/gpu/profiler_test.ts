import { assert, assertEquals } from "@std/assert";
import { Profiling } from "../../cli/profiling.ts";
import { Device } from "../../lib/gpu/device.ts";
import { measureRoofline } from "../../lib/gpu/roofline.ts";
import { kernelTotals } from "../../lib/gpu/kernel_totals.ts";
import type { Slice } from "../../lib/gpu/profiler.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";

const devices: { best?: Device } = {};

Deno.test.beforeAll(async () => {
  devices.best = await Device.open();
});

Deno.test.afterAll(() => devices.best?.[Symbol.dispose]());

Deno.test("a profile has every dispatch, in order, and what the host did", async () => {
  const device = devices.best!;
  using x = Tensor.zeros(device, [1000]); // not profiled
  const before = device.counters.dispatches;
  const began = 1000 * performance.now();
  using profiler = (await device.profile())!;
  for (let i = 1; i <= 5; i++) x.fill(i);
  device.flush();
  x.fill(7);
  assertEquals((await x.read())[999], 7);
  const { slices, spans } = await profiler.read();
  const ended = 1000 * performance.now();
  assertEquals(slices.length, device.counters.dispatches - before);
  assertEquals(slices.length, 6);
  for (const [i, { label, start, duration, bound }] of slices.entries()) {
    assertEquals(label, "fill.fill");
    assert(bound >= x.bytes && bound <= x.storage.bytes, `${bound}`);
    assert(duration > 0 && start >= began && start + duration <= ended);
    if (i > 0) assert(start >= slices[i - 1].start);
  }
  assertEquals(spans.map(({ name }) => name), [
    "encode",
    "submit",
    "encode",
    "submit",
    "await",
  ]);
  // Nothing begins before it is submitted.
  assert(slices[0].start >= spans[1].start);
  assert(slices[5].start >= spans[3].start);
  for (const { start, duration } of spans) {
    assert(start >= began && duration >= 0 && start + duration <= ended);
  }
  assertEquals(await profiler.read(), { slices: [], spans: [] });
});

Deno.test("a profile holds more dispatches than one set of queries", async () => {
  const device = devices.best!;
  using x = Tensor.zeros(device, [4]);
  using profiler = (await device.profile())!;
  const { submits } = device.counters;
  for (let i = 0; i < 5000; i++) x.fill(i);
  device.flush();
  assertEquals(device.counters.submits - submits, 3); // 2048 at a time
  const { slices } = await profiler.read();
  assertEquals(slices.length, 5000);
  assert(
    slices.every(({ start }, i) => i === 0 || start > slices[i - 1].start),
  );
  assertEquals([...await x.read()], [4999, 4999, 4999, 4999]);
});

Deno.test("when a profiler is disposed of, passes are shared again", async () => {
  const device = devices.best!;
  using x = Tensor.zeros(device, [4]);
  const profiler = (await device.profile())!;
  x.fill(1);
  profiler[Symbol.dispose]();
  profiler[Symbol.dispose](); // again does no harm
  let passes = 0;
  const { gpu } = device;
  const createCommandEncoder = gpu.createCommandEncoder.bind(gpu);
  gpu.createCommandEncoder = () => {
    const encoder = createCommandEncoder();
    const beginComputePass = encoder.beginComputePass.bind(encoder);
    encoder.beginComputePass = () => {
      passes++;
      return beginComputePass();
    };
    return encoder;
  };
  for (let i = 0; i < 10; i++) x.fill(i);
  device.flush();
  gpu.createCommandEncoder = createCommandEncoder;
  assertEquals(passes, 1);
});

Deno.test("without a clock there is no profile, and one line says so", async () => {
  const adapter = (await navigator.gpu.requestAdapter())!;
  using device = new Device(await adapter.requestDevice(), adapter.info);
  assertEquals(await device.profile(), null);
  const lines: string[] = [];
  const profiling = await Profiling.start(device, (line) => lines.push(line));
  assertEquals(profiling, null);
  assertEquals(lines, [
    `not profiled: ${device.adapter.name} has no clock (timestamp-query)`,
  ]);
});

Deno.test("the roofline is measured, and holds for the kernel that measured it", async () => {
  const device = devices.best!;
  const held = device.bytesInUse;
  using profiler = (await device.profile())!;
  const roofline = await measureRoofline(device, profiler);
  assert(roofline.flops > 1e8 && roofline.flops < 1e16, `${roofline.flops}`);
  assert(roofline.bytes > 1e8 && roofline.bytes < 1e14, `${roofline.bytes}`);
  assertEquals(device.bytesInUse, held);
  assertEquals((await profiler.read()).slices, []);
});

Deno.test("kernels are added up by name and judged by the nearer roof", () => {
  const slice = (
    label: string,
    duration: number,
    work: Partial<Slice>,
  ): Slice => ({ label, start: 0, duration, bound: 1000, ...work });
  const totals = kernelTotals([
    slice("copy", 10, { bytes: 500 }),
    slice("product", 30, { flops: 6000, bytes: 100 }),
    slice("product", 50, { flops: 6000, bytes: 100 }),
    slice("guess", 10, {}),
  ], { flops: 1e9, bytes: 1e8 }); // 1000 flops, 100 bytes in a microsecond
  const close = (a: number, b: number) => assert(Math.abs(a / b - 1) < 1e-9);
  assertEquals(totals.map(({ label, calls, exact }) => [label, calls, exact]), [
    ["product", 2, true],
    ["copy", 1, true],
    ["guess", 1, false],
  ]);
  const [product, copy, guess] = totals;
  close(product.share, 0.8);
  close(product.flops!, 12000 / 80e-6);
  close(product.bytes, 200 / 80e-6);
  close(product.roofline, 12 / 80);
  assertEquals(copy.flops, null);
  close(copy.roofline, 5 / 10);
  close(guess.roofline, 10 / 10); // by what it binds
});
