import {
  assert,
  assertEquals,
  assertLess,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { createHash } from "node:crypto";
import { SafetensorsFile } from "../../lib/io/safetensors.ts";
import type { HostTensor } from "../../lib/io/tensors.ts";
import { openWeights, saveWeights } from "../../lib/io/weights.ts";
import {
  assertSameTensors,
  inFolder,
  randomTensors,
  readAll,
  sourceOf,
} from "./tensors.ts";

const indexName = "model.safetensors.index.json";

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

/** The SHA-256 of each file of a folder, by its name. */
function hashes(folder: string): Record<string, string> {
  const files = [...Deno.readDirSync(folder)].filter(({ isFile }) => isFile);
  return Object.fromEntries(files.map(({ name }) => {
    const bytes = Deno.readFileSync(join(folder, name));
    return [name, createHash("sha256").update(bytes).digest("hex")];
  }));
}

/** Five tensors of 400, 40, 4, 0 and 400 bytes. */
const tensors = randomTensors(
  { z: [10, 10], b: [10], "": [], empty: [0, 3], a: [4, 25] },
  1,
);

Deno.test("the reference implementation's shards are read", () => {
  const folder = new URL("../fixtures/io/sharded", import.meta.url);
  using weights = openWeights(fromFileUrl(folder));
  assertEquals(
    [...weights.tensors].map(([name, { dtype, shape }]) =>
      `${name} ${dtype} [${shape}]`
    ),
    [
      "embed.weight F32 [8,6]",
      "layers.0.weight BF16 [6,6]",
      "layers.0.bias F16 [6]",
      "layers.1.weight F32 [6,6]",
      "norm.weight F32 [6]",
    ],
  );
  assertEquals(weights.metadata.get("format"), "pt");
  for (const [name, { data }] of readAll(weights)) {
    const ramp = Float32Array.from(data, (_, i) => i % 64 / 4 - 8);
    assertEquals(data, ramp, name);
  }
});

Deno.test("weights are one file if they fit, else shards and an index", () =>
  inFolder(async (folder) => {
    const expected: [maxShardBytes: number, files: string[]][] = [
      [1000, ["model.safetensors"]],
      [844, ["model.safetensors"]],
      [
        500,
        [
          "model-00001-of-00002.safetensors",
          "model-00002-of-00002.safetensors",
          indexName,
        ],
      ],
      [
        10,
        [
          "model-00001-of-00004.safetensors",
          "model-00002-of-00004.safetensors",
          "model-00003-of-00004.safetensors",
          "model-00004-of-00004.safetensors",
          indexName,
        ],
      ],
      // Each replaces the one before, and leaves nothing of it.
      [844, ["model.safetensors"]],
    ];
    for (const [maxShardBytes, files] of expected) {
      await saveWeights(folder, sourceOf(tensors), { maxShardBytes });
      assertEquals(namesIn(folder), files);
      using weights = openWeights(folder);
      assertEquals(weights.tensors.size, tensors.size);
      for (const [name, { shape, data }] of tensors) {
        const found = weights.read(name);
        assertEquals(found, { shape, data });
      }
      if (files.length === 1) continue;
      const index = JSON.parse(
        Deno.readTextFileSync(join(folder, indexName)),
      );
      assertEquals(index.metadata, { total_size: 844 });
      assertEquals(Object.keys(index.weight_map), [...tensors.keys()]);
    }
  }));

Deno.test("the same weights give the same bytes, in every dtype", () =>
  inFolder(async (folder) => {
    for (const dtype of ["F32", "F16", "BF16"] as const) {
      for (const maxShardBytes of [200, 5e9]) {
        const folders = [1, 2].map((i) =>
          join(folder, `${dtype}_${maxShardBytes}_${i}`)
        );
        for (const folder of folders) {
          await saveWeights(folder, sourceOf(tensors), {
            dtype,
            maxShardBytes,
          });
        }
        assertEquals(hashes(folders[0]), hashes(folders[1]));
      }
    }
  }));

Deno.test("16-bit weights come back as the nearest numbers", () =>
  inFolder(async (folder) => {
    const many = randomTensors({ w: [700, 301], scalar: [] }, 2);
    const precision = { F16: 2 ** -11, BF16: 2 ** -8 };
    for (const dtype of ["F16", "BF16"] as const) {
      await saveWeights(folder, sourceOf(many), { dtype });
      using weights = openWeights(folder);
      for (const [name, { shape, data }] of many) {
        const found = weights.read(name);
        assertEquals(found.shape, shape);
        let worst = 0;
        for (let i = 0; i < data.length; i++) {
          const error = Math.abs(found.data[i] / data[i] - 1);
          // Below its smallest normal number float16 is coarser.
          if (Math.abs(data[i]) > 2 ** -14) worst = Math.max(worst, error);
        }
        assertLess(worst, precision[dtype] * 1.001);
      }
      const saved = readAll(weights);
      const again = join(folder, dtype);
      await saveWeights(again, sourceOf(saved), { dtype });
      assertEquals(hashes(again), hashes(folder));
    }
  }));

Deno.test("tensors are read into given memory, and in slices of rows", () =>
  inFolder(async (folder) => {
    const some = randomTensors(
      {
        w: [7, 3, 2],
        v: [9],
        s: [],
        none: [0, 4],
        flat: [4, 0],
        tall: [150, 3],
      },
      3,
    );
    for (const maxShardBytes of [50, 5e9]) {
      await saveWeights(folder, sourceOf(some), { maxShardBytes });
      using weights = openWeights(folder);
      for (const [name, { shape, data }] of some) {
        const into = new Float32Array(data.length);
        assertEquals(weights.read(name, into).data, into);
        assertEquals(into, data);
        for (const bytes of [1, 24, 56, 100, 1e6]) {
          const all: number[] = [];
          let rows = 0;
          for (const { first, end, data } of weights.slices(name, bytes)) {
            assertEquals(first, rows);
            rows = end;
            all.push(...data);
            const width = data.length / (end - first);
            assert(4 * data.length <= Math.max(bytes, 4 * width));
          }
          assertEquals(all, [...data]);
          assertEquals(rows, data.length > 0 ? shape[0] ?? 1 : 0);
        }
      }
      const firsts = [...weights.slices("tall", 900)].map(({ first }) => first);
      assertEquals(firsts, [0, 64, 128]);

      const two = new Float32Array(12);
      weights.readRows("w", 5, two);
      assertEquals(two, some.get("w")!.data.subarray(30, 42));

      const wrong: [read: () => unknown, message: string][] = [
        [() => weights.read("w", two), 'tensor "w" [7,3,2] into 12 elements'],
        [() => weights.readRows("w", 6, two), '"w" [7,3,2] from row 6 on'],
        [() => weights.readRows("w", -1, two), '"w" [7,3,2] from row -1 on'],
        [() => weights.readRows("w", 0.5, two), '"w" [7,3,2] from row 0.5'],
        [
          () => weights.readRows("w", 0, two.subarray(5)),
          "Cannot read 7 elements of",
        ],
        [() => weights.readRows("s", 1, two.subarray(11)), '"s" [] from row 1'],
        [() => weights.read("absent"), 'tensor "absent"'],
        [() => [...weights.slices("absent")], 'tensor "absent"'],
      ];
      for (const [read, message] of wrong) {
        assertThrows(read, RangeError, message);
      }
    }
  }));

Deno.test("more shards than may be open at once are read in any order", () =>
  inFolder(async (folder) => {
    const shapes = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [`t${i}`, [3]]),
    );
    const many = randomTensors(shapes, 4);
    await saveWeights(folder, sourceOf(many), { maxShardBytes: 12 });
    using weights = openWeights(folder);
    assertSameTensors(readAll(weights), many);
    const slices = weights.slices("t0", 4)[Symbol.iterator]();
    slices.next();
    for (let i = 99; i >= 0; i--) {
      assertEquals(weights.read(`t${i}`), many.get(`t${i}`));
    }
    assertEquals(slices.next().value.data[0], many.get("t0")!.data[1]);
  }));

Deno.test("a save that fails leaves the weights that were there", () =>
  inFolder(async (folder) => {
    const a = { shape: [50], data: new Float32Array(50) };
    const shapes = new Map(["a", "b", "c"].map((name) => [name, a.shape]));
    let closed = 0;
    function* come(names: string): Generator<readonly [string, HostTensor]> {
      try {
        for (const name of names) yield [name, a];
        if (names === "ab") throw new Error("lost");
      } finally {
        closed++;
      }
    }
    const wrong = {
      "ab": "lost",
      "a": 'the tensor "b" never came',
      "acb": 'expected "b" [50], got "c"',
      "abcd": 'expected no further tensor, got "d"',
    };
    for (const before of [200, 1000]) {
      await saveWeights(folder, sourceOf(tensors), { maxShardBytes: before });
      const files = hashes(folder);
      for (const maxShardBytes of [200, 1000]) {
        for (const [names, message] of Object.entries(wrong)) {
          closed = 0;
          const source = { shapes, tensors: come(names) };
          await assertRejects(
            () => saveWeights(folder, source, { maxShardBytes }),
            Error,
            message,
          );
          assertEquals(closed, 1);
          assertEquals(hashes(folder), files);
        }
      }
    }
  }));

Deno.test("slices of a large tensor take the memory of a slice", () =>
  inFolder(async (folder) => {
    const rows = 16 << 10, width = 1 << 10; // 32 MiB of BF16, 64 MiB here.
    const data = new Float32Array(rows * width);
    for (let row = 0; row < rows; row++) {
      data.fill(row % 256, row * width, (row + 1) * width);
    }
    const large = new Map([["w", { shape: [rows, width], data }]]);
    await saveWeights(folder, sourceOf(large), { dtype: "BF16" });
    large.clear();
    using weights = SafetensorsFile.open(join(folder, "model.safetensors"));
    const before = Deno.memoryUsage().external;
    let most = 0;
    for (const { first, data } of weights.slices("w", 1 << 20)) {
      assertEquals(data[0], first % 256);
      assertEquals(data.at(-1), (first + data.length / width - 1) % 256);
      most = Math.max(most, Deno.memoryUsage().external - before);
    }
    assertLess(most, 40 << 20);
  }));
