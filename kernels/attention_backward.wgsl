// The way back through attention.wgsl, whose formulas and layouts it shares.
//
//   backward_q    delta[t] = dy[t].y[t]                                  a workgroup per (b, h, block of queries)
//                 dq[t] = scale * sum over s <= t of ds[t, s] k[s]
//   backward_kv   dk[s] = scale * sum over t >= s of ds[t, s] q[t]       a workgroup per (b, head of keys, block of keys)
//                 dv[s] = sum over t >= s of drop(p[t, s]) dy[t]
//                 where ds[t, s] = p[t, s] (drop(dy[t].v[s]) - delta[t])
//
// A workgroup keeps ROWS queries (or keys) in workgroup memory and meets the keys
// (or queries) COLUMNS at a time, its threads placed as in attention.wgsl. The
// probabilities are computed again from `lse`, and the dropout mask is drawn
// again. Every sum belongs to one thread: there are no atomics. Queries and keys
// of other documents than the block's are left out. The including source says
// whether a `Value` is one channel or four, and where documents begin.

const DOWN: u32 = 8u;
const ACROSS: u32 = 8u;
const EACH: u32 = 4u; // rows of a thread, DOWN apart
const SIZE: u32 = 8u; // values per head
const STEP: u32 = 1u; // values of a row between two turns of a loop; divides SIZE
const AHEAD: u32 = 4u; // values a thread fetches at once
const DROPOUT: bool = false;

const THREADS: u32 = DOWN * ACROSS;
const ROWS: u32 = DOWN * EACH;
const COLUMNS: u32 = 4u * ACROSS;
const OWNED: u32 = (SIZE + ACROSS - 1u) / ACROSS; // channels of a thread, in values
const BURST: u32 = THREADS * AHEAD;

// Of an odd length, so that threads reading down a column of vectors find each
// in banks of its own.
alias Line = array<Value, SIZE + 1u - SIZE % 2u>;

struct Params {
  batch: u32,
  time: u32,
  heads: u32, // of queries
  key_heads: u32, // of keys, and of values
  blocks: u32, // of ROWS queries or keys in `time`
  scale: f32,
  rate: f32,
  seed_x: u32,
  seed_y: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> y_kept: array<Stored>; //       [B, T, H, SIZE]
@group(0) @binding(2) var<storage, read> lse_kept: array<f32>; //        [B, H, T]
@group(0) @binding(3) var<storage, read_write> delta: array<f32>; //     [B, H, T]
@group(0) @binding(4) var<storage, read> delta_kept: array<f32>; //      [B, H, T]
@group(0) @binding(5) var<storage, read_write> dqkv: array<Stored>; //   [B, T, H + 2 G, SIZE]

var<workgroup> row_1: array<Line, ROWS>; //          queries, or keys
var<workgroup> row_2: array<Line, ROWS>; //          dy, or values
var<workgroup> column_1: array<Line, COLUMNS>; //    keys, or queries
var<workgroup> column_2: array<Line, COLUMNS>; //    values, or dy
var<workgroup> share_1: array<array<vec4f, ACROSS + 1u>, ROWS>;
var<workgroup> share_2: array<array<vec4f, ACROSS + 1u>, ROWS>;

const DY: u32 = 3u; // none of the parts of qkv

/// Where a part of qkv, or dy, begins in a row of the batch.
fn first_of(bh: u32, part: u32) -> u32 {
  if part == DY { return at_y(bh, 0u); }
  return at_qkv(bh, 0u, part);
}

/// Value `e` of rows of a part, which begins at `base`; those past its end are like
/// the last.
fn load_row(base: u32, part: u32, first: u32, e: u32) -> Value {
  let t = min(first + e / SIZE, params.time - 1u);
  if part == DY { return load_dy(base + t * row_y() + e % SIZE); }
  return load_qkv(base + t * row_qkv() + e % SIZE);
}

/// Brings ROWS rows from `first` on, of two kinds, the first of them scaled.
fn stage_rows(bh: u32, first: u32, part_1: u32, part_2: u32, thread: u32) {
  let base_1 = first_of(bh, part_1);
  let base_2 = first_of(bh, part_2);
  var e0 = thread;
  while e0 < ROWS * SIZE {
    var brought_1 = array<Value, AHEAD>();
    var brought_2 = array<Value, AHEAD>();
    for (var i = 0u; i < AHEAD; i++) {
      brought_1[i] = load_row(base_1, part_1, first, e0 + i * THREADS);
      brought_2[i] = load_row(base_2, part_2, first, e0 + i * THREADS);
    }
    for (var i = 0u; i < AHEAD; i++) {
      let e = e0 + i * THREADS;
      if e < ROWS * SIZE {
        row_1[e / SIZE][e % SIZE] = brought_1[i] * params.scale;
        row_2[e / SIZE][e % SIZE] = brought_2[i];
      }
    }
    e0 += BURST;
  }
}

/// Brings COLUMNS columns from `first` on, of two kinds, which begin at the bases,
/// several of them on their way at once.
fn stage_columns(bases: vec2u, first: u32, part_1: u32, part_2: u32, thread: u32) {
  var e0 = thread;
  while e0 < COLUMNS * SIZE {
    var brought_1 = array<Value, AHEAD>();
    var brought_2 = array<Value, AHEAD>();
    for (var i = 0u; i < AHEAD; i++) {
      brought_1[i] = load_row(bases.x, part_1, first, e0 + i * THREADS);
      brought_2[i] = load_row(bases.y, part_2, first, e0 + i * THREADS);
    }
    for (var i = 0u; i < AHEAD; i++) {
      let e = e0 + i * THREADS;
      if e < COLUMNS * SIZE {
        column_1[e / SIZE][e % SIZE] = brought_1[i];
        column_2[e / SIZE][e % SIZE] = brought_2[i];
      }
    }
    e0 += BURST;
  }
}

@compute @workgroup_size(THREADS)
fn backward_q(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let id = flat_group(group, groups);
  let many = params.batch * params.heads;
  if id >= many * params.blocks { return; }
  let bh = id % many;
  let first = (params.blocks - 1u - id / many) * ROWS; // the longest come first
  let down = thread / ACROSS;
  let right = thread % ACROSS;
  let b = bh / params.heads;
  stage_rows(bh, first, Q, DY, thread);
  var log_sum = array<f32, EACH>();
  var d = array<f32, EACH>();
  var since = array<u32, EACH>(); // the first key that a query sees
  workgroupBarrier();
  for (var r = 0u; r < EACH; r++) {
    let t = min(first + down + r * DOWN, params.time - 1u);
    log_sum[r] = lse_kept[bh * params.time + t];
    since[r] = document_start(b, t);
    var c0 = 0u;
    while c0 < SIZE {
      for (var i = 0u; i < STEP; i++) {
        let c = c0 + i;
        d[r] = plus_dot(d[r], row_2[down + r * DOWN][c], Value(y_kept[at_y(bh, t) + c]));
      }
      c0 += STEP;
    }
    if right == 0u { delta[bh * params.time + t] = d[r]; }
  }

  var sum = array<Value, EACH * OWNED>();
  let bases = vec2u(first_of(bh, K), first_of(bh, V));
  let end = min(first + ROWS, params.time);
  for (var s0 = document_start(b, first); s0 < end; s0 += COLUMNS) {
    stage_columns(bases, s0, K, V, thread);
    workgroupBarrier();
    let s = s0 + right + ACROSS * vec4u(0u, 1u, 2u, 3u);
    var product = array<vec4f, EACH>();
    var dproduct = array<vec4f, EACH>();
    var c0 = 0u;
    while c0 < SIZE {
      for (var i = 0u; i < STEP; i++) {
        let c = c0 + i;
        var k = array<Value, 4>();
        var v = array<Value, 4>();
        for (var j = 0u; j < 4u; j++) {
          k[j] = column_1[right + j * ACROSS][c];
          v[j] = column_2[right + j * ACROSS][c];
        }
        for (var r = 0u; r < EACH; r++) {
          let own_1 = row_1[down + r * DOWN][c];
          let own_2 = row_2[down + r * DOWN][c];
          for (var j = 0u; j < 4u; j++) {
            product[r][j] = plus_dot(product[r][j], own_1, k[j]);
            dproduct[r][j] = plus_dot(dproduct[r][j], own_2, v[j]);
          }
        }
      }
      c0 += STEP;
    }
    for (var r = 0u; r < EACH; r++) {
      let t = first + down + r * DOWN;
      var dp = dproduct[r];
      if DROPOUT {
        dp *= vec4f(kept_share(bh, t, s.x), kept_share(bh, t, s.y), kept_share(bh, t, s.z), kept_share(bh, t, s.w));
      }
      let ds = exp(product[r] - log_sum[r]) * (dp - d[r]) * params.scale;
      let seen = (vec4u(since[r]) <= s) & (s <= vec4u(t));
      share_1[down + r * DOWN][right] = select(vec4f(), ds, seen);
    }
    workgroupBarrier();
    var a = 0u;
    while a < ACROSS {
      for (var o = 0u; o < OWNED; o++) {
        let c = min(right + o * ACROSS, SIZE - 1u);
        var k = array<Value, 4>();
        for (var j = 0u; j < 4u; j++) { k[j] = column_1[a + j * ACROSS][c]; }
        for (var r = 0u; r < EACH; r++) {
          let ds = share_1[down + r * DOWN][a];
          for (var j = 0u; j < 4u; j++) { sum[r * OWNED + o] += ds[j] * k[j]; }
        }
      }
      a++;
    }
    workgroupBarrier();
  }
  for (var r = 0u; r < EACH; r++) {
    let t = first + down + r * DOWN;
    for (var o = 0u; o < OWNED; o++) {
      let c = right + o * ACROSS;
      if t < params.time && c < SIZE { dqkv[at_qkv(bh, t, Q) + c] = Stored(sum[r * OWNED + o]); }
    }
  }
}

@compute @workgroup_size(THREADS)
fn backward_kv(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let id = flat_group(group, groups);
  let many = params.batch * params.key_heads;
  if id >= many * params.blocks { return; }
  let served = params.heads / params.key_heads; // heads of queries by this one of keys
  let bh = id % many * served; // the first of them
  let first = id / many * ROWS; // the longest come first
  let down = thread / ACROSS;
  let right = thread % ACROSS;
  let b = bh / params.heads;
  stage_rows(bh, first, K, V, thread);

  var until = array<u32, EACH>(); // the first query that sees a key no more
  for (var r = 0u; r < EACH; r++) {
    until[r] = document_end(b, min(first + down + r * DOWN, params.time - 1u));
  }
  var sum_k = array<Value, EACH * OWNED>();
  var sum_v = array<Value, EACH * OWNED>();
  let end = document_end(b, min(first + ROWS, params.time) - 1u);
  for (var head = bh; head < bh + served; head++) {
    let bases = vec2u(first_of(head, Q), first_of(head, DY));
    for (var t0 = first; t0 < end; t0 += COLUMNS) {
      stage_columns(bases, t0, Q, DY, thread);
      workgroupBarrier();
      let t = t0 + right + ACROSS * vec4u(0u, 1u, 2u, 3u);
      let at = head * params.time + min(t, vec4u(params.time - 1u));
      let log_sum = vec4f(lse_kept[at.x], lse_kept[at.y], lse_kept[at.z], lse_kept[at.w]);
      let d = vec4f(delta_kept[at.x], delta_kept[at.y], delta_kept[at.z], delta_kept[at.w]);
      var product = array<vec4f, EACH>();
      var dproduct = array<vec4f, EACH>();
      var c0 = 0u;
      while c0 < SIZE {
        for (var i = 0u; i < STEP; i++) {
          let c = c0 + i;
          var q = array<Value, 4>();
          var g = array<Value, 4>();
          for (var j = 0u; j < 4u; j++) {
            q[j] = column_1[right + j * ACROSS][c];
            g[j] = column_2[right + j * ACROSS][c];
          }
          for (var r = 0u; r < EACH; r++) {
            let own_1 = row_1[down + r * DOWN][c];
            let own_2 = row_2[down + r * DOWN][c];
            for (var j = 0u; j < 4u; j++) {
              product[r][j] = plus_dot(product[r][j], own_1, q[j]);
              dproduct[r][j] = plus_dot(dproduct[r][j], own_2, g[j]);
            }
          }
        }
        c0 += STEP;
      }
      for (var r = 0u; r < EACH; r++) {
        let s = first + down + r * DOWN;
        let seen = (vec4u(s) <= t) & (t < vec4u(until[r]));
        let p = exp(product[r] - log_sum);
        var share = vec4f(1.0);
        if DROPOUT {
          share = vec4f(kept_share(head, t.x, s), kept_share(head, t.y, s), kept_share(head, t.z, s), kept_share(head, t.w, s));
        }
        share_1[down + r * DOWN][right] = select(vec4f(), p * (dproduct[r] * share - d) * params.scale, seen);
        share_2[down + r * DOWN][right] = select(vec4f(), p * share, seen);
      }
      workgroupBarrier();
      var a = 0u;
      while a < ACROSS {
        for (var o = 0u; o < OWNED; o++) {
          let c = min(right + o * ACROSS, SIZE - 1u);
          var q = array<Value, 4>();
          var g = array<Value, 4>();
          for (var j = 0u; j < 4u; j++) {
            q[j] = column_1[a + j * ACROSS][c];
            g[j] = column_2[a + j * ACROSS][c];
          }
          for (var r = 0u; r < EACH; r++) {
            let ds = share_1[down + r * DOWN][a];
            let p = share_2[down + r * DOWN][a];
            for (var j = 0u; j < 4u; j++) {
              sum_k[r * OWNED + o] += ds[j] * q[j];
              sum_v[r * OWNED + o] += p[j] * g[j];
            }
          }
        }
        a++;
      }
      workgroupBarrier();
    }
  }
  for (var r = 0u; r < EACH; r++) {
    let s = first + down + r * DOWN;
    for (var o = 0u; o < OWNED; o++) {
      let c = right + o * ACROSS;
      if s < params.time && c < SIZE {
        dqkv[at_qkv(bh, s, K) + c] = Stored(sum_k[r * OWNED + o]);
        dqkv[at_qkv(bh, s, V) + c] = Stored(sum_v[r * OWNED + o]);
      }
    }
  }
}
