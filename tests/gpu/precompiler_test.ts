/**
 * The precompiler: which kernels it compiles, when, and that the driver takes
 * what it compiled for the same.
 */

import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, relative } from "@std/path";
import type { Pipeline } from "../../lib/gpu/bind_groups.ts";
import { blankGpu } from "../../lib/gpu/blank.ts";
import { Device } from "../../lib/gpu/device.ts";
import { isMesa } from "../../lib/gpu/mesa.ts";
import {
  type Cache,
  type NewKernel,
  Precompiler,
} from "../../lib/gpu/precompiler.ts";

/** A precompiler whose GPU takes so many milliseconds for each kernel. */
function precompilerTaking(milliseconds: number, cache: Cache) {
  const compiled: string[] = [];
  let now = 0;
  const gpu = blankGpu({} as GPUSupportedLimits, new Set() as never);
  const precompiler = new Precompiler(gpu, cache, () => now);
  const kernel = (label: string, length = 10_000): NewKernel => ({
    code: " ".repeat(length),
    pipelineFor: () => {
      compiled.push(label);
      now += milliseconds;
      return { id: 0, label, gpu: {}, layout: {}, uniform: null } as Pipeline;
    },
    storage: [],
    uniform: null,
  });
  return { precompiler, kernel, compiled };
}

Deno.test("the last kernels of a step are compiled while the first ones are, from the end", () => {
  const { precompiler, kernel, compiled } = precompilerTaking(300, {
    empty: null,
  });
  assert(!precompiler.add(kernel("short", 500)));
  assert(!precompiler.add(kernel("probe")));
  assertEquals(compiled, ["probe"]);
  for (let step = 0; step < 2; step++) {
    compiled.length = 0;
    assert(precompiler.add(kernel("first")));
    precompiler.start();
    assert(!precompiler.gathers);
    for (const label of ["a", "b", "c", "d", "e"]) {
      assert(!precompiler.add(kernel(label)));
      assert(precompiler.gathers);
    }
    assert(!precompiler.add(kernel("short", 500)));
    assertEquals(compiled, []);
    precompiler.start();
    assert(!precompiler.gathers);
    assertEquals(compiled, ["e", "d", "c"]);
  }
});

Deno.test("half of what is to be compiled is half of the text", () => {
  const { precompiler, kernel, compiled } = precompilerTaking(0, {
    empty: true,
  });
  precompiler.add(kernel("first"));
  precompiler.start();
  for (const label of ["a", "b", "c"]) precompiler.add(kernel(label));
  precompiler.add(kernel("long", 40_000));
  precompiler.start();
  assertEquals(compiled, ["long"]);
});

Deno.test("kernels that are run one by one are left to the device that runs them", () => {
  const { precompiler, kernel, compiled } = precompilerTaking(0, {
    empty: true,
  });
  for (const label of ["a", "b", "c"]) {
    assert(precompiler.add(kernel(label)));
    precompiler.start(); // as the device begins
    precompiler.start(); // and reads
  }
  assertEquals(compiled, []);
});

Deno.test("nothing is compiled twice once a kernel came from the cache", () => {
  const cache = { empty: null };
  const { precompiler, kernel, compiled } = precompilerTaking(20, cache);
  for (const label of ["probe", "a", "b", "c"]) {
    assert(!precompiler.add(kernel(label)));
    assert(!precompiler.gathers);
  }
  precompiler.start();
  assertEquals([compiled, cache.empty], [["probe"], false]);
});

const child = fromFileUrl(new URL("./precompiler_child.ts", import.meta.url));

/** The loss of a step from an empty cache, and what the cache then holds. */
async function fromEmptyCache(mode: string) {
  const cache = await Deno.makeTempDir({ prefix: "shaders-" });
  try {
    const { stdout, success } = await new Deno.Command("deno", {
      // What it may read spares it a test of images, whose kernel would be one more.
      args: ["run", "--no-check", "--allow-env", "--allow-read", child, mode],
      env: { MESA_SHADER_CACHE_DIR: cache },
      stdin: "null",
      stderr: "inherit",
    }).output();
    assert(success);
    const loss = new TextDecoder().decode(stdout);
    return { loss, shaders: [...filesIn(cache)].sort() };
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
}

function* filesIn(folder: string, root = folder): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* filesIn(path, root);
    else yield relative(root, path);
  }
}

Deno.test("Mesa takes a kernel that the second device compiled for the first one's", async () => {
  using device = await Device.open();
  if (!isMesa(device.adapter)) return;
  const alone = await fromEmptyCache("alone");
  const both = await fromEmptyCache("both");
  assertEquals(both.loss, alone.loss);
  assert(alone.shaders.length > 20);
  // A kernel compiled for anything else would be one more.
  assertEquals(both.shaders, alone.shaders);
});
