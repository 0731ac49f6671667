// Random numbers by counter: the same seed and counter give the same number, so
// backward repeats what forward drew and nothing is stored.

/// A permutation of the 32-bit words that mixes every bit into every other.
fn mix_bits(word: u32) -> u32 {
  var x = word;
  x = (x ^ (x >> 16u)) * 0x21f0aaadu;
  x = (x ^ (x >> 15u)) * 0xd35a2d97u;
  return x ^ (x >> 15u);
}

/// The random bits of a counter, under a seed of two words.
fn random_bits(seed: vec2u, counter: u32) -> u32 {
  return mix_bits(seed.y ^ mix_bits(counter + seed.x));
}

/// A number in [0, 1) of 24 random bits.
fn random_unit(seed: vec2u, counter: u32) -> f32 {
  return f32(random_bits(seed, counter) >> 8u) * (1.0 / 16777216.0);
}
