// What a subgroup hands round, where a workgroup is one.
//
//   lanes   y[4 i ..] = lane of thread i, sum and greatest of x over the
//           workgroup, and x of the lane that `from` names                 a workgroup per row

const BLOCK: u32 = 8u;
const FROM: u32 = 3u;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(BLOCK)
fn lanes(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let at = group.x * BLOCK + thread;
  y[4u * at] = f32(lane);
  y[4u * at + 1u] = subgroupAdd(x[at]);
  y[4u * at + 2u] = subgroupMax(x[at]);
  y[4u * at + 3u] = subgroupBroadcast(x[at], FROM);
}
