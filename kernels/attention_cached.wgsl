// Attention of new positions over all keys and values so far, for generation.
//
//   append   keys[b, h, position + t] = k[b, t, h]                        a thread per value of k
//            values[b, h, position + t] = v[b, t, h]
//   attend   y[b, t, h] = sum over s <= position + t of p[s] values[s]    a workgroup per (b, h, t)
//            p = softmax(scale q[b, t, h] . keys[s])
//
// `attend` takes BLOCK keys at a time, a thread per key for the scores, then a
// thread per channel for the sum; the softmax is kept running as keys come.
// The including source says whether a `Value` is one channel or four.

const BLOCK: u32 = 64u;
const SIZE: u32 = 8u; // values per head
const OWNED: u32 = (SIZE + BLOCK - 1u) / BLOCK; // channels of a thread, in values
const LOWEST: f32 = -1e30;

struct Params {
  batch: u32,
  time: u32, // new positions
  heads: u32,
  position: u32, // of the first new one
  capacity: u32, // positions the cache holds
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<Value>; //              [B, T, 3, H, SIZE]
@group(0) @binding(2) var<storage, read_write> keys: array<Value>; //       [B, H, capacity, SIZE]
@group(0) @binding(3) var<storage, read_write> values: array<Value>; //     [B, H, capacity, SIZE]
@group(0) @binding(4) var<storage, read> keys_kept: array<Value>; //        keys, once appended
@group(0) @binding(5) var<storage, read> values_kept: array<Value>; //      values, once appended
@group(0) @binding(6) var<storage, read_write> y: array<Value>; //          [B, T, H, SIZE]

var<workgroup> shares: array<f32, BLOCK>;

const Q: u32 = 0u;
const K: u32 = 1u;
const V: u32 = 2u;

fn at_qkv(b: u32, t: u32, part: u32, h: u32) -> u32 {
  return (((b * params.time + t) * 3u + part) * params.heads + h) * SIZE;
}

@compute @workgroup_size(BLOCK)
fn append(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let id = flat_group(group, groups) * BLOCK + thread;
  if id >= params.batch * params.time * params.heads * SIZE { return; }
  let c = id % SIZE;
  let h = id / SIZE % params.heads;
  let t = id / SIZE / params.heads % params.time;
  let b = id / SIZE / params.heads / params.time;
  let at = ((b * params.heads + h) * params.capacity + params.position + t) * SIZE + c;
  keys[at] = qkv[at_qkv(b, t, K, h) + c];
  values[at] = qkv[at_qkv(b, t, V, h) + c];
}

@compute @workgroup_size(BLOCK)
fn attend(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let id = flat_group(group, groups);
  if id >= params.batch * params.heads * params.time { return; }
  let t = id % params.time;
  let h = id / params.time % params.heads;
  let b = id / params.time / params.heads;
  let q = at_qkv(b, t, Q, h);
  let start = (b * params.heads + h) * params.capacity * SIZE;
  let count = params.position + t + 1u;

  var sum = array<Value, OWNED>();
  var top = LOWEST;
  var total = 0.0;
  for (var s0 = 0u; s0 < count; s0 += BLOCK) {
    var score = LOWEST;
    if s0 + thread < count {
      var product = Value();
      for (var c = 0u; c < SIZE; c++) {
        product += qkv[q + c] * keys_kept[start + (s0 + thread) * SIZE + c];
      }
      score = across(product) * params.scale;
    }
    let next = max(top, row_max(score, thread));
    let share = select(0.0, exp(score - next), s0 + thread < count);
    let shrink = exp(top - next);
    shares[thread] = share;
    total = total * shrink + row_sum(share, thread);
    top = next;
    workgroupBarrier();
    for (var o = 0u; o < OWNED; o++) {
      let c = o * BLOCK + thread;
      if c < SIZE {
        var part = Value();
        for (var j = 0u; j < min(BLOCK, count - s0); j++) {
          part += shares[j] * values_kept[start + (s0 + j) * SIZE + c];
        }
        sum[o] = sum[o] * shrink + part;
      }
    }
    workgroupBarrier();
  }
  let out = ((b * params.time + t) * params.heads + h) * SIZE;
  for (var o = 0u; o < OWNED; o++) {
    let c = o * BLOCK + thread;
    if c < SIZE { y[out + c] = sum[o] / total; }
  }
}
