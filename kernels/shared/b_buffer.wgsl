// The second factor of a product, from a buffer.

alias StoredB = vec4f;

@group(0) @binding(2) var<storage, read> b: array<StoredB>;

/// Four neighbours of a stored row.
fn load_b(at: u32) -> vec4f {
  return vec4f(b[at]);
}
