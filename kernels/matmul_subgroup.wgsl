// Matrix product op(a) op(b) for adapters whose subgroups are narrow and whose
// memory is slow, such as software Vulkan.
//
//   product   c[i, j] = sum over k of op(a)[i, k] * op(b)[k, j], then `finish`;
//             also the sums of the columns of op(b), if wanted
//             a workgroup, which is one subgroup, per TILE_M rows and 4 TILE_N LANES columns
//
// Every lane owns TILE_N vectors of four columns for each of the tile's rows, in
// registers. A step takes four values of k: the lanes load the block of op(a)
// together, HOLDERS of them different rows, and that of op(b), each its own columns;
// no workgroup memory, no barrier. Then rows go round within groups of SPIN
// neighbours. For the rows of other groups, either the columns are handed on from
// group to group, TURNS in all, which shuffles half as much with eight lanes, or,
// where TURNS is 1, the rows are. A step's own sum comes first, so that what was
// summed before is needed for one addition instead of four. Rows are stored in
// vectors of four, so a row length that is no multiple of four must arrive padded.

const LANES: u32 = 8u; // the adapter's subgroup size
const TILE_M: u32 = 32u;
const TILE_N: u32 = 1u;
const TRANSPOSE_A: bool = false; // a is stored [depth, rows], else [rows, depth]
const TRANSPOSE_B: bool = false; // b is stored [cols, depth], else [depth, cols]
const WHOLE: bool = false; // whether the depth is a multiple of four
// Rows that are finished at once, the next ones in a loop that stays one: software
// compilers take long over stores, each of which is a dozen blocks to them.
const PART: u32 = 32u;
const PARTED: bool = false; // whether a tile has more rows than that

const HOLDERS: u32 = 8u; // neighbours that hold different rows; divides LANES
const SPIN: u32 = 4u; // neighbours that hand their rows round; divides HOLDERS
const TURNS: u32 = 2u; // groups of them that hand their columns on: all or 1
const GROUPS: u32 = HOLDERS / (SPIN * TURNS); // groups whose rows a lane is handed: its own or all
const HANDED: bool = false; // whether they are all
const OWN: u32 = TILE_M / HOLDERS; // rows that a lane loads; of a transposed a, in fours

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
  let start_c = params.start_c + matrix * params.matrix_c + row * row_c;
  let holder = lane % HOLDERS;
  let place = lane % SPIN;
  var row_givers = array<u32, SPIN>(); // the lanes to take from, one after another
  for (var i = 0u; i < SPIN; i++) { row_givers[i] = row_giver(lane, i); }
  var col_givers = array<u32, TURNS>();
  for (var t = 0u; t < TURNS; t++) { col_givers[t] = col_giver(lane, t); }
  var sums = Sums(); // of `row_of(0)` and the columns of all turns, then `row_of(1)`, ...
  var sums_b = array<vec4f, TILE_N>(); // of columns, if wanted

  for (var k = 0u; k < depth; k += 4u) {
    var block_a = array<vec4f, OWN>(); // four k of each of the lane's rows
    for (var q = 0u; q < OWN; q++) {
      if TRANSPOSE_A {
        let here = k + q % 4u;
        let loaded = read_a(first_a + here, row_a, start_a + row / 4u + q / 4u * HOLDERS + holder);
        block_a[q] = select(vec4f(), loaded, WHOLE || here < depth);
      } else {
        block_a[q] = read_a(first_a + row + q * HOLDERS + holder, row_a, start_a + k / 4u);
      }
    }
    if TRANSPOSE_A {
      for (var q = 0u; q < OWN; q += 4u) {
        let turned = transpose(mat4x4f(block_a[q], block_a[q + 1u], block_a[q + 2u], block_a[q + 3u]));
        for (var p = 0u; p < 4u; p++) { block_a[q + p] = turned[p]; }
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
      var given_b = array<mat4x4f, TURNS>();
      for (var t = 0u; t < TURNS; t++) {
        for (var p = 0u; p < 4u; p++) { given_b[t][p] = subgroupShuffle(block_b[p * TILE_N + j], col_givers[t]); }
      }
      for (var i = 0u; i < SPIN; i++) {
        for (var q = 0u; q < OWN * GROUPS; q++) {
          var near = block_a[q / GROUPS];
          if HANDED { near = subgroupShuffle(near, lane - holder + q % GROUPS * SPIN + place); }
          let given_a = subgroupShuffle(near, row_givers[i]);
          for (var t = 0u; t < TURNS; t++) { sums[((q * SPIN + i) * TURNS + t) * TILE_N + j] += given_b[t] * given_a; }
        }
      }
    }
  }

  let tile = Tile(lane, group.y * LANES, cols, min(TILE_M, rows - row), start_c, row_c);
  if SUMS && group.x == 0u {
    for (var j = 0u; j < TILE_N; j++) {
      if 4u * (col + j) < cols { finish_sums(col + j, sums_b[j]); }
    }
  }
  if PARTED {
    var first = 0u;
    while first < TILE_M {
      finish_rows(&sums, first, tile);
      for (var i = 0u; i < (TILE_M - PART) * TILE_N; i++) { sums[i] = sums[i + PART * TILE_N]; }
      first += PART;
    }
  } else {
    finish_rows(&sums, 0u, tile);
  }
}

/// Where a tile of the product goes.
struct Tile {
  lane: u32,
  lanes: u32, // of the tiles before it in its rows
  cols: u32, // of the product
  rows: u32, // of the tile
  start: u32, // of its first row, in vectors
  row: u32, // vectors from one row to the next
}

/// The lane whose rows a lane has after `i` others of its group have given theirs.
fn row_giver(lane: u32, i: u32) -> u32 {
  return lane - lane % SPIN + (lane + i) % SPIN;
}

/// The lane whose columns a lane has on turn `t`.
fn col_giver(lane: u32, t: u32) -> u32 {
  return lane - lane % HOLDERS + (lane + t * SPIN) % HOLDERS;
}

/// The row of a tile that a lane meets as its row `i`.
fn row_of(i: u32, lane: u32) -> u32 {
  let own = i / (SPIN * GROUPS);
  let group = select(lane % HOLDERS / SPIN, i / SPIN % GROUPS, HANDED);
  let holder = group * SPIN + (lane + i) % SPIN;
  if TRANSPOSE_A { return 4u * (own / 4u * HOLDERS + holder) + own % 4u; }
  return own * HOLDERS + holder;
}

/// Finishes PART of a lane's TILE_M vectors of a column, from `first` on, whose sums lead `sums`.
fn finish_rows(sums: ptr<function, Sums>, first: u32, tile: Tile) {
  for (var t = 0u; t < TURNS; t++) {
    let cols = (tile.lanes + col_giver(tile.lane, t)) * TILE_N; // vectors before them
    for (var j = 0u; j < TILE_N; j++) {
      if 4u * (cols + j) < tile.cols {
        let shift = shift_of(cols + j);
        for (var i = 0u; i < PART / TURNS; i++) {
          let row = row_of(first / TURNS + i, tile.lane);
          if row < tile.rows { finish(tile.start + row * tile.row + cols + j, (*sums)[(i * TURNS + t) * TILE_N + j] + shift); }
        }
      }
    }
  }
}
