// Sums of gradients that reach one tensor along several paths.
//
//   into    total[i] += more[i]         a thread per four elements
//   apart   y[i] = first[i] + more[i]   a thread per four elements

const BLOCK: u32 = 64u;

struct Params {
  vectors: u32, // elements, in fours
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> total: array<vec4f>;
@group(0) @binding(2) var<storage, read> first: array<vec4f>;
@group(0) @binding(3) var<storage, read> more: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(BLOCK)
fn into(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  total[i] += more[i];
}

@compute @workgroup_size(BLOCK)
fn apart(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  y[i] = first[i] + more[i];
}
