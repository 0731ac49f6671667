// Elements from one layout to another: what transposing, slicing, joining and
// repeating have in common.
//
//   copy   y[offset_y + index . stride_y] = x[offset_x + index . stride_x]   a thread per element
//
// The index runs over six axes n0 .. n5, outermost first; unused ones have size 1.

const BLOCK: u32 = 64u;

struct Params {
  size: u32,
  n1: u32, n2: u32, n3: u32, n4: u32, n5: u32,
  x0: u32, x1: u32, x2: u32, x3: u32, x4: u32, x5: u32,
  y0: u32, y1: u32, y2: u32, y3: u32, y4: u32, y5: u32,
  offset_x: u32,
  offset_y: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>; // any type of 32 bits
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(BLOCK)
fn copy(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  var i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.size { return; }
  let i5 = i % params.n5;
  i /= params.n5;
  let i4 = i % params.n4;
  i /= params.n4;
  let i3 = i % params.n3;
  i /= params.n3;
  let i2 = i % params.n2;
  i /= params.n2;
  let i1 = i % params.n1;
  let i0 = i / params.n1;
  let source = params.offset_x + i0 * params.x0 + i1 * params.x1 + i2 * params.x2 +
    i3 * params.x3 + i4 * params.x4 + i5 * params.x5;
  let to = params.offset_y + i0 * params.y0 + i1 * params.y1 + i2 * params.y2 +
    i3 * params.y3 + i4 * params.y4 + i5 * params.y5;
  y[to] = x[source];
}
