// Attention of new positions over all keys and values so far, for generation.
//
//   append    keys[b, g, :, position + t] = k[b, t, g]                    a thread per value of k
//             values[b, g, :, position + t] = v[b, t, g]
//   attend    y[part, b, t, h] = sum of p[s] values[s], of what there is  a workgroup per (part, b, t, h)
//             of s <= position + t in the part;
//             p = softmax(scale q[b, t, h] . keys[s]), of the g that serves h;
//             a single new position is appended on the way
//   combine   y[b, t, h] = sum of y_parts[part, b, t, h] weighed          a thread per value of y
//             by exp(lse[part, b, t, h]), over their sum
//
// In `attend` a thread meets every BLOCK-th position by itself, with a softmax
// and a sum of its own, which are put together once, at the end. One new position
// has few heads, so that a long cache is cut into parts to keep a GPU busy; they
// are put together in their order. Keys and values lie channel by channel, so
// that threads beside each other read beside each other. The including source
// says whether a `Value` is one channel or four.

const BLOCK: u32 = 64u;
const SIZE: u32 = 8u; // values per head
const CHANNELS: u32 = 8u; // put together at once
const SINGLE: bool = false; // one new position, which `attend` appends
const LOWEST: f32 = -1e30;

alias Kept = vec4f; // a value of the cache
alias Part = vec4f; // a value of what `attend` gives

struct Params {
  batch: u32,
  time: u32, // new positions
  heads: u32, // of queries
  key_heads: u32, // of keys, and of values
  position: u32, // of the first new one
  capacity: u32, // positions the cache holds
  scale: f32,
  parts: u32,
  part: u32, // positions in one
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<Stored>; //             [B, T, H + 2 G, SIZE]
@group(0) @binding(2) var<storage, read_write> keys: array<Kept>; //        [B, G, SIZE, capacity]
@group(0) @binding(3) var<storage, read_write> values: array<Kept>; //      [B, G, SIZE, capacity]
@group(0) @binding(4) var<storage, read_write> y_part: array<Part>; //      [parts, B, T, H, SIZE]
@group(0) @binding(5) var<storage, read_write> lse: array<f32>; //          [parts, B, T, H]
@group(0) @binding(6) var<storage, read> y_parts: array<Part>; //           y_part, once attended
@group(0) @binding(7) var<storage, read> lse_parts: array<f32>; //          lse, once attended
@group(0) @binding(8) var<storage, read_write> y: array<Stored>; //         [B, T, H, SIZE]

var<workgroup> sums: array<array<Value, BLOCK + 1u>, CHANNELS>;

/// Where head `head` of what a position holds begins: queries, keys, then values.
fn at_qkv(b: u32, t: u32, head: u32) -> u32 {
  return ((b * params.time + t) * (params.heads + 2u * params.key_heads) + head) * SIZE;
}

@compute @workgroup_size(BLOCK)
fn append(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let id = flat_group(group, groups) * BLOCK + thread;
  if id >= params.batch * params.time * params.key_heads * SIZE { return; }
  let c = id % SIZE;
  let g = id / SIZE % params.key_heads;
  let t = id / SIZE / params.key_heads % params.time;
  let b = id / SIZE / params.key_heads / params.time;
  let at = ((b * params.key_heads + g) * SIZE + c) * params.capacity + params.position + t;
  keys[at] = Kept(qkv[at_qkv(b, t, params.heads + g) + c]);
  values[at] = Kept(qkv[at_qkv(b, t, params.heads + params.key_heads + g) + c]);
}

@compute @workgroup_size(BLOCK)
fn attend(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let id = flat_group(group, groups);
  let rows = params.batch * params.time * params.heads;
  if id >= params.parts * rows { return; }
  let h = id % params.heads;
  let t = id / params.heads % params.time;
  let b = id / params.heads / params.time % params.batch;
  let first = id / rows * params.part;
  let served = params.heads / params.key_heads; // heads of queries by one of keys
  let g = h / served;
  let head = (b * params.key_heads + g) * SIZE * params.capacity;
  let count = min(first + params.part, params.position + t + 1u);
  var q = array<Value, SIZE>();
  for (var c = 0u; c < SIZE; c++) { q[c] = Value(qkv[at_qkv(b, t, h) + c]) * params.scale; }

  var sum = array<Value, SIZE>();
  var top = LOWEST;
  var total = 0.0;
  var kept = count; // the positions to read from the cache
  if SINGLE && first <= params.position && params.position < count {
    kept = params.position;
    let k = at_qkv(b, t, params.heads + g);
    let v = at_qkv(b, t, params.heads + params.key_heads + g);
    if h % served == 0u {
      for (var c = thread; c < SIZE; c += BLOCK) {
        keys[head + c * params.capacity + params.position] = Kept(qkv[k + c]);
        values[head + c * params.capacity + params.position] = Kept(qkv[v + c]);
      }
    }
    if thread == 0u {
      top = 0.0;
      for (var c = 0u; c < SIZE; c++) { top = plus_dot(top, q[c], Value(Kept(qkv[k + c]))); }
      total = 1.0;
      for (var c = 0u; c < SIZE; c++) { sum[c] = Value(Kept(qkv[v + c])); }
    }
  }
  for (var s = first + thread; s < kept; s += BLOCK) {
    var score = 0.0;
    for (var c = 0u; c < SIZE; c++) {
      score = plus_dot(score, q[c], Value(keys[head + c * params.capacity + s]));
    }
    let next = max(top, score);
    let shrink = exp(top - next);
    let share = exp(score - next);
    top = next;
    total = total * shrink + share;
    for (var c = 0u; c < SIZE; c++) {
      sum[c] = sum[c] * shrink + share * Value(values[head + c * params.capacity + s]);
    }
  }

  let highest_score = row_max(top, thread);
  let weight = exp(top - highest_score);
  let all = row_sum(total * weight, thread);
  for (var c0 = 0u; c0 < SIZE; c0 += CHANNELS) {
    for (var i = 0u; i < CHANNELS; i++) { sums[i][thread] = weight * sum[min(c0 + i, SIZE - 1u)]; }
    workgroupBarrier();
    for (var i = thread; i < min(CHANNELS, SIZE - c0); i += BLOCK) {
      var whole = Value();
      for (var other = 0u; other < BLOCK; other++) { whole += sums[i][other]; }
      y_part[id * SIZE + c0 + i] = Part(whole / max(all, 1e-30));
    }
    workgroupBarrier();
  }
  if thread == 0u { lse[id] = select(LOWEST, highest_score + log(all), count > first); }
}

@compute @workgroup_size(BLOCK)
fn combine(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let id = flat_group(group, groups) * BLOCK + thread;
  let rows = params.batch * params.time * params.heads;
  if id >= rows * SIZE { return; }
  var top = LOWEST;
  for (var part = 0u; part < params.parts; part++) {
    top = max(top, lse_parts[part * rows + id / SIZE]);
  }
  var total = 0.0;
  var sum = Value();
  for (var part = 0u; part < params.parts; part++) {
    let share = exp(lse_parts[part * rows + id / SIZE] - top);
    total += share;
    sum += share * Value(y_parts[part * rows * SIZE + id]);
  }
  y[id] = Stored(sum / total);
}
