// How a product ends: c = sum (+ bias) (+ c).

/// Writes four columns of a row, shifted already, to the vector `at`.
fn finish(at: u32, sum: vec4f) {
  var y = sum;
  if ADD { y += vec4f(c[at]); }
  c[at] = StoredC(y);
}
