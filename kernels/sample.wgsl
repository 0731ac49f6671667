// The next token of each row of logits.
//
//   sample   tokens[row, step] = a draw from softmax(logits[row] / temperature),
//            cut to the likely tokens                                    a workgroup per row
//   mark     seen[row, tokens[row, t]] = 1 for t below `step`             a thread per token
//
// Tokens are cut as in `transformers`: a repetition penalty, then the top_k most
// likely, then the fewest that hold top_p of what is left, then those at least
// min_p as likely as the first. The two cuts by rank look for their threshold
// digit by digit, floats being ordered as whole numbers: each pass counts, or
// weighs, the tokens that share the digits found, by the next one. Nothing is
// sorted, sums of whole numbers are the same in any order, and tokens that tie
// with the last one kept are kept too. The draw is the greatest of value +
// Gumbel noise (Gumbel, 1954; Maddison et al., 2014); a temperature of 0 takes
// the greatest value itself, the first of equals.

const BLOCK: u32 = 256u;
const BITS: u32 = 8u; // of a digit: BLOCK is 2^BITS
const WHOLE: f32 = 2147483648.0; // what all tokens weigh together
const PENALIZED: bool = false;
const GREATEST: f32 = 3.4028234e38;

alias Stored = f32;

struct Params {
  rows: u32,
  cols: u32,
  capacity: u32, // tokens a row holds
  step: u32,
  top_k: u32, // 0 for all
  temperature: f32,
  top_p: f32, // 1 for all
  min_p: f32, // 0 for all
  penalty: f32,
  seed_x: u32,
  seed_y: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<Stored>; //           [rows, cols]
@group(0) @binding(2) var<storage, read_write> seen: array<u32>; //          [rows, cols]
@group(0) @binding(3) var<storage, read_write> tokens: array<u32>; //        [rows, capacity]
@group(0) @binding(4) var<storage, read_write> next: array<u32>; //          [rows]

var<workgroup> weights: array<atomic<u32>, BLOCK>; // of the tokens with each digit
var<workgroup> chosen: vec2u;

/// The score of a token, lowered if the token is there already.
fn logit_of(row: u32, c: u32) -> f32 {
  var logit = f32(logits[row * params.cols + c]);
  if PENALIZED {
    if seen[row * params.cols + c] != 0u {
      logit = select(logit / params.penalty, logit * params.penalty, logit < 0.0);
    }
  }
  return min(logit, GREATEST);
}

/// What a token is drawn by, before noise: 0 for the likeliest, whose logit is
/// `top`, and less for others, so that no temperature makes it overflow.
fn value_of(row: u32, c: u32, top: f32) -> f32 {
  let value = logit_of(row, c) - top;
  return select(value / params.temperature, value, params.temperature == 0.0);
}

/// A whole number that orders as the float does, which is no greater than 0.
fn key_of(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  return select(0x80000000u, ~bits, (bits & 0x80000000u) != 0u);
}

/// The key of the `wanted` greatest tokens' last, among those with keys from
/// `least`; or, where `share` is not 0, of the last of those that together hold
/// this share of their probability.
fn cut(row: u32, wanted: u32, share: f32, least: u32, top: f32, thread: u32) -> u32 {
  var unit = 0.0; // of weight, for a token as likely as the first
  if share != 0.0 {
    var sum = 0.0;
    for (var c = thread; c < params.cols; c += BLOCK) {
      let value = value_of(row, c, top);
      if key_of(value) >= least { sum += exp(value); }
    }
    unit = WHOLE / row_sum(sum, thread);
  }
  var rest = wanted;
  var found = 0u;
  var known = 0u; // the bits of `found` that are found
  var shift = 32u;
  while shift > 0u {
    shift -= min(shift, BITS);
    atomicStore(&weights[thread], 0u);
    workgroupBarrier();
    for (var c = thread; c < params.cols; c += BLOCK) {
      let value = value_of(row, c, top);
      let key = key_of(value);
      if key >= least && (key & known) == found {
        let weight = select(1u, u32(exp(value) * unit + 0.5), share != 0.0);
        atomicAdd(&weights[(key >> shift) & (BLOCK - 1u)], weight);
      }
    }
    workgroupBarrier();
    // The sum of each digit's weight and of those above it.
    let own = atomicLoad(&weights[thread]);
    var sum = own;
    for (var step = 1u; step < BLOCK; step *= 2u) {
      let above = select(0u, atomicLoad(&weights[min(thread + step, BLOCK - 1u)]), thread + step < BLOCK);
      workgroupBarrier();
      sum += above;
      atomicStore(&weights[thread], sum);
      workgroupBarrier();
    }
    if known == 0u && share != 0.0 {
      rest = max(1u, u32(ceil(share * f32(atomicLoad(&weights[0])))));
    }
    if sum >= rest && sum - own < rest { chosen = vec2u(thread, rest - (sum - own)); }
    let choice = workgroupUniformLoad(&chosen);
    found |= choice.x << shift;
    known |= (BLOCK - 1u) << shift;
    rest = choice.y;
  }
  return found;
}

/// Noise of the standard Gumbel distribution from random bits: -log(e), e being
/// an exponential variate. High noise wins, so e is exact where it is small.
fn gumbel(bits: u32) -> f32 {
  let u = min((f32(bits) + 0.5) * (1.0 / 4294967296.0), 0.99999994);
  let series = u * (1.0 + u * (1.0 / 2.0 + u * (1.0 / 3.0 + u * (1.0 / 4.0))));
  return -log(select(-log(1.0 - u), series, u < 1.0 / 64.0));
}

@compute @workgroup_size(BLOCK)
fn sample(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = flat_group(group, groups);
  if row >= params.rows { return; }
  var best = -GREATEST;
  for (var c = thread; c < params.cols; c += BLOCK) {
    best = max(best, logit_of(row, c));
  }
  let top = row_max(best, thread);

  var least = 0u;
  if params.temperature != 0.0 {
    if params.top_k > 0u && params.top_k < params.cols {
      least = cut(row, params.top_k, 0.0, least, top, thread);
    }
    if params.top_p < 1.0 {
      least = cut(row, 0u, max(params.top_p, 1e-30), least, top, thread);
    }
    if params.min_p > 0.0 {
      least = max(least, key_of(log(params.min_p)));
    }
  }

  let seed = vec2u(params.seed_x ^ mix_bits(params.step), params.seed_y ^ mix_bits(row));
  var found = -GREATEST;
  var at = params.cols;
  for (var c = thread; c < params.cols; c += BLOCK) {
    let value = value_of(row, c, top);
    if key_of(value) < least { continue; }
    let noise = select(gumbel(random_bits(seed, c)), 0.0, params.temperature == 0.0);
    if value + noise > found {
      found = value + noise;
      at = c;
    }
  }
  let winning = row_max(found, thread);
  // Whole numbers up to 2^24 are exact as floats; the first of equals wins.
  let first = -row_max(select(-16777216.0, -f32(at), found == winning && at < params.cols), thread);
  if thread == 0u {
    let token = min(u32(first), params.cols - 1u);
    tokens[row * params.capacity + params.step] = token;
    next[row] = token;
    if PENALIZED { seen[row * params.cols + token] = 1u; }
  }
}

@compute @workgroup_size(BLOCK)
fn mark(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let id = flat_group(group, groups) * BLOCK + thread;
  if id >= params.rows * params.step { return; }
  let row = id / params.step;
  let token = tokens[row * params.capacity + id % params.step];
  if token < params.cols { seen[row * params.cols + token] = 1u; }
}
