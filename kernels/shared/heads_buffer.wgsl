// What attention reads most, from buffers.

@group(0) @binding(8) var<storage, read> qkv: array<Stored>; //   [B, T, H + 2 G, SIZE]
@group(0) @binding(9) var<storage, read> dy: array<Stored>; //    [B, T, H, SIZE]

/// A value of the queries, keys and values.
fn load_qkv(at: u32) -> Value {
  return Value(qkv[at]);
}

/// A value of the outputs' gradient.
fn load_dy(at: u32) -> Value {
  return Value(dy[at]);
}
