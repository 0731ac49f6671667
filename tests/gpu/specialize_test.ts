import { assertEquals, assertThrows } from "@std/assert";
import { evaluate } from "../../lib/gpu/expression.ts";
import { outline, reachable } from "../../lib/gpu/reach.ts";
import { settle } from "../../lib/gpu/specialize.ts";
import { unroll } from "../../lib/gpu/unroll.ts";
import { reflect } from "../../lib/gpu/wgsl.ts";

const none: ReadonlyMap<string, number> = new Map();

/** WGSL on one line, so that only what it says is compared. */
function squeeze(source: string): string {
  return source.replace(/\s+/g, " ").trim();
}

function unrolled(source: string, constants = {}): string {
  const { source: settled, values } = settle(source, constants);
  return squeeze(unroll(settled, values));
}

for (
  const [expression, value] of [
    ["7u", 7],
    ["12i", 12],
    ["2 + 3 * 4", 14],
    ["(2u + 3u) * 4u", 20],
    ["20u - 4u - 6u", 10],
    ["7u / 2u * 2u", 6],
    ["17u % 5u", 2],
    ["(TILE + BLOCK - 1u) / BLOCK", 3],
    ["((TILE))", 10],
    ["", null],
    ["x", null],
    ["u32(4)", null],
    ["1.5", null],
    ["0x10u", null],
    ["4u +", null],
    ["(4u", null],
    ["4u)", null],
    ["4u 4u", null],
    ["1u / 0u", null],
    ["1u << 3u", null],
    ["params.rows", null],
  ] as const
) {
  Deno.test(`"${expression}" is worth ${value}`, () => {
    const values = new Map([["TILE", 10], ["BLOCK", 4]]);
    assertEquals(evaluate(expression, values), value);
  });
}

Deno.test("settle() makes constants of overrides, with the values asked for", () => {
  const { source, values } = settle(
    `override TILE: u32 = 8u;
     const STEP: i32 = 2i;
     const HALF = 0.5;
     override MASKED: bool = false;
     const ROWS: u32 = TILE * 2u;`,
    { TILE: 16, STEP: -3, HALF: 0.25, MASKED: true },
  );
  assertEquals(
    squeeze(source),
    "const TILE: u32 = 16u; const STEP: i32 = -3i; const HALF = f32(0.25); " +
      "const MASKED: bool = true; const ROWS: u32 = TILE * 2u;",
  );
  assertEquals([...values], [["TILE", 16], ["MASKED", 1], ["ROWS", 32]]);
});

Deno.test("settle() keeps initial values where none is asked for", () => {
  const { source, values } = settle("override A: u32 = 3u;\nconst B = A + 1u;");
  assertEquals(squeeze(source), "const A: u32 = 3u; const B = A + 1u;");
  assertEquals([...values], [["A", 3], ["B", 4]]);
});

Deno.test("settle() follows a value into the constants after it", () => {
  const { values } = settle(
    "const A: u32 = 3u;\nconst B: u32 = A * A;\nconst C: u32 = B - A;",
    { A: 5 },
  );
  assertEquals([...values], [["A", 5], ["B", 25], ["C", 20]]);
});

Deno.test("settle() refuses constants the source does not declare, by name", () => {
  assertThrows(
    () => settle("const A: u32 = 1u;", { A: 2, TILE: 3, BLOCK: 4 }),
    TypeError,
    "Cannot set TILE, BLOCK: the source declares no such constant",
  );
  assertThrows(
    () => settle("// const B: u32 = 1u;", { B: 2 }),
    TypeError,
    "Cannot set B",
  );
});

Deno.test("settle() drops comments, whatever they hold", () => {
  const { source, values } = settle(
    "const A: u32 = 2u; // } } const B: u32 = 1u;\n// for (;;) {\nfn f() {}",
  );
  assertEquals(squeeze(source), "const A: u32 = 2u; fn f() {}");
  assertEquals([...values.keys()], ["A"]);
});

Deno.test("settle() adds up workgroup memory, by the values asked for", () => {
  const source = `
    alias Value = vec4f;
    const TILE: u32 = 8u;
    var<workgroup> left: array<vec4f, TILE * TILE>;
    var<workgroup> right: array<Value, TILE>;
    var<workgroup> scores: array<f32, TILE + 1u>;
    var<workgroup> total: u32;`;
  assertEquals(settle(source).workgroupBytes, 16 * 64 + 16 * 8 + 4 * 9 + 4);
  assertEquals(
    settle(source, { TILE: 16 }).workgroupBytes,
    16 * 256 + 16 * 16 + 4 * 17 + 4,
  );
  assertEquals(settle("const A: u32 = 1u;").workgroupBytes, 0);
  const nested = `const N: u32 = 3u;
    alias Row = array<vec4f, N + 1u>;
    var<workgroup> rows: array<Row, 2u * N>;
    var<workgroup> counts: array<array<atomic<u32>, N>, 4>;`;
  assertEquals(settle(nested).workgroupBytes, 16 * 4 * 6 + 4 * 3 * 4);
});

Deno.test("settle() refuses workgroup memory whose size it cannot tell", () => {
  for (
    const type of [
      "array<f32, u32(3)>",
      "array<Pair, 4>",
      "Pair",
      "array<vec4<f32>, 4>",
      "array<array<f32, u32(3)>, 4>",
    ]
  ) {
    assertThrows(
      () => settle(`var<workgroup> pairs: ${type};`),
      TypeError,
      "Cannot size the workgroup variable pairs",
    );
  }
});

Deno.test("unroll() writes each trip of a loop", () => {
  assertEquals(
    unrolled("for (var i = 0u; i < 3u; i++) { y[i] = ii + i; }"),
    "{ y[0u] = ii + 0u; } { y[1u] = ii + 1u; } { y[2u] = ii + 2u; }",
  );
});

Deno.test("unroll() heeds the start, the step and constants", () => {
  assertEquals(
    unrolled(
      "const N: u32 = 4u;\nfor (var k = 1u; k < 2u * N; k += N - 1u) { f(k); }",
      { N: 5 },
    ),
    "const N: u32 = 5u; { f(1u); } { f(5u); } { f(9u); }",
  );
  assertEquals(
    unrolled("for (var i = 0i; i < 2i; i += 1i) { f(i); }"),
    "{ f(0i); } { f(1i); }",
  );
});

Deno.test("unroll() drops a loop that makes no trip", () => {
  assertEquals(
    unrolled("a(); for (var i = 4u; i < 4u; i++) { b(i); } c();"),
    "a(); c();",
  );
});

Deno.test("unroll() goes into nested loops, whose bounds may be outer indices", () => {
  assertEquals(
    unrolled(
      "for (var i = 0u; i < 3u; i++) { for (var j = i; j < 2u; j++) { f(i, j); } }",
    ),
    "{ { f(0u, 0u); } { f(0u, 1u); } } { { f(1u, 1u); } } { }",
  );
});

Deno.test("unroll() leaves loops of unknown length, and unrolls those inside", () => {
  assertEquals(
    unrolled(
      "for (var t = 0u; t < params.steps; t++) { for (var i = 0u; i < 2u; i++) { f(t, i); } }",
    ),
    "for (var t = 0u; t < params.steps; t++) { { f(t, 0u); } { f(t, 1u); } }",
  );
  for (
    const kept of [
      "for (var i = start; i < 4u; i++) { f(i); }",
      "for (var i = 0u; i < 4u; i += step) { f(i); }",
      "for (var i = 0u; i < 65u; i++) { f(i); }",
      "for (var i = 0u; i <= 3u; i++) { f(i); }",
      "for (var i = 4u; i > 0u; i--) { f(i); }",
      "for (var half = 8u; half > 0u; half /= 2u) { f(half); }",
      "for (var i = 0u; i < 4u; i += 0u) { f(i); }",
      "while i < 4u { f(i); }",
    ]
  ) assertEquals(unrolled(kept), kept);
});

Deno.test("unroll() stops at 64 trips, not before", () => {
  const trips = unrolled("for (var i = 0u; i < 64u; i++) { f(i); }");
  assertEquals(trips.match(/f\(/g)?.length, 64);
  const steps = unrolled("for (var i = 0u; i < 512u; i += 8u) { f(i); }");
  assertEquals(steps.match(/f\(/g)?.length, 64);
});

Deno.test("unroll() leaves loops that are left early", () => {
  for (const word of ["break", "continue"]) {
    const kept = `for (var i = 0u; i < 4u; i++) { if x[i] { ${word}; } f(i); }`;
    assertEquals(unrolled(kept), kept);
  }
});

Deno.test("unroll() keeps the declarations of each trip apart", () => {
  assertEquals(
    unrolled("for (var i = 0u; i < 2u; i++) { let v = x[i]; y[i] = v; }"),
    "{ let v = x[0u]; y[0u] = v; } { let v = x[1u]; y[1u] = v; }",
  );
});

Deno.test("unroll() is not led astray by braces in comments", () => {
  assertEquals(
    unrolled(
      "for (var i = 0u; i < 2u; i++) { // {{ of the loop\n f(i); // }\n }\nfn g() {}",
    ),
    "{ f(0u); } { f(1u); } fn g() {}",
  );
});

const flags = "const ON: bool = true;\nconst OFF: bool = false;\n";

for (
  const [written, left] of [
    ["if ON { f(); } g();", "{ f(); } g();"],
    ["if OFF { f(); } g();", "g();"],
    ["if !OFF { f(); } else { g(); }", "{ f(); }"],
    ["if OFF { f(); } else { g(); } h();", "{ g(); } h();"],
    [
      "if OFF { f(); } else if x { g(); } else { h(); }",
      "if x { g(); } else { h(); }",
    ],
    ["if ON { f(); } else if x { g(); } else { h(); } i();", "{ f(); } i();"],
    [
      "if x { f(); } else if OFF { g(); } else { h(); }",
      "if x { f(); } else { h(); }",
    ],
    ["if x { if OFF { f(); } g(); }", "if x { g(); }"],
    ["if OFF && x { f(); } if ON || x { g(); }", "{ g(); }"],
    ["if ON && x { f(); }", "if ON && x { f(); }"],
    ["if OFF && (x || y) { f(); }", "if OFF && (x || y) { f(); }"],
    ["if ON { return 1u; } return 2u;", "if ON { return 1u; } return 2u;"],
    ["if OFF { return 1u; } return 2u;", "return 2u;"],
    ["if OTHER { f(); }", "if OTHER { f(); }"],
  ]
) {
  Deno.test(`unroll() makes "${left}" of "${written}"`, () => {
    assertEquals(unrolled(flags + written), squeeze(flags + left));
  });
}

Deno.test("unroll() computes arguments that are whole numbers", () => {
  const given = "const N: u32 = 4u; ";
  for (
    const [written, left] of [
      ["x[2u * N + 1u] = y[N];", "x[9u] = y[N];"],
      ["f(x[(1u + N) / 2u], (1u + N) % 2u);", "f(x[2u], 1u);"],
      ["x[i * N + 1u] = y[1u - N];", "x[i * N + 1u] = y[1u - N];"],
      ["f(x, 2 * 3, 1.0 + 2.0, 2i * 3i);", "f(x, 2 * 3, 1.0 + 2.0, 2i * 3i);"],
    ]
  ) assertEquals(unrolled(given + written), given + left);
});

Deno.test("unroll() refuses a loop that is never closed", () => {
  assertThrows(
    () => unroll("for (var i = 0u; i < 2u; i++) { f(i);", none),
    SyntaxError,
    "a loop is never closed",
  );
});

const SHARED = `
struct Params { size: u32 }
@group(0) @binding(0) var<uniform> params: Params;
fn far(x: f32) -> f32 { if x > 0.0 { return near(x); } return x; }
fn near(x: f32) -> f32 { return 2.0 * x; }
fn nearby(x: f32) -> f32 { return near(x); }
@compute @workgroup_size(64, 1)
fn forward(@builtin(global_invocation_id) id: vec3u) { y[id.x] = far(y[id.x]); }
@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) id: vec3u) { y[id.x] = nearby(1.0); }
`;

Deno.test("reachable() leaves out what an entry point does not call", () => {
  const names = (entry: string) =>
    [...reachable(SHARED, entry).matchAll(/fn (\w+)/g)].map(([, name]) => name);
  assertEquals(names("forward"), ["far", "near", "forward"]);
  assertEquals(names("backward"), ["near", "nearby", "backward"]);
});

Deno.test("reachable() takes attributes along and leaves the rest", () => {
  const [declared] = SHARED.split("fn far");
  assertEquals(
    squeeze(
      reachable(
        `${declared}${SHARED.slice(SHARED.indexOf("@compute"))}`,
        "backward",
      ),
    ),
    squeeze(`${declared}${SHARED.slice(SHARED.lastIndexOf("@compute"))}`),
  );
});

Deno.test("reachable() finds its way through functions that call each other", () => {
  const source = "fn a() { b(); } fn b() { a(); } fn c() { c(); }";
  assertEquals(
    squeeze(reachable(source, "a")),
    "fn a() { b(); } fn b() { a(); }",
  );
});

Deno.test("outline() names what each entry point reaches, no member or type", () => {
  const source = `
struct Params { size: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var x_image: texture_storage_2d<rgba32float, read>;
fn twice(v: f32) -> f32 { return 2.0 * v * f32(params.size); }
fn texel(i: u32) -> vec4f { return textureLoad(x_image, vec2u(i, 0u)); }
@compute @workgroup_size(64) fn a(@builtin(global_invocation_id) id: vec3u) {
  if id.y > 0u { return; }
  twice(x[id.x]);
}
@compute @workgroup_size(8, 4)
fn b(@builtin(global_invocation_id) id: vec3u) { y[id.x] = texel(id.x).x; }
`;
  const entries = reflect(source);
  assertEquals(
    [...entries.values()].map(({ name, storage, uniform, workgroupSize }) => [
      name,
      storage.map(({ name }) => name),
      uniform?.size ?? null,
      workgroupSize,
    ]),
    [
      ["a", ["x"], 4, [64, 1, 1]],
      ["b", ["y", "x_image"], null, [8, 4, 1]],
    ],
  );
  assertEquals(outline(source).includes("twice"), false);
});

Deno.test("a local of a binding's name asks for no binding", () => {
  const source = `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn a() { let x = 1.0; y[0] = x; }
`;
  const { storage } = reflect(source).get("a")!;
  assertEquals(storage.map(({ name }) => name), ["y"]);
});

Deno.test("reachable() refuses a function that is never closed", () => {
  assertThrows(
    () => reachable("fn a() { if x { b(); }", "a"),
    SyntaxError,
    "the body of a is never closed",
  );
});
