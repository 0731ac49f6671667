// Mean negative log-likelihood of the target in each row of logits.
//
//   forward   losses[r] = ln(sum) - (logits[r, target[r]] - top)             a workgroup per row
//             top = max over c of logits[r, c],  sum = sum over c of e^(logits[r, c] - top)
//   mean      loss = sum(losses) / counted                                   a single workgroup
//             counted = how many targets are not ignored
//   backward  dlogits[r, c] = (e^(logits[r, c] - top) / sum - [c = target[r]]) dloss / counted
//                                                                            a workgroup per row
//
// A row whose target is `ignored` costs nothing and gets no gradient. A target
// outside the columns makes the loss not a number. `top` and `sum` are kept for
// backward, apart, because their sum would lose the digits of small losses.
// The including source says whether a `Value` is one column or four, and how
// logits are `Stored`.

const BLOCK: u32 = 64u;
const LOWEST: f32 = -3.4e38;
const STRETCH: u32 = 4096u;

struct Params {
  rows: u32,
  cols: u32, // in values
  ignored: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<Stored>; //          [rows, cols]
@group(0) @binding(2) var<storage, read> targets: array<u32>; //            [rows]
@group(0) @binding(3) var<storage, read_write> totals: array<vec2f>; //     [rows] of (top, sum)
@group(0) @binding(4) var<storage, read_write> losses: array<f32>; //       [rows]
@group(0) @binding(5) var<storage, read_write> loss: array<f32>; //         []
@group(0) @binding(6) var<storage, read_write> counted: array<f32>; //      []
@group(0) @binding(7) var<storage, read> dloss: array<f32>; //              []
@group(0) @binding(8) var<storage, read_write> dlogits: array<Stored>; //   [rows, cols]

@compute @workgroup_size(BLOCK)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = flat_group(group, groups);
  if row >= params.rows { return; }
  let start = row * params.cols;
  let goal = targets[row];

  var here = LOWEST; // the greatest this thread has met
  var sum = Value();
  var hit = Value();
  for (var c = thread; c < params.cols; c += BLOCK) {
    let logit = Value(logits[start + c]);
    let higher = max(here, highest(logit));
    sum = sum * exp(here - higher) + exp(logit - higher);
    here = higher;
    if c == goal / WIDTH { hit = select(Value(), logit, one_hot(c, goal) == Value(1.0)); }
  }
  let top = row_max(here, thread);
  let total = row_sum(across(sum) * exp(here - top), thread);
  let logit = row_sum(across(hit), thread);

  if thread == 0u {
    totals[row] = vec2f(top, total);
    var cost = log(total) - (logit - top);
    if goal >= params.cols * WIDTH { cost = sqrt(-1.0 - abs(cost)); } // not a number
    losses[row] = select(cost, 0.0, goal == params.ignored);
  }
}

@compute @workgroup_size(BLOCK)
fn mean(@builtin(local_invocation_index) thread: u32) {
  var sum = 0.0;
  var rows = 0.0;
  for (var start = 0u; start < params.rows; start += STRETCH) {
    let end = min(start + STRETCH, params.rows);
    var some = 0.0; // apart, so that a long sum keeps its digits
    for (var r = start + thread; r < end; r += BLOCK) {
      some += losses[r];
      rows += select(1.0, 0.0, targets[r] == params.ignored);
    }
    sum += some;
  }
  sum = row_sum(sum, thread);
  rows = row_sum(rows, thread);
  if thread == 0u {
    loss[0] = sum / rows;
    counted[0] = rows;
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
  let goal = targets[row];
  let top = totals[row].x;
  let total = totals[row].y;
  let scale = select(dloss[0] / counted[0], 0.0, goal == params.ignored);
  for (var c = thread; c < params.cols; c += BLOCK) {
    let p = exp(Value(logits[start + c]) - top) / total;
    dlogits[start + c] = Stored((p - one_hot(c, goal)) * scale);
  }
}
