// Dropout: zeroes elements at random and scales up the others.
//
//   apply   y[i] = x[i] / (1 - rate) where random(seed, i) >= rate, else 0   a thread per element
//
// Backward is the same run on dy: the mask is drawn again from the same seed and
// never stored. (Srivastava et al., 2014.)

const BLOCK: u32 = 64u;

struct Params {
  size: u32,
  rate: f32,
  seed_x: u32,
  seed_y: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(BLOCK)
fn apply(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.size { return; }
  let keep = random_unit(vec2u(params.seed_x, params.seed_y), i) >= params.rate;
  y[i] = select(0.0, x[i] / (1.0 - params.rate), keep);
}
