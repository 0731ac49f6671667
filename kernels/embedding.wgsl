// Rows of a table, looked up by id.
//
//   forward   y[i] = table[ids[i]]                          a thread per value of y
//   backward  dtable[id] += sum of dy[i] where ids[i] = id   a thread per column
//
// Each backward thread owns one column and walks the ids in order, so sums are
// deterministic without atomics; `dtable` arrives zeroed, and many ids come in
// several runs. An id outside the table gives a row that is not a number.
// The including source says whether a `Value` is one column or four.

const BLOCK: u32 = 64u;

struct Params {
  rows: u32, // of the table
  cols: u32, // in values
  first: u32, // the ids of this run, from the first up to the end
  end: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read> table: array<Value>; //           [rows, cols]
@group(0) @binding(3) var<storage, read_write> y: array<Value>; //         [ids, cols]
@group(0) @binding(4) var<storage, read> dy: array<Value>; //              [ids, cols]
@group(0) @binding(5) var<storage, read_write> dtable: array<Value>; //    [rows, cols]

@compute @workgroup_size(BLOCK)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = flat_group(group, groups) * BLOCK + thread;
  if at >= params.end * params.cols { return; }
  let id = ids[at / params.cols];
  if id < params.rows {
    y[at] = table[id * params.cols + at % params.cols];
  } else {
    y[at] = Value(sqrt(-1.0 - f32(id)));
  }
}

@compute @workgroup_size(BLOCK)
fn backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let c = flat_group(group, groups) * BLOCK + thread;
  if c >= params.cols { return; }
  for (var i = params.first; i < params.end; i++) {
    if ids[i] < params.rows {
      dtable[ids[i] * params.cols + c] += dy[i * params.cols + c];
    }
  }
}
