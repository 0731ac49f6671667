// Numbers from one type to another, as WGSL converts them: floats are cut
// towards zero and clamped to what the whole number holds.
//
//   convert   y[i] = To(x[i])   a thread per four elements
//
// The including source says what `From` and `To` are, four of a type.

const BLOCK: u32 = 64u;

struct Params {
  vectors: u32, // elements, in fours
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<From>;
@group(0) @binding(2) var<storage, read_write> y: array<To>;

@compute @workgroup_size(BLOCK)
fn convert(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  y[i] = To(x[i]);
}
