// Causal self-attention over packed queries, keys and values, for adapters with
// fast workgroup memory.
//
//   forward      y[t] = sum over s <= t of drop(p[t, s]) v[s]              a thread per (b, h, t)
//                p[t, s] = exp(scale q[t].k[s] - lse[t])
//   delta_rows   delta[t] = dy[t].y[t]                                     a thread per (b, h, t)
//   backward_q   dq[t] = scale * sum over s <= t of ds[t, s] k[s]          a thread per (b, h, t)
//   backward_kv  dk[s] = scale * sum over t >= s of ds[t, s] q[t]          a thread per (b, h, s)
//                dv[s] = sum over t >= s of drop(p[t, s]) dy[t]
//                where ds[t, s] = p[t, s] (drop(dy[t].v[s]) - delta[t])
//
// A workgroup takes BLOCK queries (or keys) of one head and stages what they
// meet in workgroup memory, STAGE rows at a time. Only `lse`, one number per
// query, is kept: backward recomputes the probabilities, and draws the dropout
// mask again, so memory stays linear in T. (FlashAttention, Dao et al. 2022.)
// The including source says whether a `Value` is one channel or four.

const BLOCK: u32 = 64u;
const STAGE: u32 = 16u;
const SIZE: u32 = 8u; // values per head
const DROPOUT: bool = false;
const LOWEST: f32 = -1e30;

struct Params {
  batch: u32,
  time: u32,
  heads: u32,
  blocks: u32, // of BLOCK queries in `time`
  scale: f32,
  rate: f32,
  seed_x: u32,
  seed_y: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<Value>; //          [B, T, 3, H, SIZE]
@group(0) @binding(2) var<storage, read_write> y: array<Value>; //      [B, T, H, SIZE]
@group(0) @binding(3) var<storage, read_write> lse: array<f32>; //      [B, H, T]
@group(0) @binding(4) var<storage, read> y_kept: array<Value>; //       [B, T, H, SIZE]
@group(0) @binding(5) var<storage, read> lse_kept: array<f32>; //       [B, H, T]
@group(0) @binding(6) var<storage, read> dy: array<Value>; //           [B, T, H, SIZE]
@group(0) @binding(7) var<storage, read_write> delta: array<f32>; //    [B, H, T]
@group(0) @binding(8) var<storage, read> delta_kept: array<f32>; //     [B, H, T]
@group(0) @binding(9) var<storage, read_write> dqkv: array<Value>; //   [B, T, 3, H, SIZE]

var<workgroup> stage_1: array<Value, STAGE * SIZE>;
var<workgroup> stage_2: array<Value, STAGE * SIZE>;

@compute @workgroup_size(BLOCK)
fn forward(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let id = flat_group(group, groups);
  if id >= params.batch * params.heads * params.blocks { return; }
  let bh = id / params.blocks;
  let first = id % params.blocks * BLOCK;
  let t = first + thread;
  let row = min(t, params.time - 1u);
  var q = array<Value, SIZE>();
  var sum = array<Value, SIZE>();
  for (var c = 0u; c < SIZE; c++) { q[c] = qkv[at_qkv(bh, row, Q) + c] * params.scale; }
  var top = LOWEST;
  var total = 0.0;

  let end = min(first + BLOCK, params.time);
  for (var s0 = 0u; s0 < end; s0 += STAGE) {
    for (var e = thread; e < STAGE * SIZE; e += BLOCK) {
      let s = min(s0 + e / SIZE, params.time - 1u);
      stage_1[e] = qkv[at_qkv(bh, s, K) + e % SIZE];
      stage_2[e] = qkv[at_qkv(bh, s, V) + e % SIZE];
    }
    workgroupBarrier();
    for (var j = 0u; j < min(STAGE, end - s0); j++) {
      var product = Value();
      for (var c = 0u; c < SIZE; c++) { product += q[c] * stage_1[j * SIZE + c]; }
      let score = select(LOWEST, across(product), s0 + j <= t);
      let next = max(top, score);
      let shrink = exp(top - next);
      var p = exp(score - next);
      total = total * shrink + p;
      top = next;
      if DROPOUT { p *= kept_share(bh, t, s0 + j); }
      for (var c = 0u; c < SIZE; c++) { sum[c] = sum[c] * shrink + p * stage_2[j * SIZE + c]; }
    }
    workgroupBarrier();
  }
  if t >= params.time { return; }
  for (var c = 0u; c < SIZE; c++) { y[at_y(bh, t) + c] = sum[c] / total; }
  lse[bh * params.time + t] = top + log(total);
}

@compute @workgroup_size(BLOCK)
fn delta_rows(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let id = flat_group(group, groups) * BLOCK + thread;
  if id >= params.batch * params.heads * params.time { return; }
  let at = at_y(id / params.time, id % params.time);
  var product = Value();
  for (var c = 0u; c < SIZE; c++) { product += dy[at + c] * y_kept[at + c]; }
  delta[id] = across(product);
}

@compute @workgroup_size(BLOCK)
fn backward_q(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let id = flat_group(group, groups);
  if id >= params.batch * params.heads * params.blocks { return; }
  let bh = id / params.blocks;
  let first = id % params.blocks * BLOCK;
  let t = first + thread;
  let row = min(t, params.time - 1u);
  var q = array<Value, SIZE>();
  var g = array<Value, SIZE>();
  var sum = array<Value, SIZE>();
  for (var c = 0u; c < SIZE; c++) {
    q[c] = qkv[at_qkv(bh, row, Q) + c] * params.scale;
    g[c] = dy[at_y(bh, row) + c];
  }
  let log_sum = lse_kept[bh * params.time + row];
  let d = delta_kept[bh * params.time + row];

  let end = min(first + BLOCK, params.time);
  for (var s0 = 0u; s0 < end; s0 += STAGE) {
    for (var e = thread; e < STAGE * SIZE; e += BLOCK) {
      let s = min(s0 + e / SIZE, params.time - 1u);
      stage_1[e] = qkv[at_qkv(bh, s, K) + e % SIZE];
      stage_2[e] = qkv[at_qkv(bh, s, V) + e % SIZE];
    }
    workgroupBarrier();
    for (var j = 0u; j < min(STAGE, end - s0); j++) {
      var product = Value();
      var dproduct = Value();
      for (var c = 0u; c < SIZE; c++) {
        product += q[c] * stage_1[j * SIZE + c];
        dproduct += g[c] * stage_2[j * SIZE + c];
      }
      var dp = across(dproduct);
      if DROPOUT { dp *= kept_share(bh, t, s0 + j); }
      let p = exp(across(product) - log_sum);
      let ds = select(0.0, p * (dp - d) * params.scale, s0 + j <= t);
      for (var c = 0u; c < SIZE; c++) { sum[c] += ds * stage_1[j * SIZE + c]; }
    }
    workgroupBarrier();
  }
  if t >= params.time { return; }
  for (var c = 0u; c < SIZE; c++) { dqkv[at_qkv(bh, t, Q) + c] = sum[c]; }
}

@compute @workgroup_size(BLOCK)
fn backward_kv(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let id = flat_group(group, groups);
  if id >= params.batch * params.heads * params.blocks { return; }
  let bh = id / params.blocks;
  let first = id % params.blocks * BLOCK;
  let s = first + thread;
  let row = min(s, params.time - 1u);
  var k = array<Value, SIZE>();
  var v = array<Value, SIZE>();
  var sum_k = array<Value, SIZE>();
  var sum_v = array<Value, SIZE>();
  for (var c = 0u; c < SIZE; c++) {
    k[c] = qkv[at_qkv(bh, row, K) + c] * params.scale;
    v[c] = qkv[at_qkv(bh, row, V) + c];
  }

  for (var t0 = first; t0 < params.time; t0 += STAGE) {
    for (var e = thread; e < STAGE * SIZE; e += BLOCK) {
      let t = min(t0 + e / SIZE, params.time - 1u);
      stage_1[e] = qkv[at_qkv(bh, t, Q) + e % SIZE];
      stage_2[e] = dy[at_y(bh, t) + e % SIZE];
    }
    workgroupBarrier();
    for (var j = 0u; j < min(STAGE, params.time - t0); j++) {
      var product = Value();
      var dproduct = Value();
      for (var c = 0u; c < SIZE; c++) {
        product += k[c] * stage_1[j * SIZE + c];
        dproduct += v[c] * stage_2[j * SIZE + c];
      }
      let at = bh * params.time + t0 + j;
      var p = select(0.0, exp(across(product) - lse_kept[at]), s <= t0 + j);
      var dp = across(dproduct);
      var share = 1.0;
      if DROPOUT { share = kept_share(bh, t0 + j, s); }
      let ds = p * (dp * share - delta_kept[at]) * params.scale;
      p *= share;
      for (var c = 0u; c < SIZE; c++) {
        sum_k[c] += ds * stage_1[j * SIZE + c];
        sum_v[c] += p * stage_2[j * SIZE + c];
      }
    }
    workgroupBarrier();
  }
  if s >= params.time { return; }
  for (var c = 0u; c < SIZE; c++) {
    dqkv[at_qkv(bh, s, K) + c] = sum_k[c];
    dqkv[at_qkv(bh, s, V) + c] = sum_v[c];
  }
}
