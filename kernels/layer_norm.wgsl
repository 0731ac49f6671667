// Layer normalization over the last axis, with a learned scale and shift.
//
//   forward          y = n weight + bias,  n = (x - mean) rstd      a workgroup per row
//                    rstd = 1 / sqrt(variance + eps)
//   backward_x       dx = rstd (g - avg(g) - n avg(g n)),  g = dy weight
//                                                                   a workgroup per row
//   backward_affine  partial_weight[p] = sum over rows of part p of dy n
//                    partial_bias[p] = sum over rows of part p of dy
//                                                                   a thread per part and column
//   sum_affine       dweight = sum over p of partial_weight[p]
//                    dbias = sum over p of partial_bias[p]          a thread per column
//
// `forward` keeps the two numbers per row, mean and rstd, that backward needs.
// Gradients are added to what is there, or replace it. (Ba et al., 2016.)
// The including source says whether a `Value` is one column or four, and how
// activations are `Stored`.

const BLOCK: u32 = 64u;
const BIAS: bool = true;
const ADD: bool = false; // dx, in backward_x
const ADD_WEIGHT: bool = false; // dweight and dbias, in sum_affine
const ADD_BIAS: bool = false;

struct Params {
  rows: u32,
  cols: u32, // in values
  eps: f32,
  parts: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Stored>; //                  [rows, cols]
@group(0) @binding(2) var<storage, read> weight: array<Value>; //              [cols]
@group(0) @binding(3) var<storage, read> bias: array<Value>; //                [cols]
@group(0) @binding(4) var<storage, read_write> y: array<Stored>; //            [rows, cols]
@group(0) @binding(5) var<storage, read_write> moments: array<vec2f>; //       [rows] of (mean, rstd)
@group(0) @binding(6) var<storage, read> kept: array<vec2f>; //                moments, once forward is done
@group(0) @binding(7) var<storage, read> dy: array<Stored>; //                 [rows, cols]
@group(0) @binding(8) var<storage, read_write> dx: array<Stored>; //           [rows, cols]
@group(0) @binding(9) var<storage, read_write> partial_weight: array<Value>; // [parts, cols]
@group(0) @binding(10) var<storage, read_write> partial_bias: array<Value>; // [parts, cols]
@group(0) @binding(11) var<storage, read_write> dweight: array<Value>; //      [cols]
@group(0) @binding(12) var<storage, read_write> dbias: array<Value>; //        [cols]

@compute @workgroup_size(BLOCK)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = flat_group(group, groups);
  if row >= params.rows { return; }
  let start = row * params.cols;
  let cols = f32(params.cols * WIDTH);

  var sum = Value();
  for (var c = thread; c < params.cols; c += BLOCK) {
    sum += Value(x[start + c]);
  }
  let mean = row_sum(across(sum), thread) / cols;

  var squares = Value();
  for (var c = thread; c < params.cols; c += BLOCK) {
    let d = Value(x[start + c]) - mean;
    squares += d * d;
  }
  let rstd = 1.0 / sqrt(row_sum(across(squares), thread) / cols + params.eps);

  for (var c = thread; c < params.cols; c += BLOCK) {
    var v = (Value(x[start + c]) - mean) * rstd * weight[c];
    if BIAS { v += bias[c]; }
    y[start + c] = Stored(v);
  }
  if thread == 0u {
    moments[row] = vec2f(mean, rstd);
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
  let cols = f32(params.cols * WIDTH);
  let mean = kept[row].x;
  let rstd = kept[row].y;

  var sum_g = Value();
  var sum_gn = Value();
  for (var c = thread; c < params.cols; c += BLOCK) {
    let g = Value(dy[start + c]) * weight[c];
    sum_g += g;
    sum_gn += g * (Value(x[start + c]) - mean) * rstd;
  }
  let avg_g = row_sum(across(sum_g), thread) / cols;
  let avg_gn = row_sum(across(sum_gn), thread) / cols;

  for (var c = thread; c < params.cols; c += BLOCK) {
    let n = (Value(x[start + c]) - mean) * rstd;
    var v = rstd * (Value(dy[start + c]) * weight[c] - avg_g - n * avg_gn);
    if ADD { v += Value(dx[start + c]); }
    dx[start + c] = Stored(v);
  }
}

@compute @workgroup_size(BLOCK)
fn backward_affine(
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

  var sum_dy_n = Value();
  var sum_dy = Value();
  for (var row = p * part; row < end; row++) {
    let i = row * params.cols + c;
    let g = Value(dy[i]);
    let of_row = kept[row];
    sum_dy_n += g * (Value(x[i]) - of_row.x) * of_row.y;
    sum_dy += g;
  }
  partial_weight[id] = sum_dy_n;
  if BIAS { partial_bias[id] = sum_dy; }
}

@compute @workgroup_size(BLOCK)
fn sum_affine(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let c = flat_group(group, groups) * BLOCK + thread;
  if c >= params.cols { return; }
  var sum_weight = Value();
  var sum_bias = Value();
  for (var p = 0u; p < params.parts; p++) {
    sum_weight += partial_weight[p * params.cols + c];
    if BIAS { sum_bias += partial_bias[p * params.cols + c]; }
  }
  if ADD_WEIGHT { sum_weight += dweight[c]; }
  dweight[c] = sum_weight;
  if BIAS {
    if ADD_BIAS { sum_bias += dbias[c]; }
    dbias[c] = sum_bias;
  }
}
