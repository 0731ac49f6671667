// Arithmetic in half precision, where an adapter offers it.
//
//   halves   y[4 i ..] = a + b, a b, a / b and fma(a, b, a) of halves       a thread per pair
//            a = x[i] and b = x[i + 1]
//   product  y[r] = sum of x[j] x[j + r], summed in half precision         a thread per r

enable f16;

const BLOCK: u32 = 64u;

struct Params {
  size: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(BLOCK)
fn halves(@builtin(global_invocation_id) id: vec3u) {
  if id.x >= params.size { return; }
  let a = f16(x[id.x]);
  let b = f16(x[id.x + 1u]);
  y[4u * id.x] = f32(a + b);
  y[4u * id.x + 1u] = f32(a * b);
  y[4u * id.x + 2u] = f32(a / b);
  y[4u * id.x + 3u] = f32(fma(a, b, a));
}

@compute @workgroup_size(BLOCK)
fn product(@builtin(global_invocation_id) id: vec3u) {
  if id.x >= params.size { return; }
  var sum = vec4<f16>();
  for (var j = 0u; j < params.size; j++) {
    sum += vec4<f16>(f16(x[j])) * vec4<f16>(f16(x[(j + id.x) % params.size]));
  }
  y[id.x] = f32(sum.x);
}
