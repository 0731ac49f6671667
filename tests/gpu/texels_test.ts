/**
 * Kernels that read from images what their WGSL reads from buffers.
 */

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertThrows,
} from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import { Kernel } from "../../lib/gpu/kernel.ts";
import { readImages } from "../../lib/gpu/texels.ts";
import { RandomCrops } from "../../lib/data/random_crops.ts";
import { parameters } from "../../lib/nn/parameters.ts";
import { AdamW } from "../../lib/optim/adamw.ts";
import { constantSchedule } from "../../lib/optim/schedule.ts";
import { Random } from "../../lib/random.ts";
import { Parameter } from "../../lib/tensor/parameter.ts";
import { type HostArray, readAll, Tensor } from "../../lib/tensor/tensor.ts";
import { train } from "../../lib/train/train.ts";
import { GPT2 } from "../../models/gpt2.ts";

const source = `alias Stored = vec4f;
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Stored>;
@group(0) @binding(2) var<storage, read_write> y: array<Stored>;
@group(0) @binding(3) var<storage, read> ids: array<vec4i>;
`;

/** What becomes of a statement. */
function rewritten(statement: string, ...names: string[]): string {
  const whole = readImages(source + statement, names);
  assert(whole.startsWith(source), "declarations stay");
  return whole.slice(source.length).split("\n@group")[0];
}

for (
  const [statement, expected] of [
    ["y[i] = x[i];", "y[i] = x_image_at(i);"],
    ["y[i] = y[i] + x[i];", "y[i] = y_image_at(i) + x_image_at(i);"],
    ["y[i].z = x[2u * (i + 1u)].w;", "y[i].z = x_image_at(2u * (i + 1u)).w;"],
    ["y[n[i]][j] = x[n[i]][j];", "y[n[i]][j] = x_image_at(n[i])[j];"],
    ["if y[i].x == 0.0 { }", "if y_image_at(i).x == 0.0 { }"],
    [
      "y[u32(x[i].x)] = y[u32(y[i].x)];",
      "y[u32(x_image_at(i).x)] = y_image_at(u32(y_image_at(i).x));",
    ],
    ["max[i] = it.x[i];", "max[i] = it.x[i];"],
  ]
) {
  Deno.test(`reads become those of images: ${statement}`, () => {
    assertEquals(rewritten(statement, "x", "y"), expected);
  });
}

Deno.test("images are bound beside what the source binds", () => {
  const whole = readImages(source, ["x", "y"]);
  for (const [binding, name] of [[4, "x"], [5, "y"]]) {
    const declared =
      `@group(0) @binding(${binding}) var ${name}_image: texture_storage_2d<rgba32float, read>;`;
    assert(whole.includes(declared), declared);
  }
});

Deno.test("what cannot be read from an image is refused", () => {
  for (
    const [statement, name, message] of [
      ["y[i] += x[i];", "y", "changes it in place"],
      ["y[i].x *= 2.0;", "y", "changes it in place"],
      ["", "ids", "got vec4i"],
      ["", "z", "got no such binding"],
    ]
  ) {
    assertThrows(
      () => readImages(source + statement, [name]),
      TypeError,
      message,
    );
  }
});

Deno.test("numbers come out of images as they lie in memory", async () => {
  using device = await Device.open();
  device.images.least = 0;
  const kernel = new Kernel(
    "mixed",
    `struct Params { size: u32 }
    @group(0) @binding(0) var<uniform> params: Params;
    @group(0) @binding(1) var<storage, read> fours: array<vec4f>;
    @group(0) @binding(2) var<storage, read> pairs: array<vec2f>;
    @group(0) @binding(3) var<storage, read> single: array<f32>;
    @group(0) @binding(4) var<storage, read> ids: array<u32>;
    @group(0) @binding(5) var<storage, read> id_fours: array<vec4u>;
    @group(0) @binding(6) var<storage, read_write> y: array<f32>;
    @group(0) @binding(7) var<storage, read_write> z: array<u32>;
    @compute @workgroup_size(64)
    fn run(@builtin(global_invocation_id) id: vec3u) {
      let i = id.x;
      if i >= params.size { return; }
      let pair = pairs[i / 2u];
      y[i] = y[i] + fours[i / 4u][i % 4u] + select(pair.x, pair.y, i % 2u == 1u) + single[i];
      z[i] = ids[i] ^ id_fours[i / 4u][i % 4u];
    }`,
  );
  const size = 5003; // five lines of 1024 texels, the last of a few numbers
  const random = new Random(3);
  const whole = () => Float32Array.from(random.normal(size), Math.fround);
  const [fours, pairs, single, y] = [whole(), whole(), whole(), whole()];
  // Bits of every kind: as floats some are no numbers, others too small.
  const bits = () =>
    Uint32Array.from({ length: size }, () => random.integer(2 ** 32));
  const [ids, id_fours] = [bits(), bits()];
  const given = { fours, pairs, single, y, ids, id_fours };
  const z = Tensor.empty(device, [size], "u32");
  const tensors = Object.fromEntries(
    Object.entries(given).map(([name, data]) => [
      name,
      Tensor.from(device, data),
    ]),
  );
  kernel.run("run", {
    args: { ...tensors, z, size },
    grid: { threads: size },
    images: Object.keys(given),
  });
  const sums = y.map((number, i) =>
    Math.fround(Math.fround(number + fours[i]) + pairs[i]) + single[i]
  );
  assertEquals(await tensors.y.read(), sums);
  assertEquals(await z.read(), ids.map((id, i) => id ^ id_fours[i]));
});

Deno.test("memory that was written since is copied anew, small memory not at all", async () => {
  using device = await Device.open();
  const { images } = device;
  const double = new Kernel(
    "double",
    `struct Params { vectors: u32 }
    @group(0) @binding(0) var<uniform> params: Params;
    @group(0) @binding(1) var<storage, read_write> x: array<vec4f>;
    @compute @workgroup_size(64)
    fn run(@builtin(global_invocation_id) id: vec3u) {
      if id.x < params.vectors { x[id.x] = 2.0 * x[id.x]; }
    }`,
  );
  for (const [least, bytes] of [[1 << 14, 0], [1 << 12, 1 << 12]]) {
    images.least = least;
    using x = Tensor.ones(device, [1 << 10]);
    for (let i = 0; i < 5; i++) {
      double.run("run", {
        args: { x, vectors: x.size / 4 },
        grid: { threads: x.size / 4 },
        images: ["x"],
      });
    }
    assertEquals(await x.read(), new Float32Array(1 << 10).fill(32));
    assertEquals(images.bytes >= bytes, true);
    assertEquals(images.bytes === 0, bytes === 0);
  }
});

/** Weights, moments and losses after some steps, from images or from buffers. */
async function trained(least: number) {
  using device = await Device.open();
  device.images.least = least;
  using _scope = device.scope();
  const random = new Random(5);
  const model = new GPT2({ device, random }, {
    vocabSize: 61,
    blockSize: 64,
    nLayer: 2,
    nHead: 4,
    nEmbd: 128,
    dropout: 0.1,
  });
  const named = parameters(model);
  using optimizer = new AdamW(named);
  const text = Uint32Array.from({ length: 999 }, () => random.integer(61));
  const losses: number[] = [];
  const run = train({
    device,
    model,
    optimizer,
    batches: new RandomCrops(text, { batchSize: 4, blockSize: 64, random }),
    schedule: constantSchedule(1e-2),
    steps: 3,
    random, // or nothing is dropped
  });
  for await (const step of run) losses.push((await step.read()).at(-1)!.loss);
  const moved = [
    ...named.values(),
    ...[...optimizer.moments.values()].map(({ v }) => v),
  ];
  return { losses, moved: await readAll(moved), bytes: device.images.bytes };
}

Deno.test("training gives the same bits from images and from buffers", async () => {
  const images = await trained(0);
  const buffers = await trained(Infinity);
  assertEquals(images.losses, buffers.losses);
  assertEquals(images.moved, buffers.moved);
  assert(images.bytes > buffers.bytes, "images were read");
});

Deno.test("an optimizer measures and moves more than an image at a time holds", async () => {
  const sizes = [(1 << 20) - 4200, 12_345, 70_001];
  const moved: HostArray[][] = [];
  for (const least of [0, Infinity]) {
    using device = await Device.open();
    device.images.least = least;
    using _scope = device.scope();
    const random = new Random(7);
    const weights = sizes.map((size) =>
      new Parameter(device, random.normal(size), [1, size])
    );
    using optimizer = new AdamW(
      new Map(weights.map((weight, i) => [`weight${i}`, weight])),
    );
    let squares = 0;
    for (const weight of weights) {
      const numbers = random.normal(weight.size);
      for (const number of numbers) squares += number ** 2;
      weight.grad = Tensor.from(device, numbers, weight.shape).keep();
    }
    optimizer.step(1e-3);
    const [norm] = await optimizer.status.read();
    assertAlmostEquals(norm / Math.sqrt(squares), 1, 1e-6);
    moved.push(await readAll(weights));
  }
  // Not by assertEquals, which lays out how so many numbers differ.
  for (const [i, weight] of moved[0].entries()) {
    assert(weight.every((number, at) => Object.is(number, moved[1][i][at])));
  }
});
