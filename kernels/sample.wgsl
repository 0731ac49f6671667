// The next token of each row of logits.
//
//   sample   tokens[row, step] = a draw from softmax(logits[row] / temperature),
//            cut to the likely tokens                                    a workgroup per row
//   mark     seen[row, tokens[row, t]] = 1 for t below `step`             a thread per token
//
// Tokens are cut as in `transformers`: a repetition penalty, then the top_k most
// likely, then the fewest that hold top_p of what is left, then those at least
// min_p as likely as the first. The two cuts by rank look for their threshold by
// bisection over the bits of a float, ordered as whole numbers, so nothing is
// sorted. The draw is the greatest of value + Gumbel noise (Gumbel, 1954; Maddison
// et al., 2014); a temperature of 0 takes the greatest value itself.

const BLOCK: u32 = 256u;
const PENALIZED: bool = false;

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
@group(0) @binding(1) var<storage, read> logits: array<f32>; //              [rows, cols]
@group(0) @binding(2) var<storage, read_write> seen: array<u32>; //          [rows, cols]
@group(0) @binding(3) var<storage, read_write> tokens: array<u32>; //        [rows, capacity]
@group(0) @binding(4) var<storage, read_write> next: array<u32>; //          [rows]

/// What a token is drawn by, before noise.
fn value_of(row: u32, c: u32) -> f32 {
  var logit = logits[row * params.cols + c];
  if PENALIZED {
    if seen[row * params.cols + c] != 0u {
      logit = select(logit / params.penalty, logit * params.penalty, logit < 0.0);
    }
  }
  return select(logit / params.temperature, logit, params.temperature == 0.0);
}

/// A whole number that orders as the float does.
fn key_of(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  return select(bits | 0x80000000u, ~bits, (bits & 0x80000000u) != 0u);
}

/// How many tokens of a row have a key from `low`, or what they weigh.
fn mass(row: u32, low: u32, least: u32, top: f32, weighed: bool, thread: u32) -> f32 {
  var sum = 0.0;
  for (var c = thread; c < params.cols; c += BLOCK) {
    let value = value_of(row, c);
    let key = key_of(value);
    if key >= low && key >= least {
      sum += select(1.0, exp(value - top), weighed);
    }
  }
  return row_sum(sum, thread);
}

/// The greatest key from which tokens still have a mass of `wanted`.
fn bisect(row: u32, wanted: f32, least: u32, top: f32, weighed: bool, thread: u32) -> u32 {
  var low = least;
  var high = key_of(top);
  while low < high {
    let middle = low + (high - low + 1u) / 2u;
    if mass(row, middle, least, top, weighed, thread) >= wanted {
      low = middle;
    } else {
      high = middle - 1u;
    }
  }
  return low;
}

@compute @workgroup_size(BLOCK)
fn sample(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let row = group.x;
  var best = value_of(row, min(thread, params.cols - 1u));
  for (var c = thread; c < params.cols; c += BLOCK) {
    best = max(best, value_of(row, c));
  }
  let top = row_max(best, thread);

  var least = 0u;
  if params.temperature != 0.0 {
    if params.top_k > 0u && params.top_k < params.cols {
      least = bisect(row, f32(params.top_k), least, top, false, thread);
    }
    if params.top_p < 1.0 {
      let all = mass(row, 0u, least, top, true, thread);
      least = bisect(row, params.top_p * all, least, top, true, thread);
    }
    if params.min_p > 0.0 {
      least = max(least, key_of(top + log(params.min_p)));
    }
  }

  let seed = vec2u(params.seed_x ^ mix_bits(params.step), params.seed_y ^ mix_bits(row));
  var found = -1e38;
  var at = params.cols;
  for (var c = thread; c < params.cols; c += BLOCK) {
    let value = value_of(row, c);
    if key_of(value) < least { continue; }
    let unit = (f32(random_bits(seed, c) >> 8u) + 0.5) * (1.0 / 16777216.0);
    let score = select(value - log(-log(unit)), value, params.temperature == 0.0);
    if score > found {
      found = score;
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
