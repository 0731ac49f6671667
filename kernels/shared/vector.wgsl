// Rows whose length is a multiple of four, taken four columns at a time. What
// lies in memory as `Stored`, of 32 or 16 bits, is computed with as `Value`.

alias Value = vec4f;
alias Stored = vec4f;
const WIDTH: u32 = 4u;

/// The sum of the columns in a value.
fn across(v: Value) -> f32 {
  return (v.x + v.y) + (v.z + v.w);
}

/// `sum` and the products of the columns of two values.
fn plus_dot(sum: f32, a: Value, b: Value) -> f32 {
  return fma(a.w, b.w, fma(a.z, b.z, fma(a.y, b.y, fma(a.x, b.x, sum))));
}

/// The largest of the columns in a value.
fn highest(v: Value) -> f32 {
  return max(max(v.x, v.y), max(v.z, v.w));
}

/// One in the column `column`, zero elsewhere, for the value at index `c` of a row.
fn one_hot(c: u32, column: u32) -> Value {
  return select(Value(0.0), Value(1.0), vec4u(4u * c) + vec4u(0u, 1u, 2u, 3u) == vec4u(column));
}
