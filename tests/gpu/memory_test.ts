import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import { Pool } from "../../lib/gpu/pool.ts";
import { Scope } from "../../lib/gpu/scope.ts";
import * as ops from "../../lib/ops/mod.ts";
import { Parameter } from "../../lib/tensor/parameter.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";

const devices: { best?: Device } = {};

Deno.test.beforeAll(async () => {
  devices.best = await Device.open();
});

Deno.test.afterAll(() => devices.best?.[Symbol.dispose]());

function newPool(): Pool {
  return new Pool(
    devices.best!.gpu,
    GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
  );
}

Deno.test("Pool rounds up to a quarter of a power of two", () => {
  const pool = newPool();
  for (
    const [asked, given] of [
      [0, 256],
      [1, 256],
      [256, 256],
      [257, 512],
      [1024, 1024],
      [1025, 1280],
      [5000, 5120],
      [2 ** 20, 2 ** 20],
      [2 ** 20 + 1, 2 ** 20 + 2 ** 18],
      [2 ** 21 - 1, 2 ** 21],
    ]
  ) {
    const storage = pool.acquire(asked);
    assertEquals(storage.bytes, given, `for ${asked}`);
    assertEquals(storage.buffer.size, given);
    pool.release(storage);
  }
  pool.trim();
});

Deno.test("Pool wastes at most a quarter, and keeps sizes bindable", () => {
  const pool = newPool();
  for (let bytes = 1024; bytes < 2 ** 18; bytes = Math.ceil(bytes * 1.037)) {
    const storage = pool.acquire(bytes);
    assertEquals(storage.bytes >= bytes && storage.bytes <= 1.25 * bytes, true);
    assertEquals(storage.bytes % 16, 0);
    pool.release(storage);
    pool.trim();
  }
});

Deno.test("Pool gives memory that stays no larger than it was asked for", () => {
  const pool = newPool();
  assertEquals(pool.acquire(70_000).bytes, 81_920);
  const exact = pool.acquire(70_000, () => "weights", { stays: true });
  assertEquals([exact.bytes, exact.buffer.size], [70_144, 70_144]);
  pool.release(exact);
  assertStrictEquals(pool.acquire(70_144, undefined, { stays: true }), exact);
  pool.release(exact);
  pool.trim();
});

Deno.test("Pool hands out what came back, the oldest first, by size", () => {
  const pool = newPool();
  const [a, b, c, big] = [300, 300, 300, 9000].map((n) => pool.acquire(n));
  for (const storage of [c, a, big, b]) pool.release(storage);
  assertEquals(pool.buffersMade, 4);
  assertStrictEquals(pool.acquire(400), a);
  assertStrictEquals(pool.acquire(500), b);
  assertStrictEquals(pool.acquire(9001), big);
  assertStrictEquals(pool.acquire(300), c);
  assertEquals(pool.buffersMade, 4);
  assertEquals(pool.acquire(300).id, 4);
});

Deno.test("Pool counts the bytes in use, at most, and in all", () => {
  const pool = newPool();
  const a = pool.acquire(256);
  const b = pool.acquire(1024);
  assertEquals(pool.bytesInUse, 1280);
  pool.release(a);
  assertEquals(
    [pool.bytesInUse, pool.bytesPeak, pool.bytesReserved],
    [1024, 1280, 1280],
  );
  pool.trim(); // b is still out
  assertEquals(
    [pool.bytesInUse, pool.bytesPeak, pool.bytesReserved],
    [1024, 1280, 1024],
  );
  pool.release(b);
  pool.trim();
  assertEquals([pool.bytesInUse, pool.bytesReserved], [0, 0]);
  const anew = pool.acquire(256);
  assertEquals(anew.id, 2);
  assertEquals(pool.bytesReserved, 256);
});

Deno.test("Device.trim() gives back what waits, and work goes on", async () => {
  const device = devices.best!;
  const kept = Tensor.full(device, [1000], 3);
  Tensor.full(device, [123_456], 1)[Symbol.dispose]();
  await kept.read();
  const before = device.bytesReserved;
  device.trim();
  assertEquals(device.bytesReserved < before - 400_000, true);
  assertEquals(device.bytesReserved, device.bytesInUse);
  assertEquals(device.counters.bindGroups, 0);
  using more = Tensor.full(device, [123_456], 2);
  assertEquals((await more.read()).every((v) => v === 2), true);
  assertEquals((await kept.read()).every((v) => v === 3), true);
  kept[Symbol.dispose]();
});

Deno.test("Scope releases what it owns, once, when it closes", () => {
  const open: Scope[] = [];
  const released: string[] = [];
  const thing = (name: string): Disposable => ({
    [Symbol.dispose]: () => released.push(name),
  });
  const outer = new Scope(open);
  const [a, b, c] = ["a", "b", "c"].map(thing);
  outer.adopt(a);
  const inner = new Scope(open);
  inner.adopt(b);
  inner.adopt(c);
  inner.release(c);
  assertEquals(open, [outer, inner]);
  inner[Symbol.dispose]();
  assertEquals(released, ["b"]);
  outer[Symbol.dispose]();
  assertEquals(released, ["b", "a"]);
  assertEquals(open, []);
});

Deno.test("Scope refuses to close before those inside it", () => {
  const open: Scope[] = [];
  const outer = new Scope(open);
  const inner = new Scope(open);
  assertThrows(
    () => outer[Symbol.dispose](),
    Error,
    "Cannot close scope: a scope opened inside it is still open",
  );
  inner[Symbol.dispose]();
  outer[Symbol.dispose]();
});

Deno.test("a scope of a device owns the tensors made in it, but not those kept", () => {
  const device = devices.best!;
  const before = device.bytesInUse;
  let inside: Tensor, kept: Tensor, parameter: Parameter, view: Tensor;
  {
    using _outer = device.scope();
    const outer = Tensor.zeros(device, [10]);
    {
      using _inner = device.scope();
      inside = Tensor.zeros(device, [10]);
      kept = Tensor.zeros(device, [10]).keep();
      parameter = new Parameter(device, new Float32Array(4), [4]);
      view = outer.view([2, 5]);
    }
    assertEquals(inside.released, true);
    assertEquals(view.released, true);
    assertEquals(outer.released, false); // though its view is gone
  }
  assertEquals([kept.released, parameter.released], [false, false]);
  kept[Symbol.dispose]();
  kept[Symbol.dispose](); // again does no harm
  parameter[Symbol.dispose]();
  assertEquals(device.bytesInUse, before);
});

Deno.test("memory is held as long as any view of it", () => {
  const device = devices.best!;
  const before = device.bytesInUse;
  const tensor = Tensor.zeros(device, [1000]);
  const view = tensor.view([10, 100]);
  const held = device.bytesInUse;
  tensor[Symbol.dispose]();
  assertEquals(device.bytesInUse, held);
  view[Symbol.dispose]();
  assertEquals(device.bytesInUse, before);
});

Deno.test("products and reductions outside a scope leave nothing but their result", () => {
  const device = devices.best!;
  using x = Tensor.ones(device, [64, 64]);
  using long = Tensor.ones(device, [50_001]);
  const results: Record<string, () => Tensor> = {
    matmul: () => ops.matmul(x, x),
    sum: () => ops.sum(long),
    mean: () => ops.mean(x, { axis: 1 }),
    max: () => ops.max(long),
    argmax: () => ops.argmax(long),
  };
  for (const [name, compute] of Object.entries(results)) {
    const before = device.bytesInUse;
    compute()[Symbol.dispose]();
    assertEquals(device.bytesInUse, before, name);
  }
});

Deno.test("a tensor is made of the four kinds of numbers, and of nothing else", async () => {
  const device = devices.best!;
  using _scope = device.scope();
  for (const Numbers of [Float32Array, Float16Array, Int32Array, Uint32Array]) {
    const numbers = Numbers.of(1, 2, 3);
    assertEquals(await Tensor.from(device, numbers).read(), numbers);
  }
  const others: ArrayLike<unknown>[] = [
    Float64Array.of(1.5),
    Uint8Array.of(1, 2, 3, 4),
    Uint16Array.of(1, 2),
    BigInt64Array.of(1n),
    [[1, 2], [3, 4]],
    ["1"],
    [undefined],
  ];
  for (const data of others) {
    assertThrows(
      () => Tensor.from(device, data as number[]),
      TypeError,
      "Cannot make a tensor of",
    );
  }
});
