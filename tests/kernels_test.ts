import { assertEquals } from "@std/assert";
import { settle } from "../lib/gpu/specialize.ts";
import { unroll } from "../lib/gpu/unroll.ts";
import { reflect } from "../lib/gpu/wgsl.ts";
import { filesEndingIn, read } from "./source_tree.ts";

/** WebGPU promises eight to every device. */
const MOST_STORAGE_BUFFERS = 8;

const [shared, kernels] = ["kernels/shared/", "kernels/"].map((folder) =>
  filesEndingIn(".wgsl").filter((path) =>
    path.slice(0, path.lastIndexOf("/") + 1) === folder
  )
);

/** The shared files that a kernel may include: those that bind, if it calls them. */
function commonTo(source: string): string {
  return shared.map(read).filter((file) =>
    bindingsOf(file).length === 0 ||
    [...file.matchAll(/^fn (\w+)/gm)].some(([, name]) =>
      source.includes(`${name}(`)
    )
  ).join("\n");
}

/** The comment a file opens with. */
function headerOf(source: string): string {
  return source.match(/^(\/\/.*\n)*/)![0];
}

/**
 * The entry points a header describes, each a name between wide spaces: those
 * that open a line, and all.
 */
function describedIn(
  header: string,
): { opening: string[]; all: ReadonlySet<string> } {
  const opening = [...header.matchAll(/^\/\/ {3}(\w+) {2,}\S/gm)];
  const all = header.matchAll(/ {2,}(\w+)(?= {2,}\S)/g);
  const names = (matches: Iterable<RegExpExecArray>) =>
    Array.from(matches, ([, name]) => name);
  return { opening: names(opening), all: new Set(names(all)) };
}

/** Its `@group(g) @binding(b)` in the order they are written, as `g.b`. */
function bindingsOf(source: string): string[] {
  return [...source.matchAll(/@group\((\d+)\)\s*@binding\((\d+)\)/g)]
    .map(([, group, binding]) => `${group}.${binding}`);
}

for (const path of kernels) {
  const source = read(path);
  const whole = `${commonTo(source)}\n${source}`;
  const entries = reflect(whole.replace(/\/\/.*$/gm, ""));

  Deno.test(`${path} says in its header what each entry point does`, () => {
    const { opening, all } = describedIn(headerOf(source));
    const names = [...entries.keys()];
    assertEquals(names.filter((name) => !all.has(name)), [], "not described");
    assertEquals(opening.filter((name) => !entries.has(name)), [], "not there");
  });

  Deno.test(`${path} stays within the bindings every device has`, () => {
    // Twins among the shared files bind the same names.
    const greedy = [...entries.values()]
      .map(({ name, storage }) => ({
        name,
        count: new Set(storage.map(({ name }) => name)).size,
      }))
      .filter(({ count }) => count > MOST_STORAGE_BUFFERS)
      .map(({ name, count }) => `${name} binds ${count} buffers`);
    assertEquals(greedy, []);
  });

  Deno.test(`${path} numbers its bindings in order, in one group`, () => {
    const bindings = bindingsOf(source);
    assertEquals(bindings, bindings.map((_, i) => `0.${i}`));
  });

  Deno.test(`${path} gives every variable of a function its first value`, () => {
    // naga zeroes `var x: T;` once, not each time a loop comes past it.
    const bare = [...source.matchAll(/^\s+var (\w+)\s*:[^=;]*;/gm)]
      .map(([, name]) => name);
    assertEquals(bare, []);
  });
}

for (const path of [...shared, ...kernels]) {
  Deno.test(`${path} divides by no constant that may be zero`, () => {
    // WGSL refuses that, even where nobody divides; naga does not notice.
    const code = read(path).replace(/\/\/.*$/gm, "");
    const zeros = [...code.matchAll(/^const (\w+): u32 = 0u;/gm)]
      .map(([, name]) => name);
    const divisors = [...code.matchAll(/[/%] (\w+)/g)].map(([, name]) => name);
    assertEquals(divisors.filter((name) => zeros.includes(name)), []);
  });
}

Deno.test("products finish a tile's parts in a loop, as stores compile slowly", () => {
  const { source, values } = settle(read("kernels/matmul_subgroup.wgsl"), {
    TILE_M: 32,
    PART: 8,
    PARTED: true,
  });
  const calls = unroll(source, values).match(/(?<!fn )\bfinish_rows\(/g);
  assertEquals(calls?.length, 1);
});
