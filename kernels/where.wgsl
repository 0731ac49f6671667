// A choice between two tensors, element by element.
//
//   forward    y[i] = a[i] where condition[i] is not 0, else b[i]       a thread per element
//   backward   da[i] = dy[i] where condition[i] is not 0, else 0        a thread per element
//              db[i] = 0 where condition[i] is not 0, else dy[i]

const BLOCK: u32 = 64u;

struct Params {
  size: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> condition: array<u32>;
@group(0) @binding(2) var<storage, read> a: array<u32>; // any type of 32 bits
@group(0) @binding(3) var<storage, read> b: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<u32>;
@group(0) @binding(5) var<storage, read> dy: array<f32>;
@group(0) @binding(6) var<storage, read_write> da: array<f32>;
@group(0) @binding(7) var<storage, read_write> db: array<f32>;

@compute @workgroup_size(BLOCK)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.size { return; }
  y[i] = select(b[i], a[i], condition[i] != 0u);
}

@compute @workgroup_size(BLOCK)
fn backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.size { return; }
  da[i] = select(0.0, dy[i], condition[i] != 0u);
  db[i] = select(dy[i], 0.0, condition[i] != 0u);
}
