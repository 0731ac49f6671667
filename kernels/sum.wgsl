// Sums along one axis of [outer, length, inner], in parts of bounded length.
//
//   sum            y[o, p, i] = scale * sum over l in part p of x[o, l, i]       a thread per element of y
//
// A long axis is reduced in parts, then the parts are, in a fixed order, so that
// sums repeat bit for bit. The including source says what an `Element` is, a
// `Number`, its scalar, and how x and y lie in memory.

const BLOCK: u32 = 64u;
const ADD: bool = false; // to what lies in y

struct Params {
  outer: u32,
  length: u32,
  inner: u32,
  parts: u32,
  part: u32, // the length of a part
  scale: Number, // what sums are multiplied by
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<StoredX>; //                [outer, length, inner]
@group(0) @binding(2) var<storage, read_write> y: array<StoredY>; //          [outer, parts, inner]

@compute @workgroup_size(BLOCK)
fn sum(
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
  var total = Element();
  for (var l = p * params.part; l < end; l++) {
    total += Element(x[(o * params.length + l) * params.inner + i]);
  }
  total *= params.scale;
  if ADD { total += Element(y[id]); }
  y[id] = StoredY(total);
}
