// The first factor of a product, from an image: a line of texels for every stored
// row, or lines of 1024 texels, one after another. Software adapters read these
// several times as fast as buffers.

const HALF_A: bool = false; // a texel holds eight 16-bit floats, else four of 32 bits
const LINES_A: bool = false; // whether a line is a stored row

@group(0) @binding(1) var a: texture_storage_2d<rgba32float, read>;

/// Four neighbours of a stored row, from lines of 1024.
fn load_a(at: u32) -> vec4f {
  let t = at / select(1u, 2u, HALF_A);
  return vector_a(vec2u(t & 1023u, t >> 10u), at);
}

/// Vector `v` of a stored row, of `wide` vectors.
fn read_a(row: u32, wide: u32, v: u32) -> vec4f {
  if LINES_A { return vector_a(vec2u(v / select(1u, 2u, HALF_A), row), v); }
  return load_a(row * wide + v);
}

fn vector_a(place: vec2u, at: u32) -> vec4f {
  let texel = textureLoad(a, place);
  if HALF_A {
    let words = bitcast<vec4u>(texel);
    let halves = select(words.xy, words.zw, at % 2u == 1u);
    return vec4f(unpack2x16float(halves.x), unpack2x16float(halves.y));
  }
  return texel;
}
