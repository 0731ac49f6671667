// Queries and keys turned by their positions, and packed beside the values.
//
//   forward   qkv = q and k turned, v as it is     a thread per value of the halves of heads
//   backward  dq, dk, dv: the same turned back     a thread per value of the halves of heads
//
// Channels c and c + D/2 of a head are a point in the plane. At position p it is
// turned by the angle p w[c]: (a, b) becomes (a cos - b sin, b cos + a sin). Sines
// of large angles are beyond GPUs, so `turns` holds cosines and sines of the
// angles of positions 0 to NEAR - 1, then of 0, NEAR, 2 NEAR and so on: one of
// each makes any position. (Su et al., 2021.) Gradients are added to what is
// there, or replace it.
// Positions count from where a document begins.
// The including source says whether a `Value` is one channel or four, how
// activations are `Stored`, and where documents begin.

const BLOCK: u32 = 64u;
const NEAR: u32 = 64u;
const ADD_Q: bool = false; // to what lies in dq, dk, dv
const ADD_K: bool = false;
const ADD_V: bool = false;

struct Params {
  rows: u32, // B T
  time: u32,
  heads: u32, // H, of queries
  pairs: u32, // KV, heads of keys, and of values
  half_size: u32, // of a head, in values
  start: u32, // the position of the first row of each text
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> turns: array<Value>; //        [NEAR + P / NEAR, 2, half_size]
@group(0) @binding(2) var<storage, read> q: array<Stored>; //           [B T, H, 2 half_size]
@group(0) @binding(3) var<storage, read> k: array<Stored>; //           [B T, KV, 2 half_size]
@group(0) @binding(4) var<storage, read> v: array<Stored>; //           [B T, KV, 2 half_size]
@group(0) @binding(5) var<storage, read_write> qkv: array<Stored>; //   [B T, H + 2 KV, 2 half_size]
@group(0) @binding(6) var<storage, read> dqkv: array<Stored>; //        [B T, H + 2 KV, 2 half_size]
@group(0) @binding(7) var<storage, read_write> dq: array<Stored>; //    [B T, H, 2 half_size]
@group(0) @binding(8) var<storage, read_write> dk: array<Stored>; //    [B T, KV, 2 half_size]
@group(0) @binding(9) var<storage, read_write> dv: array<Stored>; //    [B T, KV, 2 half_size]

/// What a thread turns.
struct Pair {
  cosine: Value,
  sine: Value,
  head: u32, // among queries, then keys, then values
  packed: u32, // where it begins in qkv
  apart: u32, // where it begins in q, k or v
}

fn pair(id: u32) -> Pair {
  let c = id % params.half_size;
  let slots = params.heads + 2u * params.pairs;
  let head = id / params.half_size % slots;
  let row = id / params.half_size / slots;
  let packed = (row * slots + head) * 2u * params.half_size + c;
  var apart = row * params.heads + head;
  if head >= params.heads { apart = row * params.pairs + (head - params.heads) % params.pairs; }
  apart = apart * 2u * params.half_size + c;

  let t = row % params.time;
  let position = params.start + t - document_start(row / params.time, t);
  let near = position % NEAR * 2u * params.half_size + c;
  let far = (NEAR + position / NEAR) * 2u * params.half_size + c;
  let near_cos = turns[near];
  let near_sin = turns[near + params.half_size];
  let far_cos = turns[far];
  let far_sin = turns[far + params.half_size];
  return Pair(
    far_cos * near_cos - far_sin * near_sin,
    far_sin * near_cos + far_cos * near_sin,
    head,
    packed,
    apart,
  );
}

@compute @workgroup_size(BLOCK)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let id = flat_group(group, groups) * BLOCK + thread;
  if id >= params.rows * (params.heads + 2u * params.pairs) * params.half_size { return; }
  let it = pair(id);
  let other = it.apart + params.half_size;
  var a = Value();
  var b = Value();
  if it.head >= params.heads + params.pairs {
    a = Value(v[it.apart]);
    b = Value(v[other]);
  } else {
    if it.head < params.heads {
      a = Value(q[it.apart]);
      b = Value(q[other]);
    } else {
      a = Value(k[it.apart]);
      b = Value(k[other]);
    }
    let turned = a * it.cosine - b * it.sine;
    b = b * it.cosine + a * it.sine;
    a = turned;
  }
  qkv[it.packed] = Stored(a);
  qkv[it.packed + params.half_size] = Stored(b);
}

@compute @workgroup_size(BLOCK)
fn backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let id = flat_group(group, groups) * BLOCK + thread;
  if id >= params.rows * (params.heads + 2u * params.pairs) * params.half_size { return; }
  let it = pair(id);
  let other = it.apart + params.half_size;
  var a = Value(dqkv[it.packed]);
  var b = Value(dqkv[it.packed + params.half_size]);
  if it.head >= params.heads + params.pairs {
    if ADD_V {
      a += Value(dv[it.apart]);
      b += Value(dv[other]);
    }
    dv[it.apart] = Stored(a);
    dv[other] = Stored(b);
    return;
  }
  let turned = a * it.cosine + b * it.sine;
  b = b * it.cosine - a * it.sine;
  a = turned;
  if it.head < params.heads {
    if ADD_Q {
      a += Value(dq[it.apart]);
      b += Value(dq[other]);
    }
    dq[it.apart] = Stored(a);
    dq[other] = Stored(b);
  } else {
    if ADD_K {
      a += Value(dk[it.apart]);
      b += Value(dk[other]);
    }
    dk[it.apart] = Stored(a);
    dk[other] = Stored(b);
  }
}
