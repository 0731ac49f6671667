// The same 32 bits in every element, whatever type they stand for.
//
//   fill   y[i] = value   a thread per four elements

const BLOCK: u32 = 64u;

struct Params {
  vectors: u32, // elements of y, in fours
  value: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<vec4u>;

@compute @workgroup_size(BLOCK)
fn fill(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  y[i] = vec4u(params.value);
}
