// Cross-entropy of a chunk of logits, which become their own gradient.
//
//   score      losses[first + r] = ln(sum) - (logits[r, target] - top)    a workgroup per row
//              then, if GRADIENT, logits[r, c] = e^(logits[r, c] - top) / sum - [c = target]
//              top = max over c of logits[r, c],  sum = sum over c of e^(logits[r, c] - top)
//   score_and_measure   the same, and before the logits go   a workgroup per row
//              statistics[first + r] = (1 if the first c with logits[r, c] = top is the target, or 0,
//                                       ln(sum) - sum over c of (logits[r, c] - top) e^(logits[r, c] - top) / sum)
//   scale      y[i] = x[i] dloss / counted                   a thread per four elements
//   scale_own  y[i] = y[i] dloss / counted                   a thread per four elements
//
// The gradient is that of the sum of the losses; what follows from it is scaled
// to that of their mean on the way back. Of the `wide` columns of a row the first
// `cols` count; the others get the gradient 0, as does every column of a row
// whose target is `ignored`, which costs nothing. A target outside the columns
// makes the loss not a number. A thread of `score` writes the columns that it
// alone has read.

const BLOCK: u32 = 64u;
const GRADIENT: bool = true;
const ADD: bool = false; // to what lies in y
const LOWEST: f32 = -3.4e38;

struct Params {
  first: u32, // the row of the batch that the chunk begins with
  rows: u32, // of the chunk
  cols: u32,
  wide: u32, // in fours
  pitch: u32, // from one row to the next, in fours
  ignored: u32,
  vectors: u32, // elements of y, in fours
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> logits: array<vec4f>; //    [rows, pitch]
@group(0) @binding(2) var<storage, read> targets: array<u32>; //           [rows of the batch]
@group(0) @binding(3) var<storage, read_write> losses: array<f32>; //      [rows of the batch]
@group(0) @binding(4) var<storage, read> dloss: array<f32>; //             []
@group(0) @binding(5) var<storage, read> counted: array<f32>; //           []
@group(0) @binding(6) var<storage, read> x: array<Stored>;
@group(0) @binding(7) var<storage, read_write> y: array<Stored>;
@group(0) @binding(8) var<storage, read_write> statistics: array<vec2f>; //   [rows of the batch]

/// What a workgroup knows of its row.
struct Row {
  start: u32, // in fours
  goal: u32, // its target
  counts: bool,
  top: f32,
  sum: f32,
  logit: f32, // of the target
}

/// Looks through a row, whose columns beyond the last it lowers.
fn read_row(row: u32, thread: u32) -> Row {
  let start = row * params.pitch;
  let goal = targets[params.first + row];
  let last = params.wide - 1u;
  if last % BLOCK == thread {
    let beyond = vec4u(4u * last) + vec4u(0u, 1u, 2u, 3u) >= vec4u(params.cols);
    logits[start + last] = select(logits[start + last], vec4f(LOWEST), beyond);
  }
  var hit = 0.0;
  if goal < params.cols && goal / 4u % BLOCK == thread {
    hit = logits[start + goal / 4u][goal % 4u];
  }
  var here = LOWEST; // the greatest this thread has met
  var sums = vec4f();
  for (var c = thread; c < params.wide; c += BLOCK) {
    let v = logits[start + c];
    let higher = max(here, highest(v));
    sums = sums * exp(here - higher) + exp(v - higher);
    here = higher;
  }
  let top = row_max(here, thread);
  let sum = row_sum(across(sums) * exp(here - top), thread);
  let logit = row_sum(hit, thread);
  return Row(start, goal, goal != params.ignored, top, sum, logit);
}

/// Writes the loss of a row, and the gradient over its logits.
fn write_row(row: u32, it: Row, thread: u32) {
  if thread == 0u {
    var cost = log(it.sum) - (it.logit - it.top);
    if it.goal >= params.cols { cost = sqrt(-1.0 - abs(cost)); } // not a number
    losses[params.first + row] = select(0.0, cost, it.counts);
  }
  if GRADIENT {
    for (var c = thread; c < params.wide; c += BLOCK) {
      let d = exp(logits[it.start + c] - it.top) / it.sum - one_hot(c, it.goal);
      logits[it.start + c] = select(vec4f(), d, it.counts);
    }
  }
}

@compute @workgroup_size(BLOCK)
fn score(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = flat_group(group, groups);
  if row >= params.rows { return; }
  write_row(row, read_row(row, thread), thread);
}

@compute @workgroup_size(BLOCK)
fn score_and_measure(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = flat_group(group, groups);
  if row >= params.rows { return; }
  let it = read_row(row, thread);
  var depths = vec4f(); // below the top, weighed
  var earlier = vec4f(); // how many columns before the target reach the top
  for (var c = thread; c < params.wide; c += BLOCK) {
    let depth = logits[it.start + c] - it.top;
    let before = vec4u(4u * c) + vec4u(0u, 1u, 2u, 3u) < vec4u(it.goal);
    depths += depth * exp(depth);
    earlier += select(vec4f(), vec4f(1.0), before & (depth == vec4f()));
  }
  let depth = row_sum(across(depths), thread);
  let others = row_sum(across(earlier), thread);
  if thread == 0u {
    let first = it.goal < params.cols && it.logit == it.top && others == 0.0;
    let entropy = log(it.sum) - depth / it.sum;
    statistics[params.first + row] = select(vec2f(), vec2f(f32(first), entropy), it.counts);
  }
  write_row(row, it, thread);
}

fn factor() -> f32 {
  return select(0.0, dloss[0] / counted[0], counted[0] > 0.0);
}

@compute @workgroup_size(BLOCK)
fn scale(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  var scaled = vec4f(x[i]) * factor();
  if ADD { scaled += vec4f(y[i]); }
  y[i] = Stored(scaled);
}

@compute @workgroup_size(BLOCK)
fn scale_own(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  y[i] = Stored(vec4f(y[i]) * factor());
}
