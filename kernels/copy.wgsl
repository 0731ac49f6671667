// Elements from one layout to another: what transposing, slicing, joining and
// repeating have in common.
//
//   copy   y[y_offset + index . y_strides] = x[x_offset + index . x_strides]   a thread per element
//
// The index runs over `AXES` axes, at most six: the outer one, and from the
// innermost outwards 0, 1, 2 and so on. The including source says what an
// `Element` is: a type of the right size, or four neighbours at once where both
// layouts allow it.

const BLOCK: u32 = 64u;
const AXES: u32 = 6u;

struct Params {
  size: u32,
  n0: u32, n1: u32, n2: u32, n3: u32, n4: u32,
  x0: u32, x1: u32, x2: u32, x3: u32, x4: u32, x_outer: u32,
  y0: u32, y1: u32, y2: u32, y3: u32, y4: u32, y_outer: u32,
  x_offset: u32,
  y_offset: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read_write> y: array<Element>;

@compute @workgroup_size(BLOCK)
fn copy(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  var left = flat_group(group, groups) * BLOCK + thread;
  if left >= params.size { return; }
  var at_x = params.x_offset;
  var at_y = params.y_offset;
  if AXES > 1u {
    let i = left % params.n0;
    left /= params.n0;
    at_x += i * params.x0;
    at_y += i * params.y0;
  }
  if AXES > 2u {
    let i = left % params.n1;
    left /= params.n1;
    at_x += i * params.x1;
    at_y += i * params.y1;
  }
  if AXES > 3u {
    let i = left % params.n2;
    left /= params.n2;
    at_x += i * params.x2;
    at_y += i * params.y2;
  }
  if AXES > 4u {
    let i = left % params.n3;
    left /= params.n3;
    at_x += i * params.x3;
    at_y += i * params.y3;
  }
  if AXES > 5u {
    let i = left % params.n4;
    left /= params.n4;
    at_x += i * params.x4;
    at_y += i * params.y4;
  }
  y[at_y + left * params.y_outer] = x[at_x + left * params.x_outer];
}
