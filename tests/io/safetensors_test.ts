import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import {
  type HostTensor,
  SafetensorsFile,
  saveSafetensors,
  type TensorSource,
} from "../../lib/io/safetensors.ts";
import { inFolder, randomTensors, readAll, sourceOf } from "./tensors.ts";

const fixtures = new URL("../fixtures/io/", import.meta.url);

function fixture(name: string): Uint8Array {
  return Deno.readFileSync(new URL(name, fixtures));
}

/** What tests/fixtures/io/make.py calls by the same name. */
function ramp(...shape: number[]): HostTensor {
  const size = shape.reduce((size, length) => size * length, 1);
  return {
    shape,
    data: Float32Array.from({ length: size }, (_, i) => i % 64 / 4 - 8),
  };
}

Deno.test("the reference implementation's float32 file is read", () => {
  using file = SafetensorsFile.parse(fixture("float32.safetensors"));
  assertEquals(file.metadata, new Map([["format", "pt"]]));
  assertEquals(
    readAll(file),
    new Map([
      ["a.weight", ramp(3, 5)],
      ["b.bias", ramp(7)],
      ["c.scalar", { shape: [], data: Float32Array.of(1.5) }],
      ["d.empty", { shape: [0, 4], data: new Float32Array() }],
      ['é."quoted"', ramp(1, 2, 3)],
    ]),
  );
});

Deno.test("the reference implementation's float16 and bfloat16 are converted", () => {
  using file = SafetensorsFile.parse(fixture("mixed.safetensors"));
  assertEquals(file.read("float32"), ramp(2, 3));
  assertEquals(file.read("float16"), ramp(4, 6));
  assertEquals(file.read("bfloat16"), ramp(4, 6));
  assertEquals(
    file.read("float16.special").data,
    Float32Array.of(
      0,
      -0,
      Infinity,
      -Infinity,
      65504,
      2 ** -24,
      1023 * 2 ** -24,
      1365 / 4096,
    ),
  );
});

Deno.test("other dtypes are listed, and refused by name when read", () => {
  using file = SafetensorsFile.parse(fixture("mixed.safetensors"));
  const others = { int64: "I64", int32: "I32", uint32: "U32", bool: "BOOL" };
  for (const [name, dtype] of Object.entries(others)) {
    assertEquals(file.tensors.get(name)?.dtype, dtype);
    assertThrows(() => file.read(name), TypeError, `"${name}": it is ${dtype}`);
  }
  assertThrows(
    () => file.read("absent"),
    RangeError,
    'Cannot read the tensor "absent": "safetensors" does not have it',
  );
});

Deno.test("16-bit tensors longer than a block are converted whole", () => {
  const size = (1 << 20) + 37;
  const header = JSON.stringify({
    f: { dtype: "F16", shape: [size], data_offsets: [0, 2 * size] },
    b: { dtype: "BF16", shape: [size], data_offsets: [2 * size, 4 * size] },
  });
  const data = new Uint16Array(2 * size);
  const halves = new Float16Array(data.buffer);
  for (let i = 0; i < size; i++) {
    halves[i] = i % 2048;
    data[size + i] = i % 0x7f80; // Each positive finite bfloat16 in turn.
  }
  const bytes = new Uint8Array(8 + header.length + 4 * size);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(new TextEncoder().encode(header), 8);
  bytes.set(new Uint8Array(data.buffer), 8 + header.length);

  using file = SafetensorsFile.parse(bytes);
  const f = file.read("f").data;
  const b = new Uint32Array(file.read("b").data.buffer);
  let wrong = 0;
  for (let i = 0; i < size; i++) {
    if (f[i] !== i % 2048 || b[i] !== (i % 0x7f80) * 65536) wrong++;
  }
  assertEquals(wrong, 0);
});

Deno.test("our file is the reference implementation's, to the byte", () =>
  inFolder(async (folder) => {
    using file = SafetensorsFile.parse(fixture("float32.safetensors"));
    const path = join(folder, "model.safetensors");
    await saveSafetensors(path, sourceOf(readAll(file)));
    assertEquals(Deno.readFileSync(path), fixture("float32.safetensors"));
    assertEquals([...Deno.readDirSync(folder)].length, 1);
  }));

Deno.test("what is written is read back, from an async source too", () =>
  inFolder(async (folder) => {
    const tensors = randomTensors({ w: [3, 5, 7], __proto: [1], "": [0] }, 1);
    const path = join(folder, "x.safetensors");
    const source = {
      shapes: sourceOf(tensors).shapes,
      async *tensors() {
        for (const entry of tensors) {
          await Promise.resolve();
          yield entry;
        }
      },
    };
    await saveSafetensors(path, { ...source, tensors: source.tensors() }, {
      metadata: {},
    });
    using file = SafetensorsFile.open(path);
    assertEquals(readAll(file), tensors);
    assertEquals(file.metadata.size, 0);
    const first = Math.min(...[...file.tensors.values()].map((t) => t.offset));
    assertEquals(first % 8, 0);
  }));

Deno.test("tensors other than the declared ones are refused, and nothing stays", () =>
  inFolder(async (folder) => {
    const path = join(folder, "x.safetensors");
    await Deno.writeTextFile(path, "before");
    const a = { shape: [2], data: new Float32Array(2) };
    const shapes = new Map([["a", [2]], ["b", [2]]]);
    const wrong: [TensorSource, string][] = [
      [{ shapes, tensors: [["a", a]] }, 'the tensor "b" never came'],
      [{ shapes, tensors: [["b", a], ["a", a]] }, 'expected "a" [2], got "b"'],
      [
        { shapes, tensors: [["a", a], ["b", a], ["c", a]] },
        'expected no further tensor, got "c"',
      ],
      [
        { shapes, tensors: [["a", { shape: [1, 2], data: a.data }]] },
        'expected "a" [2], got "a" [1,2]',
      ],
      [
        { shapes, tensors: [["a", { shape: [2], data: new Float32Array(3) }]] },
        "of 3 elements",
      ],
      [{ shapes: new Map([["a", [-1]]]), tensors: [] }, 'the tensor "a" [-1]'],
      [
        { shapes: new Map([["a", [1.5]]]), tensors: [] },
        'the tensor "a" [1.5]',
      ],
      [
        { shapes: new Map([["__metadata__", [1]]]), tensors: [] },
        'the tensor "__metadata__" [1]',
      ],
    ];
    for (const [source, message] of wrong) {
      await assertRejects(
        () => saveSafetensors(path, source),
        RangeError,
        message,
      );
    }
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), [
      "x.safetensors",
    ]);
    assertEquals(Deno.readTextFileSync(path), "before");
  }));

Deno.test("files that cannot be opened are named in one line", () =>
  inFolder((folder) => {
    const missing = join(folder, "absent.safetensors");
    assertThrows(
      () => SafetensorsFile.open(missing),
      Error,
      `Cannot read "${missing}": no such file or folder`,
    );
    assertThrows(() => SafetensorsFile.open(folder), Error, "it is not a file");
    return Promise.resolve();
  }));

Deno.test("one tensor is in memory at a time", () =>
  inFolder(async (folder) => {
    const count = 24, size = 1 << 20; // 96 MiB in all.
    const shapes = new Map(
      Array.from({ length: count }, (_, i) => [`t${i}`, [size]]),
    );
    const data = new Float32Array(size);
    let alive = 0;
    function* tensors() {
      for (const [i, [name, shape]] of [...shapes].entries()) {
        yield [name, { shape, data: data.fill(i) }] as const;
        alive = Math.max(alive, Deno.memoryUsage().external);
      }
    }
    const path = join(folder, "large.safetensors");
    const before = Deno.memoryUsage().external;
    await saveSafetensors(path, { shapes, tensors: tensors() });
    using file = SafetensorsFile.open(path);
    for (let i = 0; i < count; i++) {
      assertEquals(file.read(`t${i}`).data[size - 1], i);
    }
    assert(alive - before < 16 << 20, `${(alive - before) >> 20} MiB`);
  }));
