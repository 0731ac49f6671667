// Product of a single row and a matrix, as in writing a token at a time, for
// adapters whose subgroups are narrow and whose buffers are slow, such as software
// Vulkan. Every element of b is read once.
//
//   product   c[j] = sum over k of a[k] * b[k, j], then `finish`
//             a workgroup, which is one subgroup, per 4 LANES WIDE columns
//
// Each lane loads a vector of a, LANES of them in one go; they go round, and
// the first lane gives the one that is next to all.

const LANES: u32 = 8u; // the adapter's subgroup size
const WIDE: u32 = 4u; // vectors of columns that a lane has sums for
const WHOLE: bool = false; // whether the depth is a multiple of four

struct Params {
  cols: u32,
  depth: u32,
  row_b: u32, // vectors from one stored row of b to the next, or, in blocks of columns, stored rows
  start_a: u32, // vectors before the first
  start_b: u32,
  start_c: u32,
  biased: u32, // whether to add the bias
}

@group(0) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(LANES)
fn product(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let col = group.x * LANES * WIDE + lane; // in vectors
  let cols = params.cols;
  let depth = params.depth;
  let row_b = params.row_b;
  let start_a = params.start_a + lane;
  let start_b = params.start_b + col;
  let start_c = params.start_c + col;
  var sums = array<vec4f, WIDE>();
  for (var first = 0u; first < depth; first += 4u * LANES) {
    var x = load_a(start_a + first / 4u);
    let end = min(first + 4u * LANES, depth);
    for (var k = first; k < end; k += 4u) {
      let four = subgroupBroadcast(x, 0u);
      for (var p = 0u; p < 4u; p++) {
        for (var j = 0u; j < WIDE; j++) {
          let y = read_b(k + p, row_b, start_b + j * LANES);
          sums[j] += four[p] * select(vec4f(), y, WHOLE || k + p < depth);
        }
      }
      x = subgroupShuffle(x, (lane + 1u) % LANES);
    }
  }
  for (var j = 0u; j < WIDE; j++) {
    if 4u * (col + j * LANES) < cols { finish(start_c + j * LANES, sums[j] + shift_of(col + j * LANES)); }
  }
}
