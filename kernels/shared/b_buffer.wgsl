// The second factor of a product, from a buffer.

alias StoredB = vec4f;

@group(0) @binding(2) var<storage, read> b: array<StoredB>;

/// Four neighbours of a stored row.
fn load_b(at: u32) -> vec4f {
  return vec4f(b[at]);
}

/// Vector `v` of a stored row, of `wide` vectors.
fn read_b(row: u32, wide: u32, v: u32) -> vec4f {
  return load_b(row * wide + v);
}
