// What the hardware can do at most, to judge other kernels by.
//
//   arithmetic   y[i] = a chain of multiplications and additions   a thread per vector of four
//   copy         y[i] = x[i]                                       a thread per vector of four
//
// Each thread of `arithmetic` works on two vectors of its own, so that one
// operation need not wait for the one before it.

const BLOCK: u32 = 64u;
const CHAIN: u32 = 32u;

struct Params {
  vectors: u32,
  trips: u32, // each of 2 * CHAIN operations on vectors of four
  factor: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(BLOCK)
fn arithmetic(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  let factor = vec4f(params.factor);
  var a = vec4f(f32(thread));
  var b = a + 1.0;
  for (var trip = 0u; trip < params.trips; trip++) {
    for (var n = 0u; n < CHAIN; n++) {
      a = fma(a, factor, factor);
      b = fma(b, factor, factor);
    }
  }
  y[i] = a + b;
}

@compute @workgroup_size(BLOCK)
fn copy(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i < params.vectors { y[i] = x[i]; }
}
