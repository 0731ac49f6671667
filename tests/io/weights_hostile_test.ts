import { assert, assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { saveSafetensors } from "../../lib/io/safetensors.ts";
import { openWeights } from "../../lib/io/weights.ts";
import { malformedIndices } from "./malformed_index.ts";
import { mutateFolder } from "./mutation.ts";
import { inFolder, randomTensors, sourceOf } from "./tensors.ts";

const indexName = "model.safetensors.index.json";

/** Writes shards of float32 vectors, by file and names, and an index. */
async function writeFolder(
  folder: string,
  shards: Readonly<Record<string, readonly string[]>>,
  weightMap: Readonly<Record<string, string>>,
) {
  for (const [shard, names] of Object.entries(shards)) {
    const shapes = Object.fromEntries(names.map((name) => [name, [2]]));
    await saveSafetensors(
      join(folder, shard),
      sourceOf(randomTensors(shapes, 1)),
    );
  }
  const index = JSON.stringify({ weight_map: weightMap });
  Deno.writeTextFileSync(join(folder, indexName), index);
}

Deno.test("every malformed index is refused in one line that names it", () =>
  inFolder((folder) => {
    const path = join(folder, indexName);
    for (const [what, make] of Object.entries(malformedIndices)) {
      const index = make();
      if (typeof index === "string") Deno.writeTextFileSync(path, index);
      else Deno.writeFileSync(path, index);
      const { message } = assertThrows(
        () => openWeights(folder),
        SyntaxError,
        `Cannot read "${path}": `,
        `accepted ${what}`,
      );
      // deno-lint-ignore no-control-regex
      assert(!/[\u0000-\u001f\u007f-\u009f\u202e]/.test(message), message);
      assert(message.length < 400 + path.length, `${what}: ${message}`);
    }
    assert(Object.keys(malformedIndices).length >= 60);
  }));

Deno.test("shards that do not hold what the index says are refused", () =>
  inFolder(async (folder) => {
    const cases: [
      shards: Record<string, string[]>,
      map: Record<string, string>,
      message: string,
    ][] = [
      [
        { "1.safetensors": ["a"] },
        { a: "1.safetensors", b: "2.safetensors" },
        'the shard "2.safetensors" is missing',
      ],
      [
        { "1.safetensors": ["a"], "2.safetensors": ["a", "b"] },
        { a: "1.safetensors", b: "2.safetensors" },
        '"2.safetensors" holds the tensor "a", which the index has in "1.saf',
      ],
      [
        { "1.safetensors": ["a"], "2.safetensors": ["c"] },
        { a: "1.safetensors", b: "2.safetensors", c: "2.safetensors" },
        '"2.safetensors" does not hold the tensor "b"',
      ],
      [
        { "1.safetensors": ["a", "x"] },
        { a: "1.safetensors" },
        '"1.safetensors" holds the tensor "x", which the index does not name',
      ],
    ];
    for (const [shards, map, message] of cases) {
      const inner = Deno.makeTempDirSync({ dir: folder });
      await writeFolder(inner, shards, map);
      assertThrows(
        () => openWeights(inner),
        RangeError,
        `Cannot read "${join(inner, indexName)}": ${message}`,
      );
    }
  }));

Deno.test("a shard that is malformed, or a folder, is named", () =>
  inFolder(async (folder) => {
    await writeFolder(folder, { "1.safetensors": ["a"] }, {
      a: "1.safetensors",
    });
    const shard = join(folder, "1.safetensors");
    const bytes = Deno.readFileSync(shard);
    Deno.writeFileSync(shard, bytes.subarray(0, bytes.length - 1));
    assertThrows(
      () => openWeights(folder),
      SyntaxError,
      `Cannot read "${shard}": its tensors take`,
    );
    Deno.removeSync(shard);
    Deno.mkdirSync(shard);
    assertThrows(
      () => openWeights(folder),
      Error,
      `Cannot read "${shard}": it is not a file`,
    );
  }));

Deno.test({
  name: "links may lead to files of the same model, and no further",
  ignore: Deno.build.os === "windows",
  fn: () =>
    inFolder(async (root) => {
      const folder = join(root, "models--o--n", "snapshots", "c".repeat(40));
      const blobs = join(root, "models--o--n", "blobs");
      for (const path of [folder, blobs, join(root, "blobs")]) {
        Deno.mkdirSync(path, { recursive: true });
      }
      const shard = "1.safetensors";
      await writeFolder(folder, { [shard]: ["a"] }, { a: shard });
      const link = (target: string) => {
        Deno.removeSync(join(folder, shard));
        Deno.symlinkSync(target, join(folder, shard));
      };
      const bytes = Deno.readFileSync(join(folder, shard));
      const outside = join(root, "blobs", "secret.safetensors");
      for (
        const path of [
          outside,
          join(blobs, "b10b"),
          join(folder, "here.safetensors"),
        ]
      ) Deno.writeFileSync(path, bytes);

      for (const target of ["../../blobs/b10b", "here.safetensors"]) {
        link(target);
        using weights = openWeights(folder);
        assertEquals(weights.read("a").data.length, 2);
      }
      const refusal = `the shard "1.safetensors" is a link that leaves`;
      for (const target of [outside, "../../../blobs/secret.safetensors"]) {
        link(target);
        assertThrows(() => openWeights(folder), RangeError, refusal);
      }
      link("1.safetensors");
      assertThrows(() => openWeights(folder), Error, "links go round");

      // Elsewhere a folder of the name has no such meaning.
      const plain = join(root, "models--o--n", "plain");
      Deno.mkdirSync(plain);
      await writeFolder(plain, { [shard]: ["a"] }, { a: shard });
      Deno.removeSync(join(plain, shard));
      Deno.symlinkSync("../blobs/b10b", join(plain, shard));
      assertThrows(() => openWeights(plain), RangeError, refusal);
    }),
});

Deno.test("a folder without weights says so, and why a pickle is not read", () =>
  inFolder((folder) => {
    const said = `Cannot load weights from "${folder}": there is no model.saf`;
    assertThrows(() => openWeights(folder), Error, said);
    Deno.writeTextFileSync(join(folder, "pytorch_model.bin"), "");
    assertThrows(() => openWeights(folder), Error, "can run code");
  }));

Deno.test("5,000 mutated shards and indices are refused or read within bounds", () => {
  const { accepted } = mutateFolder(5_000, 27);
  assert(accepted > 200 && accepted < 3_000, `${accepted} accepted`);
});
