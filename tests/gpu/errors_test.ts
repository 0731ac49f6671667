/**
 * Whatever WebGPU or its limits object to ends in an exception that names the
 * kernel: Deno itself says nothing.
 */

import {
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { fromFileUrl } from "@std/path";
import { Device } from "../../lib/gpu/device.ts";
import { GpuError } from "../../lib/gpu/error.ts";
import { Kernel, type RunOptions } from "../../lib/gpu/kernel.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";

const devices: { best?: Device; other?: Device } = {};

Deno.test.beforeAll(async () => {
  devices.best = await Device.open();
  devices.other = await Device.open({ subgroups: false });
});

Deno.test.afterAll(() => {
  devices.best?.[Symbol.dispose]();
  devices.other?.[Symbol.dispose]();
});

const source = `
const BLOCK: u32 = 64u;
const ACROSS: u32 = 1u;
const KEPT: u32 = 1u;
struct Params { size: u32, factor: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
var<workgroup> kept: array<f32, KEPT>;
@compute @workgroup_size(BLOCK, ACROSS)
fn scale(@builtin(global_invocation_id) id: vec3u) {
  kept[0] = params.factor;
  if id.x < params.size { y[id.x] = x[id.x] * kept[0]; }
}`;

const stretch = new Kernel("stretch", source);

/** A run of `stretch.scale` that works, but for what is changed. */
function run(
  { entry = "scale", args = {}, kernel = stretch, ...rest }:
    & { entry?: string; kernel?: Kernel; args?: Record<string, unknown> }
    & Partial<Omit<RunOptions, "args">> = {},
): Tensor {
  const device = devices.best!;
  const x = Tensor.from(device, [1, 2, 3]);
  const y = Tensor.zeros(device, [3]);
  kernel.run(entry, {
    args: { x, y, size: 3, factor: 2, ...args } as RunOptions["args"],
    grid: { threads: 3 },
    ...rest,
  });
  return y;
}

function edited(from: string, to: string): Kernel {
  assertStringIncludes(source, from);
  return new Kernel("stretch", source.replace(from, to));
}

Deno.test("the run that the others spoil works", async () => {
  using _scope = devices.best!.scope();
  assertEquals([...await run().read()], [2, 4, 6]);
});

/** Runs refused by us, at once. */
const refused: readonly [
  name: string,
  run: () => unknown,
  message: string,
][] = [
  [
    "an entry point that is not there",
    () => run({ entry: "sacle" }),
    "Cannot run stretch.sacle: the entry points of stretch are scale",
  ],
  [
    "a tensor that is missing",
    () => run({ args: { y: undefined } }),
    'Cannot run stretch.scale: it needs a tensor "y", got undefined',
  ],
  [
    "a number for a tensor",
    () => run({ args: { y: 7 } }),
    'Cannot run stretch.scale: it needs a tensor "y", got 7',
  ],
  [
    "a number that is missing",
    () => run({ args: { factor: undefined } }),
    'Cannot run stretch.scale: it needs a number "factor", got undefined',
  ],
  [
    "a tensor for a number",
    () => run({ args: { size: Tensor.zeros(devices.best!, [1]) } }),
    'Cannot run stretch.scale: it needs a number "size"',
  ],
  [
    "no tensor at all",
    () => run({ args: { x: 1, y: 2 } }),
    "Cannot run stretch.scale: no argument is a tensor",
  ],
  [
    "tensors of two devices",
    () => run({ args: { x: Tensor.zeros(devices.other!, [3]) } }),
    "Cannot run stretch.scale: its tensors lie on different devices",
  ],
  [
    "too many threads in a workgroup",
    () => run({ constants: { BLOCK: 512, ACROSS: 8 } }),
    "Cannot run stretch.scale: it asks for 4096 threads per workgroup",
  ],
  [
    "too many threads along an axis",
    () => run({ constants: { BLOCK: 1, ACROSS: 2 ** 20 } }),
    "Cannot run stretch.scale: it asks for 1048576 threads",
  ],
  [
    "too much workgroup memory",
    () => run({ constants: { KEPT: 2 ** 20 } }),
    "Cannot run stretch.scale: it asks for 4194304 bytes of workgroup memory",
  ],
  [
    "too many buffers",
    () => {
      const names = Array.from({ length: 200 }, (_, i) => `b${i}`);
      const bindings = names.map((name, i) =>
        `@group(0) @binding(${i}) var<storage, read_write> ${name}: array<f32>;`
      );
      const kernel = new Kernel(
        "greedy",
        `${bindings.join("\n")}
         @compute @workgroup_size(1) fn take() {
           ${names.map((name) => `${name}[0] = 1.0;`).join("\n")}
         }`,
      );
      const x = Tensor.zeros(devices.best!, [1]);
      kernel.run("take", {
        args: Object.fromEntries(names.map((name) => [name, x])),
        grid: { groups: 1 },
      });
    },
    "Cannot run greedy.take: it asks for 200 storage buffers",
  ],
  [
    "a grid too wide",
    () => run({ grid: { groups: [65536, 1] } }),
    "Cannot run stretch.scale: a grid of [65536, 1, 1] workgroups exceeds 65535",
  ],
  [
    "a grid too deep",
    () => run({ grid: { groups: [1, 1, 70000] } }),
    "Cannot run stretch.scale: a grid of [1, 1, 70000] workgroups exceeds 65535",
  ],
  [
    "a tensor that was released",
    () => {
      const x = Tensor.zeros(devices.best!, [3]);
      x[Symbol.dispose]();
      run({ args: { x } });
    },
    "Cannot use tensor [3]: it was released",
  ],
  [
    "a constant the kernel does not have",
    () => run({ constants: { BLOK: 32 } }),
    "Cannot compile stretch.scale: cannot set BLOK: the source declares no such constant",
  ],
  [
    "a declaration that cannot be parsed",
    () => run({ kernel: edited("struct Params {", "struct Params (") }),
    "Cannot compile stretch.scale: Expected '{'",
  ],
  [
    "workgroup memory of a type we cannot size",
    () => run({ kernel: edited("array<f32, KEPT>", "array<mat4x4f, KEPT>") }),
    "Cannot compile stretch.scale: cannot size the workgroup variable kept",
  ],
  [
    "a tensor that is read and written at once",
    () => {
      const x = Tensor.zeros(devices.best!, [3]);
      run({ args: { x, y: x.view([3, 1]) } });
    },
    'Cannot run stretch.scale: "y", which it writes, shares its memory with "x"',
  ],
  [
    "a tensor of negative size",
    () => Tensor.zeros(devices.best!, [3, -1]),
    "Cannot make a tensor [3,-1]",
  ],
  [
    "a tensor larger than any buffer",
    () => Tensor.empty(devices.best!, [2 ** 46]),
    `Cannot allocate ${2 ** 48} bytes`,
  ],
];

for (const [name, provoke, message] of refused) {
  Deno.test(`${name} is refused`, async () => {
    using _scope = devices.best!.scope();
    const error = assertThrows(provoke, Error, message);
    assertEquals(error.message.split("\n").length, 1);
    // Nothing of it was queued: what follows works.
    assertEquals([...await run().read()], [2, 4, 6]);
  });
}

Deno.test("a tensor larger than a binding is refused", () => {
  const device = devices.best!;
  const most = device.gpu.limits.maxStorageBufferBindingSize;
  // Of its memory nothing is touched; where one buffer holds no more, the
  // allocation is refused instead.
  if (most + 4 > device.gpu.limits.maxBufferSize) return;
  using _scope = device.scope();
  const x = Tensor.empty(device, [most / 4 + 1]);
  assertThrows(
    () => run({ args: { x } }),
    RangeError,
    `Cannot run stretch.scale: "x" has ${most + 4} bytes, `,
  );
  x[Symbol.dispose]();
  device.trim();
});

/** Runs that only WebGPU refuses, when it gets to them. */
const late: readonly [name: string, kernel: () => Kernel][] = [
  ["a body that cannot be parsed", () => edited("kept[0]", "kept[0")],
  ["an unknown name", () => edited("params.factor;", "parms.factor;")],
  ["a wrong type", () => edited("* kept[0]", "* 2i")],
  ["a binding given twice", () => edited("@binding(2)", "@binding(1)")],
  [
    "a binding in another group",
    () => edited("@group(0) @binding(2)", "@group(1) @binding(2)"),
  ],
  [
    "a write to what is only read",
    () => edited("{ y[id.x]", "{ x[id.x] = 1.0; y[id.x]"),
  ],
  ["a builtin of another type", () => edited("vec3u", "vec2u")],
];

for (const [name, kernel] of late) {
  Deno.test(`${name} in the WGSL is an error that names the kernel`, async () => {
    using _scope = devices.best!.scope();
    const attempt = async () => await run({ kernel: kernel() }).read();
    const error = await assertRejects(attempt, Error);
    assertStringIncludes(error.message, "stretch");
    // It was reported once; what follows works.
    assertEquals([...await run().read()], [2, 4, 6]);
  });
}

Deno.test("a kernel WebGPU refused fails again when it is run again", async () => {
  using _scope = devices.best!.scope();
  const broken = edited("params.factor;", "parms.factor;");
  for (let i = 0; i < 3; i++) {
    const attempt = async () => await run({ kernel: broken }).read();
    const error = await assertRejects(attempt, GpuError);
    assertStringIncludes(error.message, "stretch.scale");
  }
  assertEquals([...await run().read()], [2, 4, 6]);
});

Deno.test("a program that looks no more still learns of it, and fails", async () => {
  const child = fromFileUrl(new URL("unnoticed_child.ts", import.meta.url));
  const { code, stderr } = await new Deno.Command("deno", {
    args: ["run", "--no-prompt", child],
    stdin: "null",
  }).output();
  assertEquals(code, 1);
  assertStringIncludes(new TextDecoder().decode(stderr), "unnoticed.fail");
});

Deno.test("closing a device throws what nothing else has", async () => {
  const device = await Device.open();
  new Kernel(
    "closing",
    "@group(0) @binding(0) var<storage, read_write> x: array<f32>;\n" +
      "@compute @workgroup_size(1) fn fail() { x[0] = y; }",
  ).run("fail", {
    args: { x: Tensor.empty(device, [1]) },
    grid: { groups: 1 },
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertThrows(() => device[Symbol.dispose](), GpuError, "closing.fail");
  device[Symbol.dispose](); // closed already
});
