// Rows of any length, taken a column at a time. The twin of vector.wgsl.

alias Value = f32;
alias Stored = f32;
const WIDTH: u32 = 1u;

/// The sum of the columns in a value.
fn across(v: Value) -> f32 {
  return v;
}

/// `sum` and the product of two values.
fn plus_dot(sum: f32, a: Value, b: Value) -> f32 {
  return fma(a, b, sum);
}

/// The largest of the columns in a value.
fn highest(v: Value) -> f32 {
  return v;
}

/// One in the column `column`, zero elsewhere, for the value at index `c` of a row.
fn one_hot(c: u32, column: u32) -> Value {
  return select(0.0, 1.0, c == column);
}
