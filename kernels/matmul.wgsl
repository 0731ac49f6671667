// Matrix product c = op(a) op(b) (+ bias) (+ c), for adapters with fast workgroup
// memory.
//
//   product   c[i, j] = sum over k of op(a)[i, k] * op(b)[k, j]
//             a workgroup per TILE_M x TILE_N tile of c
//
// The workgroup walks the shared axis TILE_K at a time, staging that much of
// both operands in workgroup memory, k outermost whatever way they are stored.
// A thread owns REPEAT_M x REPEAT_N blocks of 4 x 4 elements in registers. Rows
// are stored in vectors of four, so a row length that is no multiple of four
// must arrive padded.

const TILE_M: u32 = 32u;
const TILE_N: u32 = 32u;
const TILE_K: u32 = 8u;
const REPEAT_M: u32 = 1u;
const REPEAT_N: u32 = 1u;
const TRANSPOSE_A: bool = false; // a is stored [depth, rows]
const TRANSPOSE_B: bool = false; // b is stored [cols, depth]
const BIAS: bool = false;
const ACCUMULATE: bool = false;

const THREADS_M: u32 = TILE_M / 4u / REPEAT_M;
const THREADS_N: u32 = TILE_N / 4u / REPEAT_N;
const THREADS: u32 = THREADS_M * THREADS_N;
const WIDE_M: u32 = TILE_M / 4u; // vectors along each side of the tile
const WIDE_N: u32 = TILE_N / 4u;
const WIDE_K: u32 = TILE_K / 4u;

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
  first: u32, // the first matrix of this run
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4f>; //        [batch, rows, depth]
@group(0) @binding(2) var<storage, read> b: array<vec4f>; //        [batch, depth, cols]
@group(0) @binding(3) var<storage, read> bias: array<vec4f>; //     [cols]
@group(0) @binding(4) var<storage, read_write> c: array<vec4f>; //  [batch, rows, cols]

var<workgroup> tile_a: array<vec4f, TILE_K * WIDE_M>; // [k][m / 4]
var<workgroup> tile_b: array<vec4f, TILE_K * WIDE_N>; // [k][n / 4]

/// A vector of a stored row, or zeros past the end of the shared axis.
fn load_a(at: u32, k: u32) -> vec4f {
  return select(vec4f(), a[at], k < params.depth);
}

fn load_b(at: u32, k: u32) -> vec4f {
  return select(vec4f(), b[at], k < params.depth);
}

fn stage_a(start: u32, row: u32, k: u32, thread: u32) {
  if TRANSPOSE_A {
    for (var e = thread; e < TILE_K * WIDE_M; e += THREADS) {
      let p = k + e / WIDE_M;
      tile_a[e] = load_a(start + p * params.row_a + row / 4u + e % WIDE_M, p);
    }
  } else {
    // Four vectors along k of four rows become four vectors along m.
    for (var e = thread; e < WIDE_K * WIDE_M; e += THREADS) {
      let p = e % WIDE_K;
      let m = e / WIDE_K;
      let at = start + (row + 4u * m) * params.row_a + k / 4u + p;
      let r0 = load_a(at, k + 4u * p);
      let r1 = load_a(at + params.row_a, k + 4u * p);
      let r2 = load_a(at + 2u * params.row_a, k + 4u * p);
      let r3 = load_a(at + 3u * params.row_a, k + 4u * p);
      let to = 4u * p * WIDE_M + m;
      tile_a[to] = vec4f(r0.x, r1.x, r2.x, r3.x);
      tile_a[to + WIDE_M] = vec4f(r0.y, r1.y, r2.y, r3.y);
      tile_a[to + 2u * WIDE_M] = vec4f(r0.z, r1.z, r2.z, r3.z);
      tile_a[to + 3u * WIDE_M] = vec4f(r0.w, r1.w, r2.w, r3.w);
    }
  }
}

fn stage_b(start: u32, col: u32, k: u32, thread: u32) {
  if TRANSPOSE_B {
    for (var e = thread; e < WIDE_K * WIDE_N; e += THREADS) {
      let p = e % WIDE_K;
      let n = e / WIDE_K;
      let at = start + (col + 4u * n) * params.row_b + k / 4u + p;
      let r0 = load_b(at, k + 4u * p);
      let r1 = load_b(at + params.row_b, k + 4u * p);
      let r2 = load_b(at + 2u * params.row_b, k + 4u * p);
      let r3 = load_b(at + 3u * params.row_b, k + 4u * p);
      let to = 4u * p * WIDE_N + n;
      tile_b[to] = vec4f(r0.x, r1.x, r2.x, r3.x);
      tile_b[to + WIDE_N] = vec4f(r0.y, r1.y, r2.y, r3.y);
      tile_b[to + 2u * WIDE_N] = vec4f(r0.z, r1.z, r2.z, r3.z);
      tile_b[to + 3u * WIDE_N] = vec4f(r0.w, r1.w, r2.w, r3.w);
    }
  } else {
    for (var e = thread; e < TILE_K * WIDE_N; e += THREADS) {
      let p = k + e / WIDE_N;
      tile_b[e] = load_b(start + p * params.row_b + col / 4u + e % WIDE_N, p);
    }
  }
}

@compute @workgroup_size(THREADS)
fn product(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let row = group.y * TILE_M;
  let col = group.x * TILE_N;
  let m = thread / THREADS_N;
  let n = thread % THREADS_N;
  var sums = array<vec4f, 4u * REPEAT_M * REPEAT_N>();

  for (var k = 0u; k < params.depth; k += TILE_K) {
    stage_a((params.first + group.z) * params.matrix_a, row, k, thread);
    stage_b((params.first + group.z) * params.matrix_b, col, k, thread);
    workgroupBarrier();
    for (var p = 0u; p < TILE_K; p++) {
      for (var i = 0u; i < REPEAT_M; i++) {
        let x = tile_a[p * WIDE_M + i * THREADS_M + m];
        for (var j = 0u; j < REPEAT_N; j++) {
          let y = tile_b[p * WIDE_N + j * THREADS_N + n];
          sums[(i * REPEAT_N + j) * 4u] = fma(vec4f(x.x), y, sums[(i * REPEAT_N + j) * 4u]);
          sums[(i * REPEAT_N + j) * 4u + 1u] = fma(vec4f(x.y), y, sums[(i * REPEAT_N + j) * 4u + 1u]);
          sums[(i * REPEAT_N + j) * 4u + 2u] = fma(vec4f(x.z), y, sums[(i * REPEAT_N + j) * 4u + 2u]);
          sums[(i * REPEAT_N + j) * 4u + 3u] = fma(vec4f(x.w), y, sums[(i * REPEAT_N + j) * 4u + 3u]);
        }
      }
    }
    workgroupBarrier();
  }

  for (var i = 0u; i < REPEAT_M; i++) {
    for (var j = 0u; j < REPEAT_N; j++) {
      let v = col / 4u + j * THREADS_N + n;
      for (var r = 0u; r < 4u; r++) {
        let to = row + 4u * (i * THREADS_M + m) + r;
        if to < params.rows && 4u * v < params.cols {
          let at = (params.first + group.z) * params.matrix_c + to * params.row_c + v;
          var sum = sums[(i * REPEAT_N + j) * 4u + r];
          if BIAS { sum += bias[v]; }
          if ACCUMULATE { sum += c[at]; }
          c[at] = sum;
        }
      }
    }
  }
}
