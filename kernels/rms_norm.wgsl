// Normalization of rows by their root mean square, with a learned scale.
//
//   forward          y = n weight,  n = x / rms,  rms = sqrt(avg(x^2) + eps)
//                                                                    a workgroup per row
//   backward_x       dx = (g - n avg(g n)) / rms,  g = dy weight     a workgroup per row
//   backward_weight  partial_weight[p] = sum over rows of part p of dy n
//                                                                    a thread per part and column
//   sum_weight       dweight = sum over p of partial_weight[p]       a thread per column
//
// `forward` keeps one number per row, 1 / rms, that backward needs. Gradients
// are added to what is there, or replace it. (Zhang and Sennrich, 2019.)
// The including source says whether a `Value` is one column or four, and how
// activations are `Stored`.

const BLOCK: u32 = 64u;
const ADD: bool = false; // dx, in backward_x; dweight, in sum_weight

struct Params {
  rows: u32,
  cols: u32, // in values
  eps: f32,
  parts: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Stored>; //                   [rows, cols]
@group(0) @binding(2) var<storage, read> weight: array<Value>; //               [cols]
@group(0) @binding(3) var<storage, read_write> y: array<Stored>; //             [rows, cols]
@group(0) @binding(4) var<storage, read_write> rrms: array<f32>; //             [rows] of 1 / rms
@group(0) @binding(5) var<storage, read> kept: array<f32>; //                   rrms, once forward is done
@group(0) @binding(6) var<storage, read> dy: array<Stored>; //                  [rows, cols]
@group(0) @binding(7) var<storage, read_write> dx: array<Stored>; //            [rows, cols]
@group(0) @binding(8) var<storage, read_write> partial_weight: array<Value>; // [parts, cols]
@group(0) @binding(9) var<storage, read_write> dweight: array<Value>; //        [cols]

@compute @workgroup_size(BLOCK)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = flat_group(group, groups);
  if row >= params.rows { return; }
  let start = row * params.cols;

  var squares = 0.0;
  for (var c = thread; c < params.cols; c += BLOCK) {
    let v = Value(x[start + c]);
    squares = plus_dot(squares, v, v);
  }
  let mean = row_sum(squares, thread) / f32(params.cols * WIDTH);
  let r = 1.0 / sqrt(mean + params.eps);

  for (var c = thread; c < params.cols; c += BLOCK) {
    y[start + c] = Stored(Value(x[start + c]) * r * weight[c]);
  }
  if thread == 0u {
    rrms[row] = r;
  }
}

@compute @workgroup_size(BLOCK)
fn backward_x(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = flat_group(group, groups);
  if row >= params.rows { return; }
  let start = row * params.cols;
  let r = kept[row];

  var sum = 0.0;
  for (var c = thread; c < params.cols; c += BLOCK) {
    sum = plus_dot(sum, Value(dy[start + c]) * weight[c], Value(x[start + c]) * r);
  }
  let avg = row_sum(sum, thread) / f32(params.cols * WIDTH);

  for (var c = thread; c < params.cols; c += BLOCK) {
    let n = Value(x[start + c]) * r;
    var v = r * (Value(dy[start + c]) * weight[c] - n * avg);
    if ADD { v += Value(dx[start + c]); }
    dx[start + c] = Stored(v);
  }
}

@compute @workgroup_size(BLOCK)
fn backward_weight(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let id = flat_group(group, groups) * BLOCK + thread;
  if id >= params.parts * params.cols { return; }
  let c = id % params.cols;
  let p = id / params.cols;
  let part = (params.rows + params.parts - 1u) / params.parts;
  let end = min((p + 1u) * part, params.rows);

  var sum = Value();
  for (var row = p * part; row < end; row++) {
    let i = row * params.cols + c;
    sum += Value(dy[i]) * Value(x[i]) * kept[row];
  }
  partial_weight[id] = sum;
}

@compute @workgroup_size(BLOCK)
fn sum_weight(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let c = flat_group(group, groups) * BLOCK + thread;
  if c >= params.cols { return; }
  var sum = Value();
  for (var p = 0u; p < params.parts; p++) {
    sum += partial_weight[p * params.cols + c];
  }
  if ADD { sum += dweight[c]; }
  dweight[c] = sum;
}
