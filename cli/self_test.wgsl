// What the kernels rely on, a little of each, for the adapter to be tested by.
//
//   functions   y[4 i ..] = exp, log, tanh and 1 / sqrt of x[i]           a thread per number
//   classes     y[i] = 2 if the bits of x[i] are a NaN, 1 if infinite     a thread per number
//   hashes      y[i] = mix_bits(x[i]), whose products overflow            a thread per word
//   dots        y[r] = sum of x[j] . x[j + 1 + r] and of fma, two ways    a thread per r
//   totals      y[2 r ..] = the sum and the greatest of row r             a workgroup per row
//   copies      y[i] = x[i], as i32 halved and f32 negated                a thread per word
//   trips       y[0] = how many trips a loop of `size` makes              one thread
//
// Words go in and out as u32, so that no bit is lost on the way.

const BLOCK: u32 = 64u;

struct Params {
  size: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(BLOCK)
fn functions(@builtin(global_invocation_id) id: vec3u) {
  if id.x >= params.size { return; }
  let value = bitcast<f32>(x[id.x]);
  y[4u * id.x] = bitcast<u32>(exp(value));
  y[4u * id.x + 1u] = bitcast<u32>(log(abs(value)));
  y[4u * id.x + 2u] = bitcast<u32>(tanh(value));
  y[4u * id.x + 3u] = bitcast<u32>(inverseSqrt(abs(value)));
}

@compute @workgroup_size(BLOCK)
fn classes(@builtin(global_invocation_id) id: vec3u) {
  if id.x >= params.size { return; }
  let value = bitcast<f32>(x[id.x]);
  let bits = bitcast<u32>(value) & 0x7fffffffu;
  y[id.x] = select(select(0u, 1u, bits == 0x7f800000u), 2u, bits > 0x7f800000u);
}

@compute @workgroup_size(BLOCK)
fn hashes(@builtin(global_invocation_id) id: vec3u) {
  if id.x >= params.size { return; }
  y[id.x] = mix_bits(x[id.x]);
}

fn vector_at(i: u32) -> vec4f {
  return bitcast<vec4f>(vec4u(x[4u * i], x[4u * i + 1u], x[4u * i + 2u], x[4u * i + 3u]));
}

@compute @workgroup_size(BLOCK)
fn dots(@builtin(global_invocation_id) id: vec3u) {
  let vectors = params.size / 4u;
  if id.x >= vectors { return; }
  var sum = 0.0;
  var lanes = vec4f();
  for (var j = 0u; j < vectors; j++) {
    let a = vector_at(j);
    let b = vector_at((j + 1u + id.x) % vectors);
    sum += dot(a, b);
    lanes = fma(a, b, lanes);
  }
  y[2u * id.x] = bitcast<u32>(sum);
  y[2u * id.x + 1u] = bitcast<u32>((lanes.x + lanes.y) + (lanes.z + lanes.w));
}

@compute @workgroup_size(BLOCK)
fn totals(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  var sum = 0.0;
  var most = -1e30;
  for (var c = thread; c < params.size; c += BLOCK) {
    let value = bitcast<f32>(x[group.x * params.size + c]);
    sum += value;
    most = max(most, value);
  }
  let total = row_sum(sum, thread);
  let greatest = row_max(most, thread);
  if thread == 0u {
    y[2u * group.x] = bitcast<u32>(total);
    y[2u * group.x + 1u] = bitcast<u32>(greatest);
  }
}

@compute @workgroup_size(BLOCK)
fn copies(@builtin(global_invocation_id) id: vec3u) {
  if id.x >= params.size { return; }
  y[3u * id.x] = x[id.x];
  y[3u * id.x + 1u] = bitcast<u32>(bitcast<i32>(x[id.x]) / 2i);
  y[3u * id.x + 2u] = bitcast<u32>(-bitcast<f32>(x[id.x]));
}

@compute @workgroup_size(1)
fn trips(@builtin(global_invocation_id) id: vec3u) {
  var count = x[0];
  for (var i = 0u; i < params.size; i++) {
    count += 1u;
  }
  y[id.x] = count;
}
