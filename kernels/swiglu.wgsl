// The gated nonlinearity of Llama's MLP, a thread per four elements.
//
//   forward   y = gate s up,  s = 1 / (1 + e^-gate)
//   backward  dgate = dy up s (1 + gate (1 - s))
//             dup = dy gate s
//
// (Shazeer, 2020.) s is computed again on the way back. Gradients are added to
// what is there, or replace it. Elements are `Stored` with 32 or 16 bits.

alias Stored = vec4f;

const BLOCK: u32 = 64u;
const ADD_GATE: bool = false; // to what lies in dgate
const ADD_UP: bool = false; // to what lies in dup

struct Params {
  vectors: u32, // elements, in fours
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gate: array<Stored>;
@group(0) @binding(2) var<storage, read> up: array<Stored>;
@group(0) @binding(3) var<storage, read_write> y: array<Stored>;
@group(0) @binding(4) var<storage, read> dy: array<Stored>;
@group(0) @binding(5) var<storage, read_write> dgate: array<Stored>;
@group(0) @binding(6) var<storage, read_write> dup: array<Stored>;

fn sigmoid(v: vec4f) -> vec4f {
  return 1.0 / (1.0 + exp(-v));
}

@compute @workgroup_size(BLOCK)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  let g = vec4f(gate[i]);
  y[i] = Stored(g * sigmoid(g) * vec4f(up[i]));
}

@compute @workgroup_size(BLOCK)
fn backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors { return; }
  let g = vec4f(gate[i]);
  let s = sigmoid(g);
  let d = vec4f(dy[i]);
  var of_gate = d * vec4f(up[i]) * s * (1.0 + g * (1.0 - s));
  var of_up = d * g * s;
  if ADD_GATE { of_gate += vec4f(dgate[i]); }
  if ADD_UP { of_up += vec4f(dup[i]); }
  dgate[i] = Stored(of_gate);
  dup[i] = Stored(of_up);
}
