// Layer normalization over the last axis, with a learned scale and shift.
//
//   forward          y = n weight + bias,  n = (x - mean) rstd      a workgroup per row
//                    rstd = 1 / sqrt(variance + eps)
//   backward_x       dx = rstd (g - avg(g) - n avg(g n)),  g = dy weight
//                                                                   a workgroup per row
//   backward_affine  dweight[p] = sum over rows of part p of dy n   a thread per part and column
//                    dbias[p] = sum over rows of part p of dy
//
// `forward` keeps the two numbers per row, mean and rstd, that backward needs.
// The parts of `backward_affine` are summed afterwards. (Ba et al., 2016.)
// The including source says whether a `Value` is one column or four.

const BLOCK: u32 = 64u;
const BIAS: bool = true;

struct Params {
  rows: u32,
  cols: u32, // in values
  eps: f32,
  parts: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Value>; //                [rows, cols]
@group(0) @binding(2) var<storage, read> weight: array<Value>; //           [cols]
@group(0) @binding(3) var<storage, read> bias: array<Value>; //             [cols]
@group(0) @binding(4) var<storage, read_write> y: array<Value>; //          [rows, cols]
@group(0) @binding(5) var<storage, read_write> moments: array<vec2f>; //    [rows] of (mean, rstd)
@group(0) @binding(6) var<storage, read> kept: array<vec2f>; //             moments, once forward is done
@group(0) @binding(7) var<storage, read> dy: array<Value>; //               [rows, cols]
@group(0) @binding(8) var<storage, read_write> dx: array<Value>; //         [rows, cols]
@group(0) @binding(9) var<storage, read_write> dweight: array<Value>; //    [parts, cols]
@group(0) @binding(10) var<storage, read_write> dbias: array<Value>; //     [parts, cols]

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
    sum += x[start + c];
  }
  let mean = row_sum(across(sum), thread) / cols;

  var squares = Value();
  for (var c = thread; c < params.cols; c += BLOCK) {
    let d = x[start + c] - mean;
    squares += d * d;
  }
  let rstd = 1.0 / sqrt(row_sum(across(squares), thread) / cols + params.eps);

  for (var c = thread; c < params.cols; c += BLOCK) {
    var v = (x[start + c] - mean) * rstd * weight[c];
    if BIAS { v += bias[c]; }
    y[start + c] = v;
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
    let g = dy[start + c] * weight[c];
    sum_g += g;
    sum_gn += g * (x[start + c] - mean) * rstd;
  }
  let avg_g = row_sum(across(sum_g), thread) / cols;
  let avg_gn = row_sum(across(sum_gn), thread) / cols;

  for (var c = thread; c < params.cols; c += BLOCK) {
    let n = (x[start + c] - mean) * rstd;
    dx[start + c] = rstd * (dy[start + c] * weight[c] - avg_g - n * avg_gn);
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
    sum_dy_n += dy[i] * (x[i] - kept[row].x) * kept[row].y;
    sum_dy += dy[i];
  }
  dweight[id] = sum_dy_n;
  if BIAS { dbias[id] = sum_dy; }
}
