// The length of all gradients together, and what follows from it.
//
//   squares   partial[first + g] = sum of squares of chunk g of one gradient   a workgroup per chunk
//   settle    status.x = norm = sqrt(sum of partial)                           a single workgroup
//             status.y = most / (norm + 1e-6) where norm > most > 0, else 1
//             status.z = step, once, where norm is not finite
//
// `status` stays on the GPU: the optimizer scales by y, and stands still once z
// is set, so that a step that went wrong leaves weights and moments as they were.

const BLOCK: u32 = 64u;
const CHUNK: u32 = 4096u; // elements

struct Params {
  size: u32, // elements of the gradient
  first: u32, // its first chunk among those of all gradients
  chunks: u32, // of all gradients
  most: f32, // the norm to clip to, or 0
  step: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> grad: array<f32>;
@group(0) @binding(2) var<storage, read_write> partial_out: array<f32>; // [chunks]
@group(0) @binding(3) var<storage, read> partial_in: array<f32>; //        [chunks]
@group(0) @binding(4) var<storage, read_write> status: array<f32>; //      [4]

@compute @workgroup_size(BLOCK)
fn squares(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let chunk = flat_group(group, groups);
  let start = chunk * CHUNK;
  if start >= params.size { return; }
  let end = min(start + CHUNK, params.size);
  var sum = 0.0;
  for (var i = start + thread; i < end; i += BLOCK) {
    sum += grad[i] * grad[i];
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
  let norm = sqrt(row_sum(sum, thread));
  if thread != 0u { return; }
  status[0] = norm;
  status[1] = select(1.0, params.most / (norm + 1e-6), params.most > 0.0 && norm > params.most);
  // Compilers may assume that numbers are finite, so the bits are asked.
  let finite = (bitcast<u32>(norm) & 0x7f800000u) != 0x7f800000u;
  if !finite && status[2] == 0.0 { status[2] = params.step; }
}
