// AdamW, in place. (Loshchilov and Hutter, 2019.)
//
//   update   g = grad status[1]                                    a thread per four parameters
//            m = beta1 m + (1 - beta1) g
//            v = beta2 v + (1 - beta2) g^2
//            weight = weight (1 - lr decay) - lr (m / bias1) / (sqrt(v / bias2) + eps)
//            where bias1 = 1 - beta1^n and bias2 = 1 - beta2^n correct the zero start
//
// The first vectors belong to matrices, which decay. Nothing moves in a step
// that is skipped, nor once one is broken; see gradient_norm.wgsl.

const BLOCK: u32 = 64u;

struct Params {
  vectors: u32, // parameters, in fours
  matrices: u32, // those of matrices, in fours
  lr: f32,
  beta1: f32,
  beta2: f32,
  eps: f32,
  decay: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> grad: array<vec4f>;
@group(0) @binding(2) var<storage, read> status: array<f32>; //            [9]
@group(0) @binding(3) var<storage, read_write> weight: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> v: array<vec4f>;

@compute @workgroup_size(BLOCK)
fn update(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat_group(group, groups) * BLOCK + thread;
  if i >= params.vectors || status[2] != 0.0 || status[3] != 0.0 { return; }
  let g = grad[i] * status[1];
  let m_next = params.beta1 * m[i] + (1.0 - params.beta1) * g;
  let v_next = params.beta2 * v[i] + (1.0 - params.beta2) * g * g;
  m[i] = m_next;
  v[i] = v_next;
  let decay = select(0.0, params.decay, i < params.matrices);
  let delta = (m_next / status[7]) / (sqrt(v_next / status[8]) + params.eps);
  weight[i] = weight[i] * (1.0 - params.lr * decay) - params.lr * delta;
}
