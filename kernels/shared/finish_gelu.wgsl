// How a product ends: c = gelu(x) and slope = gelu'(x), which the way back needs,
// with x = sum (+ bias) (+ what lies in slope), by the approximation of GPT-2. The
// including kernel declares `params` with the flag `biased`.

alias StoredC = vec4f;
const ADD: bool = false; // whether to add to what is there

const SQRT_8_OVER_PI = 1.5957691216057308;
const CUBIC = 0.044715;

@group(0) @binding(3) var<storage, read> bias: array<vec4f>; //             [cols]
@group(0) @binding(4) var<storage, read_write> c: array<StoredC>; //        [batch, rows, cols]
@group(0) @binding(5) var<storage, read_write> slope: array<StoredC>; //    [batch, rows, cols]

/// What the columns 4 v .. 4 v + 3 of every row are shifted by.
fn shift_of(v: u32) -> vec4f {
  if params.biased != 0u { return bias[v]; }
  return vec4f();
}

/// Writes four columns of a row, shifted already, to the vector `at`.
fn finish(at: u32, sum: vec4f) {
  var x = sum;
  if ADD { x += vec4f(slope[at]); }
  let rarity = 1.0 + exp(-SQRT_8_OVER_PI * (x + CUBIC * x * x * x));
  let p = 1.0 / rarity;
  let density = p * (1.0 - p) * SQRT_8_OVER_PI * (1.0 + 3.0 * CUBIC * x * x);
  slope[at] = StoredC(p + x * density);
  c[at] = StoredC(x / rarity);
}
