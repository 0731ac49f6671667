// How a product ends that goes onto a residual stream:
// c = residual + (sum (+ bias) (+ c)). The including kernel declares `params` with
// the flag `biased`.

alias StoredC = vec4f;
const ADD: bool = false; // whether to add to what is there

@group(0) @binding(3) var<storage, read> bias: array<vec4f>; //          [cols]
@group(0) @binding(4) var<storage, read_write> c: array<StoredC>; //     [batch, rows, cols]
@group(0) @binding(5) var<storage, read> residual: array<StoredC>; //    [batch, rows, cols]

/// What the columns 4 v .. 4 v + 3 of every row are shifted by.
fn shift_of(v: u32) -> vec4f {
  if params.biased != 0u { return bias[v]; }
  return vec4f();
}

/// Writes four columns of a row, shifted already, to the vector `at`.
fn finish(at: u32, sum: vec4f) {
  var y = sum;
  if ADD { y += vec4f(c[at]); }
  c[at] = StoredC(vec4f(residual[at]) + y);
}
