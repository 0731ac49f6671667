// The second factor of a product, from an image: a line of texels for every stored
// row; or a block of columns after another, with a line for every row; or lines of
// 1024 texels, one after another. Software adapters read these several times as
// fast as buffers.

const HALF_B: bool = false; // a texel holds eight 16-bit floats, else four of 32 bits
const LINES_B: bool = false; // whether a line is a stored row
const BLOCK_B: u32 = 0u; // vectors of a row in a block of columns, or 0 where there are none

@group(0) @binding(2) var b: texture_storage_2d<rgba32float, read>;

/// Four neighbours of a stored row, from lines of 1024.
fn load_b(at: u32) -> vec4f {
  let t = at / select(1u, 2u, HALF_B);
  return vector_b(vec2u(t & 1023u, t >> 10u), at);
}

/// Vector `v` of a stored row, of `wide` vectors; in blocks, of `wide` rows.
fn read_b(row: u32, wide: u32, v: u32) -> vec4f {
  if BLOCK_B > 0u {
    let width = max(BLOCK_B, 1u); // WGSL refuses a constant zero to divide by, even here
    let inside = v % width;
    return vector_b(vec2u(inside / select(1u, 2u, HALF_B), v / width * wide + row), inside);
  }
  if LINES_B { return vector_b(vec2u(v / select(1u, 2u, HALF_B), row), v); }
  return load_b(row * wide + v);
}

fn vector_b(place: vec2u, at: u32) -> vec4f {
  let texel = textureLoad(b, place);
  if HALF_B {
    let words = bitcast<vec4u>(texel);
    let halves = select(words.xy, words.zw, at % 2u == 1u);
    return vec4f(unpack2x16float(halves.x), unpack2x16float(halves.y));
  }
  return texel;
}
