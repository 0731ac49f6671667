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
  // What all threads read alike they read before any branch: software adapters
  // then load it once, and not for every lane.
  let factor = status[1];
  let stays = (status[2] != 0.0) | (status[3] != 0.0);
  let bias1 = status[7];
  let bias2 = status[8];
  let lr = params.lr;
  let beta1 = params.beta1;
  let beta2 = params.beta2;
  let eps = params.eps;
  let kept = 1.0 - lr * select(0.0, params.decay, i < params.matrices);
  if i >= params.vectors || stays { return; }
  let g = grad[i] * factor;
  let m_next = beta1 * m[i] + (1.0 - beta1) * g;
  let v_next = beta2 * v[i] + (1.0 - beta2) * g * g;
  m[i] = m_next;
  v[i] = v_next;
  let delta = (m_next / bias1) / (sqrt(v_next / bias2) + eps);
  weight[i] = weight[i] * kept - lr * delta;
}
