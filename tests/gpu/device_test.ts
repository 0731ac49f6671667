import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { fromFileUrl } from "@std/path";
import { blankGpu } from "../../lib/gpu/blank.ts";
import { Device } from "../../lib/gpu/device.ts";
import { GpuError } from "../../lib/gpu/error.ts";
import { Kernel } from "../../lib/gpu/kernel.ts";
import { parameters } from "../../lib/nn/parameters.ts";
import { add, matmul, mul } from "../../lib/ops/mod.ts";
import { AdamW } from "../../lib/optim/adamw.ts";
import { Random } from "../../lib/random.ts";
import { backward } from "../../lib/tensor/backward.ts";
import { readAll, Tensor } from "../../lib/tensor/tensor.ts";
import { GPT2 } from "../../models/gpt2.ts";

const devices: { best?: Device } = {};

Deno.test.beforeAll(async () => {
  devices.best = await Device.open();
});

Deno.test.afterAll(() => devices.best?.[Symbol.dispose]());

Deno.test("any number of elements comes back as it was written", async () => {
  const device = devices.best!;
  using _scope = device.scope();
  const random = new Random(3);
  for (const size of [0, 1, 2, 3, 5, 63, 64, 65, 255, 257, 1000, 65_537]) {
    const bits = Uint32Array.from({ length: size }, () => random.bits());
    assertEquals(await Tensor.from(device, bits).read(), bits);
    const whole = Int32Array.from(bits);
    assertEquals(await Tensor.from(device, whole).read(), whole);
    const floats = random.normal(size);
    assertEquals(await Tensor.from(device, floats).read(), floats);
  }
});

Deno.test("floats that are no plain numbers come back bit for bit", async () => {
  const device = devices.best!;
  using _scope = device.scope();
  const bits = Uint32Array.of(
    0x7f800000, // infinity
    0xff800000,
    0x7fc00000, // not a number
    0x7f800001,
    0x80000000, // -0
    0x00000001, // the least above 0
    0x7f7fffff, // the greatest
  );
  const floats = new Float32Array(bits.buffer.slice(0));
  const read = await Tensor.from(device, floats).read();
  assertEquals(new Uint32Array(read.buffer), bits);
});

Deno.test("writes take their place among the work queued", async () => {
  const device = devices.best!;
  using _scope = device.scope();
  const x = Tensor.from(device, [1, 2, 3]);
  const before = add(x, x);
  x.write(Float32Array.of(10, 20, 30));
  const after = add(x, x);
  const [a, b] = await readAll([before, after]);
  assertEquals([...a, ...b], [2, 4, 6, 20, 40, 60]);
});

Deno.test("a write submits work queued on its own memory, copies too, and no other", async () => {
  const device = devices.best!;
  using _scope = device.scope();
  const size = 128; // large enough for software to copy both factors to images
  const a = Tensor.full(device, [size, size], 1);
  const b = Tensor.full(device, [size, size], 2);
  const other = Tensor.zeros(device, [4]);
  const c = Tensor.full(device, [size, size], 1);
  matmul(c, c); // compiles, which may submit by itself
  device.flush();
  const before = matmul(a, b);
  const { submits } = device.counters;
  other.write(Float32Array.of(1, 2, 3, 4));
  assertEquals(device.counters.submits, submits);
  b.write(new Float32Array(size * size).fill(3));
  assertEquals(device.counters.submits, submits + 1);
  const after = matmul(a, b);
  const [x, y, z] = await readAll([before, after, other]);
  assertEquals([x[0], x.at(-1), y[0], y.at(-1)], [256, 256, 384, 384]);
  assertEquals([...z], [1, 2, 3, 4]);
});

Deno.test("much that is written leaves what is queued in its order", async () => {
  using device = await Device.open();
  const x = Tensor.from(device, Float32Array.of(1, 2, 3, 4));
  const y = add(x, x);
  const large = Tensor.zeros(device, [1 << 20]);
  const before = device.counters.submits;
  for (let i = 0; i < 4; i++) {
    Tensor.from(device, new Float32Array(1 << 20).fill(i));
  }
  assertEquals(device.counters.submits, before);
  large.write(new Float32Array(1 << 20).fill(7));
  x.write(Float32Array.of(5, 6, 7, 8));
  assertEquals([...await y.read()], [2, 4, 6, 8]);
  assertEquals([...await x.read()], [5, 6, 7, 8]);
  assert((await large.read()).every((number) => number === 7));
});

Deno.test("memory is cleared and copied in its turn among kernels and writes", async () => {
  using device = await Device.open();
  // Large enough that kernels of software adapters read images of it.
  const size = 1 << 16;
  const filled = (value: number) => new Float32Array(size).fill(value);
  const x = Tensor.from(device, filled(1));
  const before = mul(x, x);
  device.clear(x);
  const cleared = add(x, before);
  const y = Tensor.from(device, filled(3));
  device.copy(y, x);
  y.write(filled(4));
  const copied = mul(x, x);
  device.clear({ storage: x.storage, offset: 4 * 8, bytes: 4 * 2 });
  x.write(filled(5));
  for (const [tensor, value] of [[before, 1], [cleared, 1], [copied, 9]]) {
    const read = await (tensor as Tensor).read();
    assert(read.every((number) => number === value), `${read} for ${value}`);
  }
  device.clear({ storage: x.storage, offset: 4 * 8, bytes: 4 * 2 });
  assertEquals([...(await x.read()).slice(7, 11)], [5, 0, 0, 5]);
});

Deno.test("reads see the work queued before them, not after", async () => {
  const device = devices.best!;
  using _scope = device.scope();
  const x = Tensor.from(device, [1, 2, 3]);
  const reading = x.read();
  x.write(Float32Array.of(4, 5, 6));
  assertEquals([...await reading], [1, 2, 3]);
  assertEquals([...await x.read()], [4, 5, 6]);
});

Deno.test("many tensors are read in one wait", async () => {
  const device = devices.best!;
  using _scope = device.scope();
  const tensors = [1, 0, 3, 2, 7, 1001, 1].map((size, i) =>
    Tensor.full(device, [size], i, i % 2 ? "u32" : "f32")
  );
  device.flush();
  const { submits, buffers } = device.counters;
  const read = await readAll(tensors);
  assertEquals(device.counters.submits, submits + 1);
  assert(device.counters.buffers <= buffers + 1);
  for (const [i, data] of read.entries()) {
    assertEquals(data.length, tensors[i].size);
    assertEquals(data instanceof Uint32Array, i % 2 === 1);
    assert(data.every((value) => value === i));
  }
  assertEquals(await readAll([]), []);
});

Deno.test("reads under way at once do not disturb each other", async () => {
  const device = devices.best!;
  using _scope = device.scope();
  const tensors = Array.from(
    { length: 20 },
    (_, i) => Tensor.full(device, [i + 1], i),
  );
  const read = await Promise.all(tensors.map((tensor) => tensor.read()));
  for (const [i, data] of read.entries()) {
    assertEquals([...data], new Array(i + 1).fill(i));
  }
});

Deno.test("more runs than one submit has room for all happen", async () => {
  const device = devices.best!;
  using _scope = device.scope();
  using one = Tensor.ones(device, [1]);
  let sum = Tensor.zeros(device, [1]);
  for (let i = 0; i < 40_000; i++) {
    const next = add(sum, one);
    sum[Symbol.dispose]();
    sum = next;
  }
  assertEquals(await sum.item(), 40_000);
});

Deno.test("a grid wider than 65535 workgroups covers everything", async () => {
  const device = devices.best!;
  using _scope = device.scope();
  const size = 64 * 65535 * 4 + 77;
  using x = Tensor.full(device, [size], 3);
  using y = mul(x, x);
  const data = await y.read();
  assertEquals(data.length, size);
  assertEquals(data.findIndex((value: number) => value !== 9), -1);
});

Deno.test("once training repeats itself it makes no buffer, bind group or pipeline", async () => {
  const device = devices.best!;
  const random = new Random(1);
  const model = new GPT2({ device, random }, {
    vocabSize: 19,
    blockSize: 12,
    nLayer: 2,
    nHead: 2,
    nEmbd: 20,
    dropout: 0.1,
  });
  const own = parameters(model);
  using optimizer = new AdamW(own);
  const made = { pipelines: 0, modules: 0 };
  const { gpu } = device;
  const createPipeline = gpu.createComputePipeline.bind(gpu);
  gpu.createComputePipeline = (descriptor) => {
    made.pipelines++;
    return createPipeline(descriptor);
  };
  const step = async (read: boolean) => {
    using _scope = device.scope();
    const shape = [3, 12];
    const data = Uint32Array.from({ length: 36 }, () => random.integer(19));
    const ids = Tensor.from(device, data, shape);
    const targets = Tensor.from(device, Int32Array.from(data), shape);
    const loss = model.loss(ids, targets, { random });
    backward(loss);
    optimizer.step(1e-3);
    device.flush();
    if (read) await loss.item();
  };
  for (let i = 0; i < 6; i++) await step(i % 3 === 0);
  assert(made.pipelines > 10);
  const { buffers, bindGroups } = device.counters;
  const { bytesInUse, bytesReserved } = device;
  const { pipelines } = made;
  for (let i = 0; i < 30; i++) {
    await step(i % 3 === 0);
    assertEquals(device.bytesInUse, bytesInUse);
  }
  assertEquals(device.counters.buffers, buffers);
  assertEquals(device.counters.bindGroups, bindGroups);
  assertEquals(device.bytesReserved, bytesReserved);
  assertEquals(made.pipelines, pipelines);
  gpu.createComputePipeline = createPipeline;
  for (const parameter of own.values()) parameter[Symbol.dispose]();
});

Deno.test("counters count dispatches and submits", () => {
  const device = devices.best!;
  using _scope = device.scope();
  const x = Tensor.ones(device, [10]);
  add(x, x); // compiles
  device.flush();
  const { dispatches, submits } = device.counters;
  add(x, x);
  add(x, x);
  assertEquals(device.counters.dispatches, dispatches + 2);
  assertEquals(device.counters.submits, submits);
  device.flush();
  device.flush(); // nothing is left to submit
  assertEquals(device.counters.submits, submits + 1);
});

Deno.test("a software driver gets what was recorded a moment ago", () => {
  const device = devices.best!;
  using _scope = device.scope();
  const x = Tensor.ones(device, [10]);
  add(x, x); // compiles
  device.flush();
  const { submits } = device.counters;
  add(x, x);
  const began = performance.now();
  while (performance.now() - began < 200);
  assertEquals(device.counters.submits, submits);
  add(x, x);
  const expected = submits + Number(device.adapter.software);
  assertEquals(device.counters.submits, expected);
  device.flush(); // nothing is left to submit, where it was
  assertEquals(device.counters.submits, submits + 1);
});

Deno.test("uniforms keep their types and places", async () => {
  const device = devices.best!;
  using _scope = device.scope();
  const kernel = new Kernel(
    "uniforms",
    `struct Params { a: u32, b: f32, c: i32, d: u32, e: f32 }
     @group(0) @binding(0) var<uniform> params: Params;
     @group(0) @binding(1) var<storage, read_write> y: array<f32>;
     @compute @workgroup_size(1) fn show() {
       y[0] = f32(params.a >> 16u);
       y[1] = params.b;
       y[2] = f32(params.c);
       y[3] = f32(params.d >> 31u);
       y[4] = params.e;
     }`,
  );
  const y = Tensor.zeros(device, [5]);
  kernel.run("show", {
    args: { y, e: -0.125, d: 2 ** 31, c: -7, b: 1e-20, a: 0xabcd0000 },
    grid: { groups: 1 },
  });
  const [a, b, c, d, e] = await y.read();
  assertEquals([a, c, d, e], [0xabcd, -7, 1, -0.125]);
  assertAlmostEquals(b / 1e-20, 1, 1e-6);
});

Deno.test("where there is no adapter, open() says what to do", async () => {
  const code = `import { Device } from ${
    JSON.stringify(
      fromFileUrl(new URL("../../lib/gpu/device.ts", import.meta.url)),
    )
  }; await Device.open().catch((error) => console.log(error.name, error.message));`;
  const { stdout } = await new Deno.Command("deno", {
    args: ["eval", "--no-check", code],
    // A backend of no such name offers no adapter.
    env: { DENO_WEBGPU_BACKEND: "none" },
    stdin: "null",
  }).output();
  assertEquals(
    new TextDecoder().decode(stdout),
    "GpuError Cannot open a device: no WebGPU adapter was found; `deno task doctor` says what is missing\n",
  );
});

Deno.test("a closed device refuses to compute and to read, and says why", async () => {
  const device = await Device.open();
  const x = Tensor.ones(device, [3]);
  device[Symbol.dispose]();
  await assertRejects(() => x.read(), GpuError, "it is closed");
  assertThrows(() => x.fill(2), GpuError, "it is closed");
  assertThrows(() => Tensor.ones(device, [3]), GpuError, "it is closed");
});

Deno.test("a read that fails with its device says what became of the device", async () => {
  using open = await Device.open();
  const gpu = blankGpu(open.gpu.limits, open.gpu.features);
  const lost = Promise.withResolvers<GPUDeviceLostInfo>();
  const { createBuffer } = gpu;
  const device = new Device(
    Object.assign(gpu, {
      lost: lost.promise,
      createBuffer: (descriptor: GPUBufferDescriptor) =>
        Object.assign(createBuffer(descriptor), {
          mapAsync() {
            const info = { reason: "unknown", message: "it fell off the bus" };
            setTimeout(() => lost.resolve(info as GPUDeviceLostInfo), 2);
            return Promise.reject(new Error("validation error occurred"));
          },
        }),
    }),
    open.info,
  );
  const x = Tensor.ones(device, [3]);
  await assertRejects(
    () => x.read(),
    GpuError,
    "the device was lost: it fell off the bus",
  );
});

Deno.test("a tensor is filled whole where a binding may hold any number of bytes", async () => {
  using open = await Device.open();
  const { features, limits } = open.gpu;
  for (const maxStorageBufferBindingSize of [2 ** 20 - 1, 2 ** 20 - 4]) {
    const odd = new Proxy(limits, {
      get: (_, name) =>
        name === "maxStorageBufferBindingSize"
          ? maxStorageBufferBindingSize
          : limits[name as "maxBufferSize"],
    });
    const device = new Device(blankGpu(odd, features), open.info);
    for (const dtype of ["f32", "f16"] as const) {
      const { dispatches } = device.counters;
      const large = Tensor.empty(device, [2 ** 20 + 3], dtype);
      large.fill(2);
      const filled = large.bytes / maxStorageBufferBindingSize;
      assertEquals(device.counters.dispatches - dispatches, Math.ceil(filled));
    }
  }
});
