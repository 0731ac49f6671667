// Softmax and its logarithm over the last axis, a workgroup per row.
//
//   forward        y = e^(x - top) / sum(e^(x - top)),  top = max(x)
//   backward       dx = y (dy - sum(dy y))
//   log_forward    y = x - top - ln sum(e^(x - top))
//   log_backward   dx = dy - e^y sum(dy)
//
// The including source says whether a `Value` is one column or four.

const BLOCK: u32 = 64u;

struct Params {
  rows: u32,
  cols: u32, // in values
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Value>; //          [rows, cols]
@group(0) @binding(2) var<storage, read_write> y: array<Value>; //    [rows, cols]
@group(0) @binding(3) var<storage, read> y_kept: array<Value>; //     [rows, cols]
@group(0) @binding(4) var<storage, read> dy: array<Value>; //         [rows, cols]
@group(0) @binding(5) var<storage, read_write> dx: array<Value>; //   [rows, cols]

fn row_top(start: u32, thread: u32) -> f32 {
  var top = highest(x[start]);
  for (var c = thread; c < params.cols; c += BLOCK) {
    top = max(top, highest(x[start + c]));
  }
  return row_max(top, thread);
}

fn row_exp_sum(start: u32, top: f32, thread: u32) -> f32 {
  var sum = Value();
  for (var c = thread; c < params.cols; c += BLOCK) {
    sum += exp(x[start + c] - top);
  }
  return row_sum(across(sum), thread);
}

@compute @workgroup_size(BLOCK)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = flat_group(group, groups);
  if row >= params.rows { return; }
  let start = row * params.cols;
  let top = row_top(start, thread);
  let sum = row_exp_sum(start, top, thread);
  for (var c = thread; c < params.cols; c += BLOCK) {
    y[start + c] = exp(x[start + c] - top) / sum;
  }
}

@compute @workgroup_size(BLOCK)
fn backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = flat_group(group, groups);
  if row >= params.rows { return; }
  let start = row * params.cols;
  var products = Value();
  for (var c = thread; c < params.cols; c += BLOCK) {
    products += dy[start + c] * y_kept[start + c];
  }
  let sum = row_sum(across(products), thread);
  for (var c = thread; c < params.cols; c += BLOCK) {
    dx[start + c] = y_kept[start + c] * (dy[start + c] - sum);
  }
}

@compute @workgroup_size(BLOCK)
fn log_forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = flat_group(group, groups);
  if row >= params.rows { return; }
  let start = row * params.cols;
  let top = row_top(start, thread);
  let log_sum = log(row_exp_sum(start, top, thread));
  for (var c = thread; c < params.cols; c += BLOCK) {
    y[start + c] = (x[start + c] - top) - log_sum;
  }
}

@compute @workgroup_size(BLOCK)
fn log_backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = flat_group(group, groups);
  if row >= params.rows { return; }
  let start = row * params.cols;
  var total = Value();
  for (var c = thread; c < params.cols; c += BLOCK) {
    total += dy[start + c];
  }
  let sum = row_sum(across(total), thread);
  for (var c = thread; c < params.cols; c += BLOCK) {
    dx[start + c] = dy[start + c] - exp(y_kept[start + c]) * sum;
  }
}
