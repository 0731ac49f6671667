// The first factor of a product, from a buffer.

alias StoredA = vec4f;

@group(0) @binding(1) var<storage, read> a: array<StoredA>;

/// Four neighbours of a stored row.
fn load_a(at: u32) -> vec4f {
  return vec4f(a[at]);
}

/// Vector `v` of a stored row, of `wide` vectors.
fn read_a(row: u32, wide: u32, v: u32) -> vec4f {
  return load_a(row * wide + v);
}
