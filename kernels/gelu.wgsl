// GELU, a thread per four elements.
//
//   forward   y  = x P(x)
//   backward  dx = dy (P(x) + x P'(x))
//             where P is the normal distribution function: exactly (1 + erf(x / sqrt 2)) / 2,
//             or in the approximation of GPT-2, (1 + tanh u) / 2 with u = sqrt(2/pi) (x + 0.044715 x^3)
//
// (Hendrycks and Gimpel, 2016.) (1 + tanh u) / 2 is written as the logistic
// function of 2u, which cannot overflow. Elements are `Stored` with 32 or 16 bits.

alias Stored = vec4f;

const BLOCK: u32 = 64u;
const ADD: bool = false; // to what lies in dx
const EXACT: bool = false;

const SQRT_8_OVER_PI = 1.5957691216057308;
const CUBIC = 0.044715;
const SQRT_HALF = 0.7071067811865476;
const ONE_OVER_SQRT_2_PI = 0.3989422804014327;

struct Params {
  vectors: u32, // elements, in fours
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Stored>;
@group(0) @binding(2) var<storage, read_write> y: array<Stored>;
@group(0) @binding(3) var<storage, read> dy: array<Stored>;
@group(0) @binding(4) var<storage, read_write> dx: array<Stored>;

/// erf to seven digits. (Abramowitz and Stegun 7.1.28 has three; this is the
/// rational form of Press et al., Numerical Recipes 6.2.2, in single precision.)
fn erf(v: vec4f) -> vec4f {
  let t = 1.0 / (1.0 + 0.5 * abs(v));
  let tail = t * exp(-v * v - 1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 +
    t * (-0.18628806 + t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 +
    t * (-0.82215223 + t * 0.17087277)))))))));
  return sign(v) * (1.0 - tail);
}

/// 1 / P(v) in the approximation of GPT-2.
fn rarity(v: vec4f) -> vec4f {
  return 1.0 + exp(-SQRT_8_OVER_PI * (v + CUBIC * v * v * v));
}

fn distribution(v: vec4f) -> vec4f {
  if EXACT { return 0.5 * (1.0 + erf(v * SQRT_HALF)); }
  return 1.0 / rarity(v);
}

fn density(v: vec4f, p: vec4f) -> vec4f {
  if EXACT { return ONE_OVER_SQRT_2_PI * exp(-0.5 * v * v); }
  return p * (1.0 - p) * SQRT_8_OVER_PI * (1.0 + 3.0 * CUBIC * v * v);
}

@compute @workgroup_size(BLOCK)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  let v = vec4f(x[i]);
  // The approximation is rounded as at the end of a product (finish_gelu.wgsl).
  if EXACT {
    y[i] = Stored(v * distribution(v));
  } else {
    y[i] = Stored(v / rarity(v));
  }
}

@compute @workgroup_size(BLOCK)
fn backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  let v = vec4f(x[i]);
  let p = distribution(v);
  var d = vec4f(dy[i]) * (p + v * density(v, p));
  if ADD { d += vec4f(dx[i]); }
  dx[i] = Stored(d);
}
