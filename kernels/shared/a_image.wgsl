// The first factor of a product, from an image: rows of 1024 texels, one after
// another. Software adapters read these several times as fast as buffers.

const HALF_A: bool = false; // a texel holds eight 16-bit floats, else four of 32 bits

@group(0) @binding(1) var a: texture_storage_2d<rgba32float, read>;

/// Four neighbours of a stored row.
fn load_a(at: u32) -> vec4f {
  if HALF_A {
    let t = at / 2u;
    let texel = bitcast<vec4u>(textureLoad(a, vec2u(t & 1023u, t >> 10u)));
    let halves = select(texel.xy, texel.zw, at % 2u == 1u);
    return vec4f(unpack2x16float(halves.x), unpack2x16float(halves.y));
  }
  return textureLoad(a, vec2u(at & 1023u, at >> 10u));
}
