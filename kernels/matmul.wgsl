// Matrix product op(a) op(b) for adapters with fast workgroup memory.
//
//   product   c[i, j] = sum over k of op(a)[i, k] * op(b)[k, j], then `finish`
//             a workgroup per TILE_M x TILE_N tile of c, of one matrix of a batch or one part of k
//   combine   c[i, j] = sum over parts of a[part, i, j], then `finish`, a thread per four columns
//
// The workgroup walks the shared axis TILE_K at a time, staging that much of
// both operands in workgroup memory, k outermost whatever way they are stored.
// What comes next is fetched to registers while the threads multiply, and there
// are two stages, so that one barrier a step is enough. A thread owns
// REPEAT_M x REPEAT_N blocks of 4 x 4 elements in registers. Staged rows are one
// vector longer than the tile: neighbours that write a block then meet different
// banks. Rows are stored in vectors of four, so a row length that is no multiple
// of four must arrive padded.

const TILE_M: u32 = 32u;
const TILE_N: u32 = 32u;
const TILE_K: u32 = 8u;
const REPEAT_M: u32 = 1u;
const REPEAT_N: u32 = 1u;
const TRANSPOSE_A: bool = false; // a is stored [depth, rows], else [rows, depth]
const TRANSPOSE_B: bool = false; // b is stored [cols, depth], else [depth, cols]
const BLOCK: u32 = 64u; // threads that combine

const WIDE_M: u32 = TILE_M / 4u; // blocks along each side of the tile
const WIDE_N: u32 = TILE_N / 4u;
const WIDE_K: u32 = TILE_K / 4u;
const THREADS_M: u32 = WIDE_M / REPEAT_M;
const THREADS_N: u32 = WIDE_N / REPEAT_N;
const THREADS: u32 = THREADS_M * THREADS_N;
const BRING_A: u32 = WIDE_K * WIDE_M; // threads that fetch a, the first; those that fetch b are the last
const BRING_B: u32 = WIDE_K * WIDE_N;
const STAGE_A: u32 = TILE_K * (WIDE_M + 1u);
const STAGE_B: u32 = TILE_K * (WIDE_N + 1u);

struct Params {
  rows: u32,
  cols: u32,
  depth: u32,
  row_a: u32, // vectors from one stored row of a to the next
  row_b: u32,
  row_c: u32,
  matrix_a: u32, // vectors from one matrix of a batch to the next
  matrix_b: u32,
  matrix_c: u32,
  start_a: u32, // vectors before the first
  start_b: u32,
  start_c: u32,
  first: u32, // the first matrix of this run
  parts: u32, // of the shared axis, each with a matrix in c
  part_depth: u32, // how much of the shared axis a part takes
  biased: u32, // whether to add the bias
}

@group(0) @binding(0) var<uniform> params: Params;

var<workgroup> tile_a: array<vec4f, 2u * STAGE_A>; // [stage][k][m / 4]
var<workgroup> tile_b: array<vec4f, 2u * STAGE_B>; // [stage][k][n / 4]

/// The block of op(a) at k and row, k outermost; zeros past the shared axis.
fn fetch_a(start: u32, row: u32, k: u32) -> mat4x4f {
  if TRANSPOSE_A {
    let at = start + k * params.row_a + row / 4u;
    return mat4x4f(
      select(vec4f(), load_a(at), k < params.depth),
      select(vec4f(), load_a(at + params.row_a), k + 1u < params.depth),
      select(vec4f(), load_a(at + 2u * params.row_a), k + 2u < params.depth),
      select(vec4f(), load_a(at + 3u * params.row_a), k + 3u < params.depth),
    );
  }
  if k >= params.depth { return mat4x4f(); }
  let at = start + row * params.row_a + k / 4u;
  return transpose(
    mat4x4f(load_a(at), load_a(at + params.row_a), load_a(at + 2u * params.row_a), load_a(at + 3u * params.row_a)),
  );
}

fn fetch_b(start: u32, col: u32, k: u32) -> mat4x4f {
  if TRANSPOSE_B {
    if k >= params.depth { return mat4x4f(); }
    let at = start + col * params.row_b + k / 4u;
    return transpose(
      mat4x4f(load_b(at), load_b(at + params.row_b), load_b(at + 2u * params.row_b), load_b(at + 3u * params.row_b)),
    );
  }
  let at = start + k * params.row_b + col / 4u;
  return mat4x4f(
    select(vec4f(), load_b(at), k < params.depth),
    select(vec4f(), load_b(at + params.row_b), k + 1u < params.depth),
    select(vec4f(), load_b(at + 2u * params.row_b), k + 2u < params.depth),
    select(vec4f(), load_b(at + 3u * params.row_b), k + 3u < params.depth),
  );
}

/// The block of a staged tile that a thread brings, as (k / 4, m / 4): of its
/// neighbours, the one next to it in memory.
fn place_a(thread: u32) -> vec2u {
  if TRANSPOSE_A { return vec2u(thread / WIDE_M, thread % WIDE_M); }
  return vec2u(thread % WIDE_K, thread / WIDE_K);
}

fn place_b(thread: u32) -> vec2u {
  if TRANSPOSE_B { return vec2u(thread % WIDE_K, thread / WIDE_K); }
  return vec2u(thread / WIDE_N, thread % WIDE_N);
}

@compute @workgroup_size(THREADS)
fn product(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let row = group.y * TILE_M;
  let col = group.x * TILE_N;
  let m = thread / THREADS_N;
  let n = thread % THREADS_N;
  let matrix = params.first + group.z / params.parts;
  let start_a = params.start_a + matrix * params.matrix_a;
  let start_b = params.start_b + matrix * params.matrix_b;
  let first_k = group.z % params.parts * params.part_depth;
  let end_k = min(params.depth, first_k + params.part_depth);
  let brings_a = thread < BRING_A;
  let brings_b = thread >= THREADS - BRING_B;
  let at_a = place_a(thread);
  let at_b = place_b(thread - (THREADS - BRING_B));
  var next_a = mat4x4f();
  var next_b = mat4x4f();
  if brings_a { next_a = fetch_a(start_a, row + 4u * at_a.y, first_k + 4u * at_a.x); }
  if brings_b { next_b = fetch_b(start_b, col + 4u * at_b.y, first_k + 4u * at_b.x); }
  var sums = array<vec4f, 4u * REPEAT_M * REPEAT_N>();
  var stage = 0u;

  for (var k = first_k; k < end_k; k += TILE_K) {
    for (var i = 0u; i < 4u; i++) {
      if brings_a { tile_a[stage * STAGE_A + (4u * at_a.x + i) * (WIDE_M + 1u) + at_a.y] = next_a[i]; }
      if brings_b { tile_b[stage * STAGE_B + (4u * at_b.x + i) * (WIDE_N + 1u) + at_b.y] = next_b[i]; }
    }
    workgroupBarrier();
    let ahead = k + TILE_K;
    if brings_a && ahead < end_k { next_a = fetch_a(start_a, row + 4u * at_a.y, ahead + 4u * at_a.x); }
    if brings_b && ahead < end_k { next_b = fetch_b(start_b, col + 4u * at_b.y, ahead + 4u * at_b.x); }
    for (var p = 0u; p < TILE_K; p++) {
      var y = array<vec4f, REPEAT_N>();
      for (var j = 0u; j < REPEAT_N; j++) {
        y[j] = tile_b[stage * STAGE_B + p * (WIDE_N + 1u) + j * THREADS_N + n];
      }
      for (var i = 0u; i < REPEAT_M; i++) {
        let x = tile_a[stage * STAGE_A + p * (WIDE_M + 1u) + i * THREADS_M + m];
        for (var j = 0u; j < REPEAT_N; j++) {
          for (var r = 0u; r < 4u; r++) {
            sums[(i * REPEAT_N + j) * 4u + r] = fma(vec4f(x[r]), y[j], sums[(i * REPEAT_N + j) * 4u + r]);
          }
        }
      }
    }
    stage = 1u - stage;
  }

  let start_c = params.start_c + (params.first + group.z) * params.matrix_c;
  for (var i = 0u; i < REPEAT_M; i++) {
    for (var j = 0u; j < REPEAT_N; j++) {
      let v = col / 4u + j * THREADS_N + n;
      let shift = shift_of(v);
      for (var r = 0u; r < 4u; r++) {
        let to = row + 4u * (i * THREADS_M + m) + r;
        if to < params.rows && 4u * v < params.cols {
          finish(start_c + to * params.row_c + v, sums[(i * REPEAT_N + j) * 4u + r] + shift);
        }
      }
    }
  }
}

@compute @workgroup_size(BLOCK)
fn combine(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let v = group.x * BLOCK + thread;
  if 4u * v >= params.cols { return; }
  var sum = vec4f();
  for (var part = 0u; part < params.parts; part++) {
    sum += load_a(part * params.matrix_a + group.y * params.row_a + v);
  }
  finish(params.start_c + group.y * params.row_c + v, sum + shift_of(v));
}
