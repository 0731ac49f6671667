// The greatest element along one axis of [outer, length, inner], and where it is.
//
//   greatest       y[o, p, i] = max over l in part p of x[o, l, i]        a thread per element of y
//                  place[o, p, i] = the first l where it is found
//   max_backward   dx[o, l, i] = dy[o, i] where l = place[o, i], else 0   a thread per element of dx
//
// A long axis is reduced in parts, then the parts are. The including source says
// what an `Element` is, and how floats are `Stored`.

const BLOCK: u32 = 64u;
const PLACED: bool = false; // x comes with places: a second round over parts

struct Params {
  outer: u32,
  length: u32,
  inner: u32,
  parts: u32,
  part: u32, // the length of a part
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Element>; //                [outer, length, inner]
@group(0) @binding(2) var<storage, read> place_of_x: array<u32>; //           [outer, length, inner]
@group(0) @binding(3) var<storage, read_write> y: array<Element>; //          [outer, parts, inner]
@group(0) @binding(4) var<storage, read_write> place: array<u32>; //          [outer, parts, inner]
@group(0) @binding(5) var<storage, read> dy: array<Stored>; //                   [outer, inner]
@group(0) @binding(6) var<storage, read_write> dx: array<Stored>; //             [outer, length, inner]

@compute @workgroup_size(BLOCK)
fn greatest(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let id = flat_group(group, groups) * BLOCK + thread;
  if id >= params.outer * params.parts * params.inner { return; }
  let i = id % params.inner;
  let p = id / params.inner % params.parts;
  let o = id / params.inner / params.parts;
  let end = min((p + 1u) * params.part, params.length);
  var at = p * params.part;
  var best = x[(o * params.length + at) * params.inner + i];
  for (var l = at + 1u; l < end; l++) {
    let value = x[(o * params.length + l) * params.inner + i];
    if !(value <= best) { // so that what is not a number wins
      best = value;
      at = l;
    }
  }
  y[id] = best;
  if PLACED { at = place_of_x[(o * params.length + at) * params.inner + i]; }
  place[id] = at;
}

@compute @workgroup_size(BLOCK)
fn max_backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let id = flat_group(group, groups) * BLOCK + thread;
  if id >= params.outer * params.length * params.inner { return; }
  let i = id % params.inner;
  let l = id / params.inner % params.length;
  let o = id / params.inner / params.length;
  let source = o * params.inner + i;
  dx[id] = select(Stored(), dy[source], place_of_x[source] == l);
}
