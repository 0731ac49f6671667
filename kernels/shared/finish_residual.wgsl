// How a product ends that goes onto a residual stream:
// c = residual + (sum (+ bias) (+ c)).

@group(0) @binding(5) var<storage, read> residual: array<StoredC>; //    [batch, rows, cols]

/// Writes four columns of a row, shifted already, to the vector `at`.
fn finish(at: u32, sum: vec4f) {
  var y = sum;
  if ADD { y += vec4f(c[at]); }
  c[at] = StoredC(vec4f(residual[at]) + y);
}
