// Weights in half precision.
//
//   halve   y[i] = x[i], but at most the greatest half   a thread per four elements
//
// A weight beyond what halves can say is better a little too small than
// infinite. One that is no number stays none.

alias Half = vec4f;

const BLOCK: u32 = 64u;
const MOST: f32 = 65504.0;

struct Params {
  vectors: u32, // elements, in fours
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<Half>;

@compute @workgroup_size(BLOCK)
fn halve(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  let most = sign(x[i]) * MOST;
  y[i] = Half(select(x[i], most, abs(x[i]) > vec4f(MOST)));
}
