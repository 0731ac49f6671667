// How a product ends: c = gelu(x) and slope = gelu'(x), which the way back needs,
// with x = sum (+ bias) (+ what lies in slope), by the approximation of GPT-2.

const SQRT_8_OVER_PI = 1.5957691216057308;
const CUBIC = 0.044715;

@group(0) @binding(5) var<storage, read_write> slope: array<StoredC>; //    [batch, rows, cols]

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
