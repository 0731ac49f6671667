// Rows of a table, looked up by id.
//
//   forward   y[i] = table[ids[i]]                          a thread per value of y
//   backward  dtable[id] += sum of dy[i] where ids[i] = id   a thread per column and part of the ids
//
// A part of the ids is those of one remainder. Each backward thread owns one
// column of its part and walks the ids in order, so sums are deterministic
// without atomics; many ids come in several runs. A table too large to bind
// comes in slices: `rows` of its rows from `base` on. An id outside the table
// gives a row that is not a number.
// The including source says whether a `Value` is one column or four, and how
// `y` is `Stored`.

const BLOCK: u32 = 64u;
const PARTS: u32 = 1u; // a power of two

struct Params {
  rows: u32, // of the slice
  cols: u32, // in values
  base: u32,
  total: u32, // rows of the whole table
  first: u32, // the ids of this run, from the first up to the end
  end: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read> ids_in_fours: array<vec4u>;
@group(0) @binding(3) var<storage, read> table: array<Value>; //           [rows, cols]
@group(0) @binding(4) var<storage, read_write> y: array<Stored>; //        [ids, cols]
@group(0) @binding(5) var<storage, read> dy: array<Stored>; //             [ids, cols]
@group(0) @binding(6) var<storage, read_write> dtable: array<Value>; //    [rows, cols]

@compute @workgroup_size(BLOCK)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = flat_group(group, groups) * BLOCK + thread;
  let cols = params.cols;
  let rows = params.rows;
  let base = params.base;
  let total = params.total;
  if at >= params.end * cols { return; }
  let i = at / cols;
  let id = ids[i];
  let row = id - base; // wraps round for the ids of an earlier slice
  if row < rows {
    y[at] = Stored(table[row * cols + at - i * cols]);
  } else if id >= total {
    y[at] = Stored(Value(sqrt(-1.0 - f32(id))));
  }
}

@compute @workgroup_size(BLOCK)
fn backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let c = group.x * BLOCK + thread;
  if c >= params.cols { return; }
  for (var i = params.first; i < params.end; i += 4u) {
    let four = ids_in_fours[i / 4u];
    for (var k = 0u; k < 4u; k++) {
      let row = four[k] - params.base;
      let mine = four[k] % PARTS == group.y;
      if mine && row < params.rows && i + k < params.end {
        dtable[row * params.cols + c] += Value(dy[(i + k) * params.cols + c]);
      }
    }
  }
}
