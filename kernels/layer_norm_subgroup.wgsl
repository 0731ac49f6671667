// Layer normalization for adapters whose subgroups are narrow and whose memory is
// slow; see layer_norm.wgsl, whose `sum_affine` adds up the partial sums.
//
//   forward   y = n weight + bias,  n = (x - mean) rstd
//             rstd = 1 / sqrt(variance + eps)                a workgroup per ROWS rows
//   backward  dx = rstd (g - avg(g) - n avg(g n)),  g = dy weight
//             partial_weight[p] = sum over rows of part p of dy n
//             partial_bias[p] = sum over rows of part p of dy
//                                                            a workgroup per part of ROWS rows
//
// A workgroup is one subgroup. Its threads hold a row in registers, HELD vectors
// each, so that all is read once; weight and bias serve all rows of a workgroup.
// A row is HELD BLOCK vectors long, stored with 32 or 16 bits.

const BLOCK: u32 = 8u; // the adapter's subgroup size
const HELD: u32 = 4u;
const ROWS: u32 = 32u;
const BIAS: bool = true;
const ADD: bool = false; // to what lies in dx

struct Params {
  rows: u32,
  eps: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Stored>; //                  [rows, cols]
@group(0) @binding(2) var<storage, read> weight: array<vec4f>; //              [cols]
@group(0) @binding(3) var<storage, read> bias: array<vec4f>; //                [cols]
@group(0) @binding(4) var<storage, read_write> y: array<Stored>; //            [rows, cols]
@group(0) @binding(5) var<storage, read_write> moments: array<vec2f>; //       [rows] of (mean, rstd)
@group(0) @binding(6) var<storage, read> kept: array<vec2f>; //                moments, once forward is done
@group(0) @binding(7) var<storage, read> dy: array<Stored>; //                 [rows, cols]
@group(0) @binding(8) var<storage, read_write> dx: array<Stored>; //           [rows, cols]
@group(0) @binding(9) var<storage, read_write> partial_weight: array<vec4f>; // [parts, cols]
@group(0) @binding(10) var<storage, read_write> partial_bias: array<vec4f>; // [parts, cols]

const VECTORS = HELD * BLOCK; // of a row
const COLS = f32(4u * VECTORS);

@compute @workgroup_size(BLOCK)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let first = flat_group(group, groups) * ROWS;
  let end = min(first + ROWS, params.rows);
  let eps = params.eps;
  var scale = array<vec4f, HELD>();
  var shift = array<vec4f, HELD>();
  for (var h = 0u; h < HELD; h++) {
    scale[h] = weight[h * BLOCK + thread];
    if BIAS { shift[h] = bias[h * BLOCK + thread]; }
  }
  for (var row = first; row < end; row++) {
    let start = row * VECTORS + thread;
    var v = array<vec4f, HELD>();
    var sum = vec4f();
    for (var h = 0u; h < HELD; h++) {
      v[h] = vec4f(x[start + h * BLOCK]);
      sum += v[h];
    }
    let mean = row_sum(across(sum), thread) / COLS;
    var squares = vec4f();
    for (var h = 0u; h < HELD; h++) {
      v[h] -= mean;
      squares += v[h] * v[h];
    }
    let rstd = 1.0 / sqrt(row_sum(across(squares), thread) / COLS + eps);
    for (var h = 0u; h < HELD; h++) {
      y[start + h * BLOCK] = Stored(v[h] * rstd * scale[h] + shift[h]);
    }
    if thread == 0u { moments[row] = vec2f(mean, rstd); }
  }
}

@compute @workgroup_size(BLOCK)
fn backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let part = flat_group(group, groups);
  let end = min(part * ROWS + ROWS, params.rows);
  var scale = array<vec4f, HELD>();
  var sum_dy_n = array<vec4f, HELD>();
  var sum_dy = array<vec4f, HELD>();
  for (var h = 0u; h < HELD; h++) {
    scale[h] = weight[h * BLOCK + thread];
  }
  for (var row = part * ROWS; row < end; row++) {
    let start = row * VECTORS + thread;
    let of_row = kept[row];
    var n = array<vec4f, HELD>();
    var g = array<vec4f, HELD>();
    var sum_g = vec4f();
    var sum_gn = vec4f();
    for (var h = 0u; h < HELD; h++) {
      let d = vec4f(dy[start + h * BLOCK]);
      n[h] = (vec4f(x[start + h * BLOCK]) - of_row.x) * of_row.y;
      g[h] = d * scale[h];
      sum_g += g[h];
      sum_gn += g[h] * n[h];
      sum_dy_n[h] += d * n[h];
      sum_dy[h] += d;
    }
    let avg_g = row_sum(across(sum_g), thread) / COLS;
    let avg_gn = row_sum(across(sum_gn), thread) / COLS;
    for (var h = 0u; h < HELD; h++) {
      var v = of_row.y * (g[h] - avg_g - n[h] * avg_gn);
      if ADD { v += vec4f(dx[start + h * BLOCK]); }
      dx[start + h * BLOCK] = Stored(v);
    }
  }
  for (var h = 0u; h < HELD; h++) {
    let at = part * VECTORS + h * BLOCK + thread;
    partial_weight[at] = sum_dy_n[h];
    if BIAS { partial_bias[at] = sum_dy[h]; }
  }
}
