// Functions of one number, a thread per four elements.
//
//   neg                y = -x
//   exp_forward        y = e^x                   exp_backward      dx = dy y
//   log_forward        y = ln x                  log_backward      dx = dy / x
//   sqrt_forward       y = sqrt x                sqrt_backward     dx = dy / (2 y)
//   tanh_forward       y = tanh x                tanh_backward     dx = dy (1 - y^2)
//   sigmoid_forward    y = 1 / (1 + e^-x)        sigmoid_backward  dx = dy y (1 - y)
//   relu_forward       y = max(x, 0)             relu_backward     dx = dy where x > 0, else 0
//   silu_forward       y = x sigmoid(x)          silu_backward     dx = dy (s + y (1 - s)), s = sigmoid(x)
//
// Elements are `Stored` with 32 or 16 bits.

alias Stored = vec4f;

const BLOCK: u32 = 64u;

struct Params {
  vectors: u32, // elements, in fours
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Stored>;
@group(0) @binding(2) var<storage, read_write> y: array<Stored>;
@group(0) @binding(3) var<storage, read> y_kept: array<Stored>; // y, once forward is done
@group(0) @binding(4) var<storage, read> dy: array<Stored>;
@group(0) @binding(5) var<storage, read_write> dx: array<Stored>;

fn sigmoid(v: vec4f) -> vec4f {
  return 1.0 / (1.0 + exp(-v));
}

@compute @workgroup_size(BLOCK)
fn neg(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  y[i] = Stored(-vec4f(x[i]));
}

@compute @workgroup_size(BLOCK)
fn exp_forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  y[i] = Stored(exp(vec4f(x[i])));
}

@compute @workgroup_size(BLOCK)
fn exp_backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  dx[i] = Stored(vec4f(dy[i]) * vec4f(y_kept[i]));
}

@compute @workgroup_size(BLOCK)
fn log_forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  y[i] = Stored(log(vec4f(x[i])));
}

@compute @workgroup_size(BLOCK)
fn log_backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  dx[i] = Stored(vec4f(dy[i]) / vec4f(x[i]));
}

@compute @workgroup_size(BLOCK)
fn sqrt_forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  y[i] = Stored(sqrt(vec4f(x[i])));
}

@compute @workgroup_size(BLOCK)
fn sqrt_backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  dx[i] = Stored(vec4f(dy[i]) / (2.0 * vec4f(y_kept[i])));
}

@compute @workgroup_size(BLOCK)
fn tanh_forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  // Some drivers overflow beyond; tanh is 1 to the last bit long before.
  let v = vec4f(x[i]);
  y[i] = Stored(select(tanh(v), sign(v), abs(v) > vec4f(20.0)));
}

@compute @workgroup_size(BLOCK)
fn tanh_backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  let v = vec4f(y_kept[i]);
  dx[i] = Stored(vec4f(dy[i]) * (1.0 - v * v));
}

@compute @workgroup_size(BLOCK)
fn sigmoid_forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  y[i] = Stored(sigmoid(vec4f(x[i])));
}

@compute @workgroup_size(BLOCK)
fn sigmoid_backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  let v = vec4f(y_kept[i]);
  dx[i] = Stored(vec4f(dy[i]) * v * (1.0 - v));
}

@compute @workgroup_size(BLOCK)
fn relu_forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  let v = vec4f(x[i]);
  y[i] = Stored(select(v, vec4f(), v < vec4f()));
}

@compute @workgroup_size(BLOCK)
fn relu_backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  dx[i] = Stored(select(vec4f(), vec4f(dy[i]), vec4f(x[i]) > vec4f()));
}

@compute @workgroup_size(BLOCK)
fn silu_forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  let v = vec4f(x[i]);
  y[i] = Stored(v * sigmoid(v));
}

@compute @workgroup_size(BLOCK)
fn silu_backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  let v = vec4f(x[i]);
  let s = sigmoid(v);
  dx[i] = Stored(vec4f(dy[i]) * (s + v * s * (1.0 - s)));
}
