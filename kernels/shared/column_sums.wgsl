// The sums of the columns of a product's second factor, taken while it is read.

const SUMS: bool = true;
const ADD_SUMS: bool = false; // whether to add to what is there

@group(0) @binding(6) var<storage, read_write> column_sums: array<vec4f>; // [cols]

/// Writes the sums of four columns to the vector `at`.
fn finish_sums(at: u32, sum: vec4f) {
  var y = sum;
  if ADD_SUMS { y += column_sums[at]; }
  column_sums[at] = y;
}
