// Powers, a thread per element.
//
//   forward     y = a^b
//   backward_a  da = dy b a^(b - 1)
//   backward_b  db = dy a^b ln a, and 0 where a is 0 and b is not negative
//
// WGSL leaves powers of negative numbers open, so their sign is settled here.

const BLOCK: u32 = 64u;

struct Params {
  size: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> da: array<f32>;
@group(0) @binding(6) var<storage, read_write> db: array<f32>;

fn power(base: f32, exponent: f32) -> f32 {
  if exponent == 0.0 { return 1.0; }
  let size = pow(abs(base), exponent);
  if base >= 0.0 { return size; }
  if !(exponent == floor(exponent)) || !(base < 0.0) { return sqrt(base); } // not a number
  let odd = floor(exponent * 0.5) * 2.0 != exponent;
  return select(size, -size, odd);
}

@compute @workgroup_size(BLOCK)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.size { return; }
  y[i] = power(a[i], b[i]);
}

@compute @workgroup_size(BLOCK)
fn backward_a(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.size { return; }
  da[i] = select(dy[i] * b[i] * power(a[i], b[i] - 1.0), 0.0, b[i] == 0.0);
}

@compute @workgroup_size(BLOCK)
fn backward_b(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.size { return; }
  let flat = a[i] == 0.0 && b[i] >= 0.0;
  db[i] = select(dy[i] * power(a[i], b[i]) * log(a[i]), 0.0, flat);
}
