// What attention reads most, from images: rows of 1024 texels, one after
// another. Software adapters read these several times as fast as buffers.

@group(0) @binding(8) var qkv: texture_storage_2d<rgba32float, read>;
@group(0) @binding(9) var dy: texture_storage_2d<rgba32float, read>;

/// A vector of the queries, keys and values.
fn load_qkv(at: u32) -> vec4f {
  return textureLoad(qkv, vec2u(at & 1023u, at >> 10u));
}

/// A vector of the outputs' gradient.
fn load_dy(at: u32) -> vec4f {
  return textureLoad(dy, vec2u(at & 1023u, at >> 10u));
}
