// Elements picked along one axis of [outer, length, inner] by index.
//
//   forward    y[o, p, i] = x[o, index[o, p, i], i]                       a thread per element of y
//   backward   dx[o, l, i] = sum of dy[o, p, i] where index[o, p, i] = l  a thread per (o, i)
//
// Each backward thread owns a line along the axis and walks the picks in order,
// many of them in several runs; `dx` arrives zeroed. An index outside the axis gives what is not a number.

const BLOCK: u32 = 64u;

struct Params {
  outer: u32,
  length: u32,
  picks: u32,
  inner: u32,
  first: u32, // the picks of this run of backward, from the first up to the end
  end: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; //           [outer, length, inner]
@group(0) @binding(2) var<storage, read> index: array<u32>; //       [outer, picks, inner]
@group(0) @binding(3) var<storage, read_write> y: array<f32>; //     [outer, picks, inner]
@group(0) @binding(4) var<storage, read> dy: array<f32>; //          [outer, picks, inner]
@group(0) @binding(5) var<storage, read_write> dx: array<f32>; //    [outer, length, inner]

@compute @workgroup_size(BLOCK)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let id = flat_group(group, groups) * BLOCK + thread;
  if id >= params.outer * params.picks * params.inner { return; }
  let o = id / params.inner / params.picks;
  let at = index[id];
  if at < params.length {
    y[id] = x[(o * params.length + at) * params.inner + id % params.inner];
  } else {
    y[id] = sqrt(-1.0 - f32(at));
  }
}

@compute @workgroup_size(BLOCK)
fn backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let id = flat_group(group, groups) * BLOCK + thread;
  if id >= params.outer * params.inner { return; }
  let i = id % params.inner;
  let o = id / params.inner;
  for (var p = params.first; p < params.end; p++) {
    let source = (o * params.picks + p) * params.inner + i;
    if index[source] < params.length {
      dx[(o * params.length + index[source]) * params.inner + i] += dy[source];
    }
  }
}
