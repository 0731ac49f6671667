// Sums of gradients that reach one tensor along several paths.
//
//   into    total[i] += more[i]         a thread per four elements
//   apart   y[i] = first[i] + more[i]   a thread per four elements
//   copy    y[i] = more[i]              a thread per four elements
//
// Elements are `Stored` with 32 or 16 bits.

alias Stored = vec4f;

const BLOCK: u32 = 64u;

struct Params {
  vectors: u32, // elements, in fours
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> total: array<Stored>;
@group(0) @binding(2) var<storage, read> first: array<Stored>;
@group(0) @binding(3) var<storage, read> more: array<Stored>;
@group(0) @binding(4) var<storage, read_write> y: array<Stored>;

@compute @workgroup_size(BLOCK)
fn into(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  total[i] = Stored(vec4f(total[i]) + vec4f(more[i]));
}

@compute @workgroup_size(BLOCK)
fn apart(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  y[i] = Stored(vec4f(first[i]) + vec4f(more[i]));
}

@compute @workgroup_size(BLOCK)
fn copy(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  y[i] = more[i];
}
