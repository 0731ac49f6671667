// Whether images give what they hold.
//
//   check   y[i] = the texel i of x   a thread per texel

const TEXELS: u32 = 32u;

@group(0) @binding(0) var x: texture_storage_2d<rgba32float, read>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(TEXELS)
fn check(@builtin(local_invocation_index) thread: u32) {
  y[thread] = textureLoad(x, vec2u(thread, 0u));
}
