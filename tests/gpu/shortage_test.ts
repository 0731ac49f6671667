import { assertEquals, assertThrows } from "@std/assert";
import { blankGpu } from "../../lib/gpu/blank.ts";
import { Device } from "../../lib/gpu/device.ts";
import { formatBytes, GpuError } from "../../lib/gpu/error.ts";
import { Kernel } from "../../lib/gpu/kernel.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";

const COPY = `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(4)
fn copy(@builtin(global_invocation_id) id: vec3u) { y[id.x] = x[id.x]; }`;

const devices: { best?: Device } = {};

Deno.test.beforeAll(async () => {
  devices.best = await Device.open();
});

Deno.test.afterAll(() => devices.best?.[Symbol.dispose]());

/** A GPU that computes nothing, and has memory for so many bytes. */
function smallGpu(memory: number): GPUDevice {
  const { limits, features } = devices.best!.gpu;
  const gpu = blankGpu(limits, features);
  const scopes: (GPUError | null)[] = [];
  const { createBuffer } = gpu;
  let left = memory;
  return Object.assign(gpu, {
    pushErrorScope: () => scopes.push(null),
    popErrorScope: () => Promise.resolve(scopes.pop()),
    createBuffer(descriptor: GPUBufferDescriptor) {
      left -= descriptor.size;
      if (left < 0) {
        scopes[scopes.length - 1] = new GPUOutOfMemoryError("no memory");
      }
      return createBuffer(descriptor);
    },
  });
}

Deno.test("out of memory names the tensor, the sizes, and what would help", async () => {
  const device = new Device(smallGpu(10 << 20), devices.best!.info);
  using _first = Tensor.zeros(device, [1 << 20]); // 4 MiB
  using _second = Tensor.empty(device, [3, 1 << 19], "f16"); // 3 MiB
  Tensor.zeros(device, [7, 1 << 18]); // 7 MiB: too many
  await new Promise((resolve) => setTimeout(resolve));
  const error = assertThrows(() => device.flush(), GpuError);
  assertEquals(
    error.message,
    `Cannot allocate 7.0 MiB for f32 [7,262144], after fill.fill: ${device.adapter.name} is out of memory, with 7.0 MiB in use, 7.0 MiB held and ${
      formatBytes(device.gpu.limits.maxBufferSize)
    } allowed in one buffer; a smaller --batch-size, a shorter --block-size or --recompute block needs less`,
  );
});

Deno.test("memory that waits is taken again without asking the GPU for more", async () => {
  const device = new Device(smallGpu(6 << 20), devices.best!.info);
  for (let round = 0; round < 5; round++) {
    Tensor.zeros(device, [1 << 20])[Symbol.dispose]();
  }
  await new Promise((resolve) => setTimeout(resolve));
  device.flush(); // Nothing went wrong.
});

Deno.test("a tensor too large for a buffer or a binding is told what would help", () => {
  const device = devices.best!;
  const { maxBufferSize: buffer, maxStorageBufferBindingSize: binding } =
    device.gpu.limits;
  const advice =
    "a smaller --batch-size, a shorter --block-size or --recompute block needs less";
  const rows = Math.ceil(buffer / 2 ** 22) + 1;
  assertEquals(
    assertThrows(() => Tensor.empty(device, [rows, 1 << 20]), RangeError)
      .message,
    `Cannot allocate ${
      rows * 2 ** 22
    } bytes for f32 [${rows},1048576]: ${device.adapter.name} holds at most ${buffer} in one buffer; ${advice}`,
  );
  if (binding + 1024 > buffer) return;
  const size = binding / 4 + 256;
  const plan = new Device(
    blankGpu(device.gpu.limits, device.gpu.features),
    device.info,
  );
  const x = Tensor.empty(plan, [size]);
  const y = Tensor.empty(plan, [4]);
  const kernel = new Kernel("copy4", COPY);
  assertEquals(
    assertThrows(
      () => kernel.run("copy", { args: { x, y }, grid: { threads: 4 } }),
      RangeError,
    ).message,
    `Cannot run copy4.copy: "x" has ${
      4 * size
    } bytes, f32 [${size}], and ${device.adapter.name} binds at most ${binding}; ${advice}`,
  );
});
