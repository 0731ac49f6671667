// Softmax and its logarithm over the last axis, a workgroup per row.
//
//   forward        y = e^(x - top) / sum(e^(x - top)),  top = max(x)
//   backward       dx = y (dy - sum(dy y))
//   log_forward    y = x - top - ln sum(e^(x - top))
//   log_backward   dx = dy - e^y sum(dy)
//
// The greatest element and the sum come from one walk over the row: what was
// summed shrinks when a greater element is met. (Milakov and Gimelshein, 2018.)
// The including source says whether a `Value` is one column or four, and how
// rows are `Stored`.

const BLOCK: u32 = 64u;
const LOWEST: f32 = -3.4e38;

struct Params {
  rows: u32,
  cols: u32, // in values
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Stored>; //          [rows, cols]
@group(0) @binding(2) var<storage, read_write> y: array<Stored>; //    [rows, cols]
@group(0) @binding(3) var<storage, read> y_kept: array<Stored>; //     [rows, cols]
@group(0) @binding(4) var<storage, read> dy: array<Stored>; //         [rows, cols]
@group(0) @binding(5) var<storage, read_write> dx: array<Stored>; //   [rows, cols]

/// The greatest element of a row, and the sum of e^(x - top).
fn row_top_and_sum(start: u32, thread: u32) -> vec2f {
  var here = LOWEST; // the greatest this thread has met
  var sum = Value();
  for (var c = thread; c < params.cols; c += BLOCK) {
    let v = Value(x[start + c]);
    let higher = max(here, highest(v));
    sum = sum * exp(here - higher) + exp(v - higher);
    here = higher;
  }
  let top = row_max(here, thread);
  return vec2f(top, row_sum(across(sum) * exp(here - top), thread));
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
  let of_row = row_top_and_sum(start, thread);
  for (var c = thread; c < params.cols; c += BLOCK) {
    y[start + c] = Stored(exp(Value(x[start + c]) - of_row.x) / of_row.y);
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
    products += Value(dy[start + c]) * Value(y_kept[start + c]);
  }
  let sum = row_sum(across(products), thread);
  for (var c = thread; c < params.cols; c += BLOCK) {
    dx[start + c] = Stored(Value(y_kept[start + c]) * (Value(dy[start + c]) - sum));
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
  let of_row = row_top_and_sum(start, thread);
  let log_sum = log(of_row.y);
  for (var c = thread; c < params.cols; c += BLOCK) {
    y[start + c] = Stored((Value(x[start + c]) - of_row.x) - log_sum);
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
    total += Value(dy[start + c]);
  }
  let sum = row_sum(across(total), thread);
  for (var c = thread; c < params.cols; c += BLOCK) {
    dx[start + c] = Stored(Value(dy[start + c]) - exp(Value(y_kept[start + c])) * sum);
  }
}
