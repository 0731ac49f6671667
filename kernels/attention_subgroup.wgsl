// Causal self-attention over packed queries, keys and values, for adapters whose
// subgroups are narrow and whose memory is slow, such as software Vulkan. The
// twin of attention.wgsl, with its formulas and its layouts.
//
//   forward      y and lse       a workgroup, which is one subgroup, per QUERIES LANES queries
//   backward_q   delta and dq    likewise
//   backward_kv  dk and dv       likewise per QUERIES LANES keys
//
// A lane owns QUERIES rows, LANES apart. The rows they meet come KEYS at a time:
// the lanes load them together, a different vector each, and hand them round by
// broadcast, so that no memory is read twice within a workgroup. Those of other
// documents than the block's are left out.

const LANES: u32 = 8u; // the adapter's subgroup size
const QUERIES: u32 = 2u;
const KEYS: u32 = 2u;
const SIZE: u32 = 8u; // vectors per head
const DROPOUT: bool = false;
const LOWEST: f32 = -1e30;

const BLOCK: u32 = QUERIES * LANES;
const LOADS: u32 = (KEYS * SIZE + LANES - 1u) / LANES;

struct Params {
  batch: u32,
  time: u32,
  heads: u32, // of queries
  key_heads: u32, // of keys, and of values
  blocks: u32, // of BLOCK queries in `time`
  scale: f32,
  rate: f32,
  seed_x: u32,
  seed_y: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<Stored>; //      [B, T, H, SIZE]
@group(0) @binding(2) var<storage, read_write> lse: array<f32>; //       [B, H, T]
@group(0) @binding(3) var<storage, read> y_kept: array<Stored>; //       [B, T, H, SIZE]
@group(0) @binding(4) var<storage, read> lse_kept: array<f32>; //        [B, H, T]
@group(0) @binding(5) var<storage, read_write> delta: array<f32>; //     [B, H, T]
@group(0) @binding(6) var<storage, read> delta_kept: array<f32>; //      [B, H, T]
@group(0) @binding(7) var<storage, read_write> dqkv: array<Stored>; //   [B, T, H + 2 G, SIZE]

@compute @workgroup_size(LANES)
fn forward(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = flat_group(group, groups);
  if id >= params.batch * params.heads * params.blocks { return; }
  let bh = id / params.blocks;
  let first = id % params.blocks * BLOCK;
  let last = params.time - 1u;
  let row_step = (params.heads + 2u * params.key_heads) * SIZE;
  let start = at_qkv(bh, 0u, Q);
  let start_k = at_qkv(bh, 0u, K);
  let start_v = at_qkv(bh, 0u, V);
  let b = bh / params.heads;
  var q = array<vec4f, QUERIES * SIZE>();
  var sum = array<vec4f, QUERIES * SIZE>();
  var top = array<f32, QUERIES>();
  var total = array<f32, QUERIES>();
  var since = array<u32, QUERIES>(); // the first key that a query sees
  for (var r = 0u; r < QUERIES; r++) {
    let t = min(first + r * LANES + lane, last);
    for (var c = 0u; c < SIZE; c++) { q[r * SIZE + c] = load_qkv(start + t * row_step + c) * params.scale; }
    top[r] = LOWEST;
    since[r] = document_start(b, t);
  }

  let end = min(first + BLOCK, params.time);
  for (var s0 = document_start(b, first); s0 < end; s0 += KEYS) {
    var loaded = array<vec4f, LOADS>();
    for (var l = 0u; l < LOADS; l++) {
      let e = l * LANES + lane;
      loaded[l] = load_qkv(start_k + min(s0 + e / SIZE, last) * row_step + e % SIZE);
    }
    var p = array<f32, KEYS * QUERIES>();
    for (var j = 0u; j < KEYS; j++) {
      var product = array<vec4f, QUERIES>();
      for (var c = 0u; c < SIZE; c++) {
        let k = subgroupBroadcast(loaded[(j * SIZE + c) / LANES], (j * SIZE + c) % LANES);
        for (var r = 0u; r < QUERIES; r++) { product[r] += q[r * SIZE + c] * k; }
      }
      for (var r = 0u; r < QUERIES; r++) {
        let seen = (since[r] <= s0 + j) & (s0 + j <= first + r * LANES + lane);
        p[j * QUERIES + r] = select(LOWEST, across(product[r]), seen);
      }
    }
    var shrink = array<f32, QUERIES>();
    for (var r = 0u; r < QUERIES; r++) {
      var next = top[r];
      for (var j = 0u; j < KEYS; j++) { next = max(next, p[j * QUERIES + r]); }
      shrink[r] = exp(top[r] - next);
      top[r] = next;
      total[r] *= shrink[r];
      for (var j = 0u; j < KEYS; j++) {
        let share = exp(p[j * QUERIES + r] - next);
        total[r] += share;
        p[j * QUERIES + r] = share;
        if DROPOUT { p[j * QUERIES + r] = share * kept_share(bh, first + r * LANES + lane, s0 + j); }
      }
    }
    for (var l = 0u; l < LOADS; l++) {
      let e = l * LANES + lane;
      loaded[l] = load_qkv(start_v + min(s0 + e / SIZE, last) * row_step + e % SIZE);
    }
    for (var c = 0u; c < SIZE; c++) {
      for (var r = 0u; r < QUERIES; r++) { sum[r * SIZE + c] *= shrink[r]; }
      for (var j = 0u; j < KEYS; j++) {
        let v = subgroupBroadcast(loaded[(j * SIZE + c) / LANES], (j * SIZE + c) % LANES);
        for (var r = 0u; r < QUERIES; r++) { sum[r * SIZE + c] += p[j * QUERIES + r] * v; }
      }
    }
  }

  for (var r = 0u; r < QUERIES; r++) {
    let t = first + r * LANES + lane;
    if t < params.time {
      for (var c = 0u; c < SIZE; c++) { y[at_y(bh, t) + c] = Stored(sum[r * SIZE + c] / total[r]); }
      lse[bh * params.time + t] = top[r] + log(total[r]);
    }
  }
}

@compute @workgroup_size(LANES)
fn backward_q(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = flat_group(group, groups);
  if id >= params.batch * params.heads * params.blocks { return; }
  let bh = id / params.blocks;
  let first = id % params.blocks * BLOCK;
  let last = params.time - 1u;
  let row_step = (params.heads + 2u * params.key_heads) * SIZE;
  let start_k = at_qkv(bh, 0u, K);
  let start_v = at_qkv(bh, 0u, V);
  var q = array<vec4f, QUERIES * SIZE>();
  var g = array<vec4f, QUERIES * SIZE>();
  var sum = array<vec4f, QUERIES * SIZE>();
  let b = bh / params.heads;
  var log_sum = array<f32, QUERIES>();
  var d = array<f32, QUERIES>();
  var since = array<u32, QUERIES>(); // the first key that a query sees
  for (var r = 0u; r < QUERIES; r++) {
    let t = min(first + r * LANES + lane, last);
    var product = vec4f();
    for (var c = 0u; c < SIZE; c++) {
      q[r * SIZE + c] = load_qkv(at_qkv(bh, t, Q) + c) * params.scale;
      g[r * SIZE + c] = load_dy(at_y(bh, t) + c);
      product += g[r * SIZE + c] * vec4f(y_kept[at_y(bh, t) + c]);
    }
    log_sum[r] = lse_kept[bh * params.time + t];
    d[r] = across(product);
    delta[bh * params.time + t] = d[r];
    since[r] = document_start(b, t);
  }

  let end = min(first + BLOCK, params.time);
  for (var s0 = document_start(b, first); s0 < end; s0 += KEYS) {
    var loaded_k = array<vec4f, LOADS>();
    var loaded_v = array<vec4f, LOADS>();
    for (var l = 0u; l < LOADS; l++) {
      let e = l * LANES + lane;
      let at = min(s0 + e / SIZE, last) * row_step + e % SIZE;
      loaded_k[l] = load_qkv(start_k + at);
      loaded_v[l] = load_qkv(start_v + at);
    }
    var ds = array<f32, KEYS * QUERIES>();
    for (var j = 0u; j < KEYS; j++) {
      var product = array<vec4f, QUERIES>();
      var dproduct = array<vec4f, QUERIES>();
      for (var c = 0u; c < SIZE; c++) {
        let k = subgroupBroadcast(loaded_k[(j * SIZE + c) / LANES], (j * SIZE + c) % LANES);
        let v = subgroupBroadcast(loaded_v[(j * SIZE + c) / LANES], (j * SIZE + c) % LANES);
        for (var r = 0u; r < QUERIES; r++) {
          product[r] += q[r * SIZE + c] * k;
          dproduct[r] += g[r * SIZE + c] * v;
        }
      }
      for (var r = 0u; r < QUERIES; r++) {
        let t = first + r * LANES + lane;
        var dp = across(dproduct[r]);
        if DROPOUT { dp *= kept_share(bh, t, s0 + j); }
        let p = exp(across(product[r]) - log_sum[r]);
        let seen = (since[r] <= s0 + j) & (s0 + j <= t);
        ds[j * QUERIES + r] = select(0.0, p * (dp - d[r]) * params.scale, seen);
      }
    }
    for (var c = 0u; c < SIZE; c++) {
      for (var j = 0u; j < KEYS; j++) {
        let k = subgroupBroadcast(loaded_k[(j * SIZE + c) / LANES], (j * SIZE + c) % LANES);
        for (var r = 0u; r < QUERIES; r++) { sum[r * SIZE + c] += ds[j * QUERIES + r] * k; }
      }
    }
  }

  for (var r = 0u; r < QUERIES; r++) {
    let t = first + r * LANES + lane;
    if t < params.time {
      for (var c = 0u; c < SIZE; c++) { dqkv[at_qkv(bh, t, Q) + c] = Stored(sum[r * SIZE + c]); }
    }
  }
}

@compute @workgroup_size(LANES)
fn backward_kv(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = flat_group(group, groups);
  if id >= params.batch * params.key_heads * params.blocks { return; }
  let served = params.heads / params.key_heads; // heads of queries by this one of keys
  let bh = id / params.blocks * served; // the first of them
  let first = id % params.blocks * BLOCK;
  let last = params.time - 1u;
  let row_step = (params.heads + 2u * params.key_heads) * SIZE;
  let row_step_y = params.heads * SIZE;
  let b = bh / params.heads;
  var k = array<vec4f, QUERIES * SIZE>();
  var v = array<vec4f, QUERIES * SIZE>();
  var sum_k = array<vec4f, QUERIES * SIZE>();
  var sum_v = array<vec4f, QUERIES * SIZE>();
  var until = array<u32, QUERIES>(); // the first query that sees a key no more
  for (var r = 0u; r < QUERIES; r++) {
    let s = min(first + r * LANES + lane, last);
    until[r] = document_end(b, s);
    for (var c = 0u; c < SIZE; c++) {
      k[r * SIZE + c] = load_qkv(at_qkv(bh, s, K) + c) * params.scale;
      v[r * SIZE + c] = load_qkv(at_qkv(bh, s, V) + c);
    }
  }

  let end = document_end(b, min(first + BLOCK, params.time) - 1u);
  for (var head = bh; head < bh + served; head++) {
    let start_q = at_qkv(head, 0u, Q);
    let start_y = at_y(head, 0u);
    for (var t0 = first; t0 < end; t0 += KEYS) {
      var loaded_q = array<vec4f, LOADS>();
      var loaded_g = array<vec4f, LOADS>();
      for (var l = 0u; l < LOADS; l++) {
        let e = l * LANES + lane;
        let t = min(t0 + e / SIZE, last);
        loaded_q[l] = load_qkv(start_q + t * row_step + e % SIZE);
        loaded_g[l] = load_dy(start_y + t * row_step_y + e % SIZE);
      }
      let at = head * params.time + min(t0 + lane % KEYS, last);
      let loaded_lse = lse_kept[at];
      let loaded_delta = delta_kept[at];
      var ds = array<f32, KEYS * QUERIES>();
      var p = array<f32, KEYS * QUERIES>();
      for (var j = 0u; j < KEYS; j++) {
        var product = array<vec4f, QUERIES>();
        var dproduct = array<vec4f, QUERIES>();
        for (var c = 0u; c < SIZE; c++) {
          let q = subgroupBroadcast(loaded_q[(j * SIZE + c) / LANES], (j * SIZE + c) % LANES);
          let g = subgroupBroadcast(loaded_g[(j * SIZE + c) / LANES], (j * SIZE + c) % LANES);
          for (var r = 0u; r < QUERIES; r++) {
            product[r] += k[r * SIZE + c] * q;
            dproduct[r] += v[r * SIZE + c] * g;
          }
        }
        let log_sum = subgroupBroadcast(loaded_lse, j);
        let d = subgroupBroadcast(loaded_delta, j);
        for (var r = 0u; r < QUERIES; r++) {
          let s = first + r * LANES + lane;
          let share = exp(across(product[r]) - log_sum);
          let seen = (s <= t0 + j) & (t0 + j < until[r]);
          var kept = 1.0;
          if DROPOUT { kept = kept_share(head, t0 + j, s); }
          ds[j * QUERIES + r] = select(0.0, share * (across(dproduct[r]) * kept - d) * params.scale, seen);
          p[j * QUERIES + r] = select(0.0, share * kept, seen);
        }
      }
      for (var c = 0u; c < SIZE; c++) {
        for (var j = 0u; j < KEYS; j++) {
          let q = subgroupBroadcast(loaded_q[(j * SIZE + c) / LANES], (j * SIZE + c) % LANES);
          let g = subgroupBroadcast(loaded_g[(j * SIZE + c) / LANES], (j * SIZE + c) % LANES);
          for (var r = 0u; r < QUERIES; r++) {
            sum_k[r * SIZE + c] += ds[j * QUERIES + r] * q;
            sum_v[r * SIZE + c] += p[j * QUERIES + r] * g;
          }
        }
      }
    }
  }

  for (var r = 0u; r < QUERIES; r++) {
    let s = first + r * LANES + lane;
    if s < params.time {
      for (var c = 0u; c < SIZE; c++) {
        dqkv[at_qkv(bh, s, K) + c] = Stored(sum_k[r * SIZE + c]);
        dqkv[at_qkv(bh, s, V) + c] = Stored(sum_v[r * SIZE + c]);
      }
    }
  }
}
