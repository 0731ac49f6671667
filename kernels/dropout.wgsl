// Dropout: zeroes elements at random and scales up the others.
//
//   apply   y[i] = x[i] / (1 - rate) where random(seed, i) >= rate, else 0   a thread per four elements
//
// Backward is the same run on dy: the mask is drawn again from the same seed and
// never stored. Elements are `Stored` with 32 or 16 bits. (Srivastava et al.,
// 2014.)

alias Stored = vec4f;

const BLOCK: u32 = 64u;

struct Params {
  vectors: u32, // elements, in fours
  rate: f32,
  seed_x: u32,
  seed_y: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Stored>;
@group(0) @binding(2) var<storage, read_write> y: array<Stored>;

@compute @workgroup_size(BLOCK)
fn apply(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  let seed = vec2u(params.seed_x, params.seed_y);
  let drawn = vec4f(
    random_unit(seed, 4u * i),
    random_unit(seed, 4u * i + 1u),
    random_unit(seed, 4u * i + 2u),
    random_unit(seed, 4u * i + 3u),
  );
  let scaled = vec4f(x[i]) / (1.0 - params.rate);
  y[i] = Stored(select(vec4f(), scaled, drawn >= vec4f(params.rate)));
}
