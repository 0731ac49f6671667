// Causal self-attention over packed queries, keys and values, for adapters with
// fast workgroup memory.
//
//   forward   y[t] = sum over s <= t of drop(p[t, s]) v[s]    a workgroup per (b, h, block of queries)
//             p[t, s] = exp(scale q[t].k[s] - lse[t])
//
// A workgroup keeps ROWS queries in workgroup memory and meets the keys, then
// the values, COLUMNS at a time. Its threads stand in a grid, DOWN by ACROSS.
// One works out the scores of EACH rows and four columns, so that a vector that
// is read is used several times, and owns some channels of the outputs of the
// same rows. Only `lse`, one number per query, is kept: backward recomputes the
// probabilities, so memory is linear in T. (FlashAttention, Dao et al. 2022.)
// A query sees the keys of its own document; those before the documents of the
// whole block are left out. The including source says whether a `Value` is one
// channel or four, and where documents begin.

const DOWN: u32 = 8u;
const ACROSS: u32 = 8u;
const EACH: u32 = 4u; // rows of a thread, DOWN apart
const SIZE: u32 = 8u; // values per head
const STEP: u32 = 1u; // values of a row between two turns of a loop; divides SIZE
const AHEAD: u32 = 4u; // values a thread fetches at once
const DROPOUT: bool = false;
const LOWEST: f32 = -1e30;

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
  blocks: u32, // of ROWS queries in `time`
  scale: f32,
  rate: f32,
  seed_x: u32,
  seed_y: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<Stored>; //   [B, T, H, SIZE]
@group(0) @binding(2) var<storage, read_write> lse: array<f32>; //    [B, H, T]

var<workgroup> queries: array<Line, ROWS>;
var<workgroup> columns: array<Line, COLUMNS>; // keys, then values
var<workgroup> shares: array<array<vec4f, ACROSS + 1u>, ROWS>;
var<workgroup> partial: array<array<f32, ACROSS>, ROWS>;

/// Value `e` of rows of keys or values (or queries), which begin at `base` in a row of
/// the batch; those past its end are like the last.
fn load_row(base: u32, first: u32, e: u32) -> Value {
  return load_qkv(base + min(first + e / SIZE, params.time - 1u) * row_qkv() + e % SIZE);
}

/// Brings COLUMNS keys or values from `s0` on, several of them on their way at once.
fn stage_columns(base: u32, s0: u32, thread: u32) {
  var e0 = thread;
  while e0 < COLUMNS * SIZE {
    var brought = array<Value, AHEAD>();
    for (var i = 0u; i < AHEAD; i++) { brought[i] = load_row(base, s0, e0 + i * THREADS); }
    for (var i = 0u; i < AHEAD; i++) {
      let e = e0 + i * THREADS;
      if e < COLUMNS * SIZE { columns[e / SIZE][e % SIZE] = brought[i]; }
    }
    e0 += BURST;
  }
}

@compute @workgroup_size(THREADS)
fn forward(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let id = flat_group(group, groups);
  let many = params.batch * params.heads;
  if id >= many * params.blocks { return; }
  let bh = id % many;
  let first = (params.blocks - 1u - id / many) * ROWS; // the longest come first
  let down = thread / ACROSS;
  let right = thread % ACROSS;
  let b = bh / params.heads;
  let of_queries = at_qkv(bh, 0u, Q);
  let of_keys = at_qkv(bh, 0u, K);
  let of_values = at_qkv(bh, 0u, V);
  var e0 = thread;
  while e0 < ROWS * SIZE {
    var brought = array<Value, AHEAD>();
    for (var i = 0u; i < AHEAD; i++) { brought[i] = load_row(of_queries, first, e0 + i * THREADS); }
    for (var i = 0u; i < AHEAD; i++) {
      let e = e0 + i * THREADS;
      if e < ROWS * SIZE { queries[e / SIZE][e % SIZE] = brought[i] * params.scale; }
    }
    e0 += BURST;
  }
  var sum = array<Value, EACH * OWNED>();
  var top = array<f32, EACH>();
  var total = array<f32, EACH>(); // of this thread's columns
  var since = array<u32, EACH>(); // the first key that a query sees
  for (var r = 0u; r < EACH; r++) {
    top[r] = LOWEST;
    since[r] = document_start(b, min(first + down + r * DOWN, params.time - 1u));
  }

  let end = min(first + ROWS, params.time);
  for (var s0 = document_start(b, first); s0 < end; s0 += COLUMNS) {
    stage_columns(of_keys, s0, thread);
    workgroupBarrier();
    let s = s0 + right + ACROSS * vec4u(0u, 1u, 2u, 3u);
    var scores = array<vec4f, EACH>();
    var c0 = 0u;
    while c0 < SIZE {
      for (var i = 0u; i < STEP; i++) {
        let c = c0 + i;
        var k = array<Value, 4>();
        for (var j = 0u; j < 4u; j++) { k[j] = columns[right + j * ACROSS][c]; }
        for (var r = 0u; r < EACH; r++) {
          let q = queries[down + r * DOWN][c];
          for (var j = 0u; j < 4u; j++) { scores[r][j] = plus_dot(scores[r][j], q, k[j]); }
        }
      }
      c0 += STEP;
    }
    for (var r = 0u; r < EACH; r++) {
      let seen = (vec4u(since[r]) <= s) & (s <= vec4u(first + down + r * DOWN));
      scores[r] = select(vec4f(LOWEST), scores[r], seen);
      partial[down + r * DOWN][right] = max(max(scores[r].x, scores[r].y), max(scores[r].z, scores[r].w));
    }
    workgroupBarrier();
    stage_columns(of_values, s0, thread);
    for (var r = 0u; r < EACH; r++) {
      var next = top[r];
      for (var a = 0u; a < ACROSS; a++) { next = max(next, partial[down + r * DOWN][a]); }
      let shrink = exp(top[r] - next);
      var share = exp(scores[r] - next);
      top[r] = next;
      total[r] = total[r] * shrink + ((share.x + share.y) + (share.z + share.w));
      if DROPOUT {
        let t = first + down + r * DOWN;
        share *= vec4f(kept_share(bh, t, s.x), kept_share(bh, t, s.y), kept_share(bh, t, s.z), kept_share(bh, t, s.w));
      }
      shares[down + r * DOWN][right] = share;
      for (var o = 0u; o < OWNED; o++) { sum[r * OWNED + o] *= shrink; }
    }
    workgroupBarrier();
    var a = 0u;
    while a < ACROSS {
      for (var o = 0u; o < OWNED; o++) {
        let c = min(right + o * ACROSS, SIZE - 1u);
        var v = array<Value, 4>();
        for (var j = 0u; j < 4u; j++) { v[j] = columns[a + j * ACROSS][c]; }
        for (var r = 0u; r < EACH; r++) {
          let share = shares[down + r * DOWN][a];
          for (var j = 0u; j < 4u; j++) { sum[r * OWNED + o] += share[j] * v[j]; }
        }
      }
      a++;
    }
    workgroupBarrier();
  }

  for (var r = 0u; r < EACH; r++) { partial[down + r * DOWN][right] = total[r]; }
  workgroupBarrier();
  for (var r = 0u; r < EACH; r++) {
    let t = first + down + r * DOWN;
    var all = 0.0;
    for (var a = 0u; a < ACROSS; a++) { all += partial[down + r * DOWN][a]; }
    if t < params.time {
      for (var o = 0u; o < OWNED; o++) {
        let c = right + o * ACROSS;
        if c < SIZE { y[at_y(bh, t) + c] = Stored(sum[r * OWNED + o] / all); }
      }
      if right == 0u { lse[bh * params.time + t] = top[r] + log(all); }
    }
  }
}
