// Arithmetic on two tensors, the second repeated along the leading axes.
//
//   add   y = a + b   a thread per four elements of y
//   sub   y = a - b   a thread per four elements of y
//   mul   y = a b     a thread per four elements of y
//   div   y = a / b   a thread per four elements of y
//
// The including source says what is computed with, `Value`: four f32, i32 or u32;
// and how a and y, and b, lie in memory: the same, or four f16.

const BLOCK: u32 = 64u;
// How b lines up with a: the same shape, repeated, or one number.
const SAME: u32 = 0u;
const REPEATED: u32 = 1u;
const SINGLE: u32 = 2u;
const LAYOUT: u32 = 0u;

struct Params {
  vectors: u32, // elements of y, in fours
  period: u32, // elements of b, in fours
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<Stored>;
@group(0) @binding(2) var<storage, read> b: array<StoredB>;
@group(0) @binding(3) var<storage, read_write> y: array<Stored>;

fn b_at(i: u32) -> Value {
  if LAYOUT == SINGLE { return Value(Value(b[0]).x); }
  if LAYOUT == REPEATED { return Value(b[i % params.period]); }
  return Value(b[i]);
}

@compute @workgroup_size(BLOCK)
fn add(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  y[i] = Stored(Value(a[i]) + b_at(i));
}

@compute @workgroup_size(BLOCK)
fn sub(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  y[i] = Stored(Value(a[i]) - b_at(i));
}

@compute @workgroup_size(BLOCK)
fn mul(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  y[i] = Stored(Value(a[i]) * b_at(i));
}

@compute @workgroup_size(BLOCK)
fn div(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  y[i] = Stored(Value(a[i]) / b_at(i));
}
