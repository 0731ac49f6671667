// The same reductions where a workgroup is one subgroup: no memory, no barrier.
// The including kernel declares `const BLOCK`, the adapter's subgroup size.

/// The sum of `value` over the workgroup, returned to every thread of it.
fn row_sum(value: f32, thread: u32) -> f32 {
  return subgroupAdd(value);
}

/// The largest `value` in the workgroup, returned to every thread of it.
fn row_max(value: f32, thread: u32) -> f32 {
  return subgroupMax(value);
}
