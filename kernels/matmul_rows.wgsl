// Product of few rows and a matrix, as in writing a token at a time. Memory is
// all that counts: every element of b is read once, by neighbours at once.
//
//   product      c[i, j] = sum over k of a[i, k] * b[k, j], then `finish`
//                a workgroup per 4 ACROSS columns, the shared axis dealt to DEEP lines of its threads
//   transposed   c[i, j] = sum over k of a[i, k] * b[j, k], then `finish`
//                a workgroup per COLS columns, the shared axis dealt to all BLOCK threads
//
// Rows are stored in vectors of four, so a row length that is no multiple of
// four must arrive padded.

const ROWS: u32 = 1u; // of a, at least as many as there are
const ACROSS: u32 = 8u;
const DEEP: u32 = 32u;
const WHOLE: bool = false; // whether the shared axis is a multiple of four long
const COLS: u32 = 4u; // columns that a thread has sums for, in `transposed`
const BLOCK: u32 = 8u;

struct Params {
  rows: u32,
  cols: u32,
  depth: u32,
  row_a: u32, // vectors from one stored row of a to the next
  row_b: u32, // or, in blocks of columns, stored rows
  row_c: u32,
  start_a: u32, // vectors before the first
  start_b: u32,
  start_c: u32,
  biased: u32, // whether to add the bias
}

@group(0) @binding(0) var<uniform> params: Params;

var<workgroup> lines: array<vec4f, DEEP * ACROSS>; // [line][across]

@compute @workgroup_size(ACROSS, DEEP)
fn product(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) thread: vec3u) {
  let col = group.x * ACROSS + thread.x; // in vectors
  let depth = params.depth;
  let row_a = params.row_a;
  let row_b = params.row_b;
  let start_a = params.start_a;
  let start_b = params.start_b;
  var sums = array<vec4f, ROWS>();
  for (var k = 4u * thread.y; k < depth; k += 4u * DEEP) {
    var x = array<vec4f, ROWS>();
    for (var r = 0u; r < ROWS; r++) {
      x[r] = load_a(start_a + r * row_a + k / 4u);
    }
    for (var p = 0u; p < 4u; p++) {
      let loaded = read_b(k + p, row_b, start_b + col);
      let y = select(vec4f(), loaded, WHOLE || k + p < depth);
      for (var r = 0u; r < ROWS; r++) { sums[r] += x[r][p] * y; }
    }
  }
  for (var r = 0u; r < ROWS; r++) {
    lines[thread.y * ACROSS + thread.x] = sums[r];
    workgroupBarrier();
    var sum = vec4f();
    for (var line = 0u; line < DEEP; line++) {
      sum += lines[line * ACROSS + thread.x];
    }
    workgroupBarrier();
    if thread.y == 0u && r < params.rows && 4u * col < params.cols {
      finish(params.start_c + r * params.row_c + col, sum + shift_of(col));
    }
  }
}

@compute @workgroup_size(BLOCK)
fn transposed(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let col = flat_group(group, groups) * COLS;
  if col >= params.cols { return; }
  let depth = params.depth;
  let row_a = params.row_a;
  let row_b = params.row_b;
  let start_a = params.start_a;
  let start_b = params.start_b;
  var sums = array<vec4f, ROWS * COLS>();
  for (var k = 0u; k < depth; k += 4u * BLOCK) {
    let v = k / 4u + thread;
    let inside = 4u * v < depth;
    var x = array<vec4f, ROWS>();
    for (var r = 0u; r < ROWS; r++) {
      x[r] = load_a(start_a + r * row_a + v);
    }
    for (var j = 0u; j < COLS; j++) {
      let y = read_b(col + j, row_b, start_b + v);
      for (var r = 0u; r < ROWS; r++) {
        sums[r * COLS + j] = select(sums[r * COLS + j], sums[r * COLS + j] + x[r] * y, inside);
      }
    }
  }
  for (var r = 0u; r < ROWS; r++) {
    for (var j = 0u; j < COLS; j += 4u) {
      let sum = vec4f(
        row_sum(dot(sums[r * COLS + j], vec4f(1.0)), thread),
        row_sum(dot(sums[r * COLS + j + 1u], vec4f(1.0)), thread),
        row_sum(dot(sums[r * COLS + j + 2u], vec4f(1.0)), thread),
        row_sum(dot(sums[r * COLS + j + 3u], vec4f(1.0)), thread),
      );
      if thread == 0u && r < params.rows && col + j < params.cols {
        finish(params.start_c + r * params.row_c + (col + j) / 4u, sum + shift_of((col + j) / 4u));
      }
    }
  }
}
