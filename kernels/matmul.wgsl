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
const OF_B: u32 = (BRING_A + BRING_B - 1u) / THREADS; // 0 where no thread fetches both

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

// Of an index that is not constant, compilers of WGSL see to it that it is within the
// array. So what is constant in the loop has axes of its own.
var<workgroup> tile_a: array<array<array<array<vec4f, WIDE_M + 1u>, 4u>, WIDE_K>, 2u>; // [stage][k / 4][k % 4][m / 4]
var<workgroup> tile_b: array<array<array<array<vec4f, WIDE_N + 1u>, 4u>, WIDE_K>, 2u>; // [stage][k / 4][k % 4][n / 4]

/// Four neighbours of four stored rows of a, `wide` vectors each, k outermost.
fn fetch_a(at: u32, wide: u32) -> mat4x4f {
  let lines = mat4x4f(load_a(at), load_a(at + wide), load_a(at + 2u * wide), load_a(at + 3u * wide));
  if TRANSPOSE_A { return lines; }
  return transpose(lines);
}

fn fetch_b(at: u32, wide: u32) -> mat4x4f {
  let lines = mat4x4f(load_b(at), load_b(at + wide), load_b(at + 2u * wide), load_b(at + 3u * wide));
  if TRANSPOSE_B { return transpose(lines); }
  return lines;
}

/// A block that begins at k, with zeros for what lies past the shared axis.
fn clipped(fetched: mat4x4f, k: u32) -> mat4x4f {
  return mat4x4f(
    select(vec4f(), fetched[0], k < params.depth),
    select(vec4f(), fetched[1], k + 1u < params.depth),
    select(vec4f(), fetched[2], k + 2u < params.depth),
    select(vec4f(), fetched[3], k + 3u < params.depth),
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
  let first_k = group.z % params.parts * params.part_depth;
  let end_k = min(params.depth, first_k + params.part_depth);
  let brings_a = thread < BRING_A;
  let brings_b = thread >= THREADS - BRING_B;
  let at_a = place_a(thread);
  let at_b = place_b(thread - (THREADS - BRING_B));
  let row_a = params.row_a;
  let row_b = params.row_b;
  let block_a = vec2u(first_k / 4u + at_a.x, row / 4u + at_a.y);
  let block_b = vec2u(first_k / 4u + at_b.x, col / 4u + at_b.y);
  var from_a = params.start_a + matrix * params.matrix_a +
    select(4u * block_a.y * row_a + block_a.x, 4u * block_a.x * row_a + block_a.y, TRANSPOSE_A);
  var from_b = params.start_b + matrix * params.matrix_b +
    select(4u * block_b.x * row_b + block_b.y, 4u * block_b.y * row_b + block_b.x, TRANSPOSE_B);
  let step_a = select(WIDE_K, TILE_K * row_a, TRANSPOSE_A);
  let step_b = select(TILE_K * row_b, WIDE_K, TRANSPOSE_B);
  var next = array<mat4x4f, OF_B + 1u>();
  if brings_a { next[0] = fetch_a(from_a, row_a); }
  if brings_b { next[OF_B] = fetch_b(from_b, row_b); }
  var sums = array<vec4f, 4u * REPEAT_M * REPEAT_N>();
  var stage = 0u;

  for (var k = first_k; k < end_k; k += TILE_K) {
    let past = k + TILE_K > params.depth;
    if brings_a {
      // Only now, behind all the products of the last step, must what was fetched be there.
      if past { next[0] = clipped(next[0], k + 4u * at_a.x); }
      for (var i = 0u; i < 4u; i++) { tile_a[stage][at_a.x][i][at_a.y] = next[0][i]; }
    }
    if brings_b {
      if past { next[OF_B] = clipped(next[OF_B], k + 4u * at_b.x); }
      for (var i = 0u; i < 4u; i++) { tile_b[stage][at_b.x][i][at_b.y] = next[OF_B][i]; }
    }
    workgroupBarrier();
    from_a += step_a;
    from_b += step_b;
    if k + TILE_K < end_k {
      if brings_a { next[0] = fetch_a(from_a, row_a); }
      if brings_b { next[OF_B] = fetch_b(from_b, row_b); }
    }
    for (var p = 0u; p < TILE_K; p++) {
      var y = array<vec4f, REPEAT_N>();
      for (var j = 0u; j < REPEAT_N; j++) {
        y[j] = tile_b[stage][p / 4u][p % 4u][j * THREADS_N + n];
      }
      for (var i = 0u; i < REPEAT_M; i++) {
        let x = tile_a[stage][p / 4u][p % 4u][i * THREADS_M + m];
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
