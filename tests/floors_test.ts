import { assert, assertEquals } from "@std/assert";
import {
  filesEndingIn,
  importGraph,
  read,
  specifiersIn,
} from "./source_tree.ts";

/** From the ground up: a module imports from its own floor or those below. */
const FLOORS: readonly (readonly RegExp[])[] = [
  [/^lib\/random\.ts$/],
  [/^lib\/text\//, /^lib\/data\//, /^lib\/io\//, /^kernels\//],
  [/^lib\/gpu\//],
  [/^lib\/tensor\//],
  [/^lib\/ops\//],
  [/^lib\/nn\//, /^lib\/optim\//],
  [
    /^models\//,
    /^lib\/train\//,
    /^lib\/generate\//,
    /^lib\/report\//,
  ],
  [/^mod\.ts$/],
  [/^cli\//, /^bench\//, /^runs\//],
];

/** What knows nothing of the GPU, nor of the others here. */
const INDEPENDENT = [/^lib\/text\//, /^lib\/data\//, /^lib\/io\//];

const graph = importGraph();

function floorOf(module: string): number {
  return FLOORS.findIndex((rooms) => rooms.some((room) => room.test(module)));
}

function isSource(module: string): boolean {
  return !/^(tests|types)\//.test(module);
}

/** Every import of a source module, as pairs. */
function* imports(): Generator<[from: string, to: string]> {
  for (const [from, targets] of graph) {
    if (isSource(from)) { for (const to of targets) yield [from, to]; }
  }
}

Deno.test("every module stands on a floor", () => {
  const homeless = [...graph.keys(), ...filesEndingIn(".wgsl")]
    .filter((module) => isSource(module) && floorOf(module) < 0);
  assertEquals(homeless, [], "give these a floor in tests/floors_test.ts");
});

Deno.test("imports only go down", () => {
  const upwards = [...imports()]
    .filter(([from, to]) => floorOf(to) < 0 || floorOf(to) > floorOf(from))
    .map(([from, to]) => `${from} imports ${to}`);
  assertEquals(upwards, []);
});

Deno.test("text, data and io know nothing of the GPU, nor of each other", () => {
  const mixed = [...imports()].filter(([from, to]) => {
    const room = INDEPENDENT.find((room) => room.test(from));
    return room && !room.test(to) && to !== "lib/random.ts";
  }).map(([from, to]) => `${from} imports ${to}`);
  assertEquals(mixed, []);
});

Deno.test("no module imports itself, however long the way", () => {
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (module: string, path: string[]) => {
    const at = path.indexOf(module);
    if (at >= 0) cycles.push([...path.slice(at), module].join(" -> "));
    if (at >= 0 || done.has(module)) return;
    for (const to of graph.get(module) ?? []) visit(to, [...path, module]);
    done.add(module);
  };
  for (const module of graph.keys()) visit(module, []);
  assertEquals(cycles, []);
});

Deno.test("what is imported by URL needs no import map", () => {
  const spelledOut =
    /^(\.\.?\/|node:|npm:(@[\w-]+\/)?[\w-]+@\d+\.\d+\.\d+(\/|$))/;
  const bare = [...graph.keys()]
    .filter((module) => isSource(module) && !module.startsWith("bench/"))
    .flatMap((module) =>
      specifiersIn(read(module))
        .filter((specifier) => !spelledOut.test(specifier))
        .map((specifier) => `${module} imports ${specifier}`)
    );
  assertEquals(bare, []);
});

Deno.test("every import leads to a file, and every kernel is imported", () => {
  const files = new Set(
    [".ts", ".wgsl", ".json"].flatMap((ending) => filesEndingIn(ending)),
  );
  const reached = new Set<string>();
  for (const [from, to] of imports()) {
    assert(files.has(to), `${from} imports ${to}, which is not there`);
    reached.add(to);
  }
  const dead = filesEndingIn(".wgsl").filter((kernel) => !reached.has(kernel));
  assertEquals(dead, []);
});

Deno.test("imports are found in every form, and only where they are", () => {
  const source = `
    /** import { a } from "./comment.ts"; */
    import { a, // from "./comment.ts"
      b } from "./names.ts";
    import type { C } from './type.ts';
    import "./effect.ts";
    import text from "./text.wgsl" with { type: "text" };
    export * from "./all.ts";
    export { d } from "./one.ts";
    const lazy = () => import("./lazy.ts");
    const url = "https://example.org/*", glob = '**/*.txt';
    let message = \`import "./template.ts"\`;
    let e: import("./inline.ts").E;
    const quoted = "import './string.ts'";
  `;
  assertEquals(specifiersIn(source), [
    "./names.ts",
    "./type.ts",
    "./effect.ts",
    "./text.wgsl",
    "./all.ts",
    "./one.ts",
    "./lazy.ts",
    "./inline.ts",
  ]);
});
