// The length of all gradients together, and what follows from it.
//
//   squares   partial[first + g] = sum of squares of chunk g of a run   a workgroup per chunk
//   settle    what follows from their sum, in `status`                  a single workgroup
//
// `status` stays on the GPU; the optimizer obeys it, and the host reads it late:
//
//   [0] norm     sqrt(sum of partial) / scale
//   [1] factor   what gradients are multiplied by: min(1, most / (norm + 1e-6)) / scale
//   [2] broken   the first step whose norm was not finite; nothing moves from then on
//   [3] skipped  1 if the norm was not finite in this step but a lower scale may help
//   [4] scale    what the next loss is multiplied by, also in `loss_scale`
//   [5] good     steps since the scale last changed
//   [6] skips    steps skipped in all
//   [7], [8]     1 - beta1^n and 1 - beta2^n, where n counts the steps not skipped
//
// A scale is for gradients in f16, which are lost when too small and infinite
// when too large. It is halved where the norm is not finite, and doubled after
// `interval` steps where it was. Without one, `interval` is 0 and the scale 1.

const BLOCK: u32 = 64u;

struct Params {
  chunk: u32, // the first chunk of the run, in the table
  base: u32, // the element that `grad` begins with
  count: u32, // chunks of the run
  first: u32, // its first chunk among those of all gradients
  chunks: u32, // of all
  most: f32, // the norm to clip to, or 0
  step: f32,
  interval: f32,
  bias1: f32, // 1 - beta1^step
  bias2: f32,
  log1: f32, // ln beta1
  log2: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> grad: array<vec4f>;
@group(0) @binding(2) var<storage, read> table: array<vec2u>; // where each chunk starts and ends
@group(0) @binding(3) var<storage, read_write> partial_out: array<f32>; // [chunks]
@group(0) @binding(4) var<storage, read> partial_in: array<f32>; //        [chunks]
@group(0) @binding(5) var<storage, read_write> status: array<f32>; //      [9]
@group(0) @binding(6) var<storage, read_write> loss_scale: array<f32>; //  [1]

@compute @workgroup_size(BLOCK)
fn squares(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let chunk = flat_group(group, groups);
  if chunk >= params.count { return; }
  let place = table[params.chunk + chunk] - params.base;
  let whole = place.y / 4u; // what follows the last element is anything
  var sum = 0.0;
  for (var i = place.x / 4u + thread; i < whole; i += BLOCK) {
    let g = grad[i];
    sum += dot(g, g);
  }
  if thread == 0u && place.y % 4u > 0u {
    let last = select(vec4f(), grad[whole], vec4u(0u, 1u, 2u, 3u) < vec4u(place.y % 4u));
    sum += dot(last, last);
  }
  sum = row_sum(sum, thread);
  if thread == 0u { partial_out[params.first + chunk] = sum; }
}

@compute @workgroup_size(BLOCK)
fn settle(@builtin(local_invocation_index) thread: u32) {
  var sum = 0.0;
  for (var i = thread; i < params.chunks; i += BLOCK) {
    sum += partial_in[i];
  }
  let length = sqrt(row_sum(sum, thread));
  if thread != 0u { return; }
  let scale = status[4];
  let norm = length / scale;
  status[0] = norm;
  let clips = params.most > 0.0 && norm > params.most;
  status[1] = select(1.0, params.most / (norm + 1e-6), clips) / scale;
  // Compilers may assume that numbers are finite, so the bits are asked.
  let finite = (bitcast<u32>(norm) & 0x7f800000u) != 0x7f800000u;
  let skips = !finite && params.interval > 0.0 && scale > 1.0;
  status[3] = select(0.0, 1.0, skips);
  if !finite && !skips && status[2] == 0.0 { status[2] = params.step; }
  if skips {
    status[4] = 0.5 * scale;
    status[5] = 0.0;
    status[6] += 1.0;
  } else if params.interval > 0.0 {
    let grows = status[5] + 1.0 >= params.interval;
    status[4] = select(scale, 2.0 * scale, grows);
    status[5] = select(status[5] + 1.0, 0.0, grows);
  }
  loss_scale[0] = status[4];
  let taken = params.step - status[6];
  status[7] = select(correction(taken * params.log1), params.bias1, status[6] == 0.0);
  status[8] = select(correction(taken * params.log2), params.bias2, status[6] == 0.0);
}

// 1 - e^x, for x at most 0. Near 0 the difference would keep few digits.
fn correction(x: f32) -> f32 {
  let series = -x * (1.0 + x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0)));
  return select(1.0 - exp(x), series, x > -0.03);
}
