// Where the queries, keys and values of a head lie, and what dropout leaves of
// its probabilities. The including kernel declares `params` and `SIZE`, the
// values of a head; its queries, keys and values are [B, T, H + 2 G, SIZE], as
// G heads of keys, and of values, serve H / G heads of queries each; its
// outputs are [B, T, H, SIZE]; `bh` counts heads of queries through the batch.

const Q: u32 = 0u;
const K: u32 = 1u;
const V: u32 = 2u;

/// Where the query, key or value (`part`) of a position begins.
fn at_qkv(bh: u32, t: u32, part: u32) -> u32 {
  let b = bh / params.heads;
  let h = bh % params.heads;
  let served = params.heads + (part - 1u) * params.key_heads + h / (params.heads / params.key_heads);
  let head = select(served, h, part == Q);
  return ((b * params.time + t) * (params.heads + 2u * params.key_heads) + head) * SIZE;
}

/// From one position of them to the next.
fn row_qkv() -> u32 {
  return (params.heads + 2u * params.key_heads) * SIZE;
}

/// Where the outputs of a position begin.
fn at_y(bh: u32, t: u32) -> u32 {
  let b = bh / params.heads;
  let h = bh % params.heads;
  return ((b * params.time + t) * params.heads + h) * SIZE;
}

/// From one position of them to the next.
fn row_y() -> u32 {
  return params.heads * SIZE;
}

/// What dropout multiplies p[t, s] with: zero, or what keeps the mean.
fn kept_share(bh: u32, t: u32, s: u32) -> f32 {
  let counter = (bh * params.time + t) * params.time + s;
  let keep = random_unit(vec2u(params.seed_x, params.seed_y), counter) >= params.rate;
  return select(0.0, 1.0 / (1.0 - params.rate), keep);
}
