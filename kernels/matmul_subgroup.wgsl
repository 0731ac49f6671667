// Matrix product op(a) op(b) for adapters whose subgroups are narrow and whose
// memory is slow, such as software Vulkan.
//
//   product   c[i, j] = sum over k of op(a)[i, k] * op(b)[k, j], then `finish`;
//             also the sums of the columns of op(b), if wanted
//             a workgroup, which is one subgroup, per TILE_M rows and 4 TILE_N LANES columns
//
// Every lane owns TILE_N vectors of four columns and all TILE_M rows of the
// tile, in registers. A step takes four values of k: the lanes load the block of
// op(a) together, a different vector each, and hand it round; no workgroup memory,
// no barrier. ROUND vectors go to every ROUND lanes, which then take turns with
// them, each beginning with another: that is one instruction a number, where the
// same number for all lanes is two. A step's own sum comes first, so that what was
// summed before is needed for one addition instead of four. Rows are stored in
// vectors of four, so a row length that is no multiple of four must arrive padded.

const LANES: u32 = 8u; // the adapter's subgroup size
const TILE_M: u32 = 32u;
const TILE_N: u32 = 1u;
const TRANSPOSE_A: bool = false; // a is stored [depth, rows], else [rows, depth]
const TRANSPOSE_B: bool = false; // b is stored [cols, depth], else [depth, cols]
const WHOLE: bool = false; // whether the depth is a multiple of four
// Rows that are finished at once, the next ones in a loop: software compilers take
// long over stores, each of which is a dozen blocks to them.
const PART: u32 = 32u;
const PARTED: bool = false; // whether a tile has more rows than that

const LOADS_A: u32 = (TILE_M + LANES - 1u) / LANES;
const WIDE_M: u32 = TILE_M / 4u; // vectors of the tile's rows
const ROUND: u32 = 4u; // neighbours that take turns; a divisor of WIDE_M where a is transposed

alias Sums = array<vec4f, TILE_M * TILE_N>; // of a lane's part of the tile

struct Params {
  rows: u32,
  cols: u32,
  depth: u32,
  row_a: u32, // vectors from one stored row of a to the next
  row_b: u32, // or, in blocks of columns, stored rows
  row_c: u32,
  matrix_a: u32, // vectors from one matrix of a batch to the next
  matrix_b: u32,
  matrix_c: u32,
  start_a: u32, // vectors before the first
  start_b: u32,
  start_c: u32,
  first: u32, // the first matrix of this run
  biased: u32, // whether to add the bias
}

@group(0) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(LANES)
fn product(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let row = group.x * TILE_M;
  let col = (group.y * LANES + lane) * TILE_N; // in vectors
  let matrix = params.first + group.z;
  // Software adapters gather a member of a struct for every lane at each use of
  // it, so what loops need is read before them.
  let rows = params.rows;
  let cols = params.cols;
  let depth = params.depth;
  let row_a = params.row_a;
  let row_b = params.row_b;
  let row_c = params.row_c;
  let first_a = matrix * (params.matrix_a / row_a); // stored rows before this matrix
  let first_b = matrix * (params.matrix_b / row_b);
  let start_a = params.start_a;
  let start_b = params.start_b;
  let start_c = params.start_c + matrix * params.matrix_c + row * row_c + col;
  let place = lane % ROUND;
  var givers = array<u32, ROUND>(); // the lanes to take from, one after another
  for (var i = 0u; i < ROUND; i++) { givers[i] = lane - place + (place + i) % ROUND; }
  var sums = Sums(); // of the rows row_of(0), row_of(1), ...
  var sums_b = array<vec4f, TILE_N>(); // of columns, if wanted

  for (var k = 0u; k < depth; k += 4u) {
    var block_a = array<vec4f, LOADS_A>();
    for (var q = 0u; q < LOADS_A; q++) {
      let v = q * LANES + lane;
      if TRANSPOSE_A {
        // Vector v holds rows 4 (v mod WIDE_M) .. + 3 at one k.
        let here = v / WIDE_M;
        let loaded = read_a(first_a + k + here, row_a, start_a + row / 4u + v % WIDE_M);
        block_a[q] = select(vec4f(), loaded, WHOLE || k + here < depth);
      } else {
        block_a[q] = read_a(first_a + row + v, row_a, start_a + k / 4u);
      }
    }
    var block_b = array<vec4f, 4u * TILE_N>();
    if TRANSPOSE_B {
      for (var j = 0u; j < TILE_N; j++) {
        let at = first_b + 4u * (col + j);
        let v = start_b + k / 4u;
        let b0 = read_b(at, row_b, v);
        let b1 = read_b(at + 1u, row_b, v);
        let b2 = read_b(at + 2u, row_b, v);
        let b3 = read_b(at + 3u, row_b, v);
        block_b[j] = vec4f(b0.x, b1.x, b2.x, b3.x);
        block_b[TILE_N + j] = vec4f(b0.y, b1.y, b2.y, b3.y);
        block_b[2u * TILE_N + j] = vec4f(b0.z, b1.z, b2.z, b3.z);
        block_b[3u * TILE_N + j] = vec4f(b0.w, b1.w, b2.w, b3.w);
      }
    } else {
      for (var p = 0u; p < 4u; p++) {
        for (var j = 0u; j < TILE_N; j++) {
          let loaded = read_b(first_b + k + p, row_b, start_b + col + j);
          block_b[p * TILE_N + j] = select(vec4f(), loaded, WHOLE || k + p < depth);
        }
      }
    }
    if SUMS {
      for (var j = 0u; j < TILE_N; j++) {
        sums_b[j] += block_b[j] + block_b[TILE_N + j] + block_b[2u * TILE_N + j] + block_b[3u * TILE_N + j];
      }
    }
    for (var j = 0u; j < TILE_N; j++) {
      let four = mat4x4f(block_b[j], block_b[TILE_N + j], block_b[2u * TILE_N + j], block_b[3u * TILE_N + j]);
      if TRANSPOSE_A {
        for (var v = 0u; v < WIDE_M; v += ROUND) {
          var near = mat4x4f();
          for (var p = 0u; p < 4u; p++) { near[p] = subgroupShuffle(block_a[(p * WIDE_M + v) / LANES], (p * WIDE_M + v) % LANES + place); }
          for (var i = 0u; i < ROUND; i++) {
            var x = mat4x4f();
            for (var p = 0u; p < 4u; p++) { x[p] = subgroupShuffle(near[p], givers[i]); }
            x = transpose(x);
            for (var p = 0u; p < 4u; p++) { sums[(4u * (v + i) + p) * TILE_N + j] += four * x[p]; }
          }
        }
      } else {
        for (var i = 0u; i < TILE_M; i += ROUND) {
          let near = subgroupShuffle(block_a[i / LANES], i % LANES + place);
          for (var p = 0u; p < ROUND; p++) { sums[(i + p) * TILE_N + j] += four * subgroupShuffle(near, givers[p]); }
        }
      }
    }
  }

  let tile = Tile(lane, col, cols, min(TILE_M, rows - row), start_c, row_c);
  if SUMS && group.x == 0u {
    for (var j = 0u; j < TILE_N; j++) {
      if 4u * (col + j) < cols { finish_sums(col + j, sums_b[j]); }
    }
  }
  if PARTED {
    for (var first = 0u; first < TILE_M; first += PART) {
      finish_rows(&sums, first, tile);
      for (var i = 0u; i < (TILE_M - PART) * TILE_N; i++) { sums[i] = sums[i + PART * TILE_N]; }
    }
  } else {
    finish_rows(&sums, 0u, tile);
  }
}

/// Where a tile of the product goes.
struct Tile {
  lane: u32,
  col: u32, // the lane's first, in vectors
  cols: u32, // of the product
  rows: u32, // of the tile
  start: u32, // of its first row, in vectors
  row: u32, // vectors from one row to the next
}

/// The row of a tile that a lane meets as its row `i`.
fn row_of(i: u32, lane: u32) -> u32 {
  if TRANSPOSE_A {
    let v = i / 4u;
    return 4u * (v / ROUND * ROUND + (lane + v) % ROUND) + i % 4u;
  }
  return i / ROUND * ROUND + (lane + i) % ROUND;
}

/// Finishes PART rows of a tile, from a lane's row `first` on, whose sums lead `sums`.
fn finish_rows(sums: ptr<function, Sums>, first: u32, tile: Tile) {
  for (var j = 0u; j < TILE_N; j++) {
    if 4u * (tile.col + j) < tile.cols {
      let shift = shift_of(tile.col + j);
      for (var i = 0u; i < PART; i++) {
        let row = row_of(first + i, tile.lane);
        if row < tile.rows { finish(tile.start + row * tile.row + j, (*sums)[i * TILE_N + j] + shift); }
      }
    }
  }
}
