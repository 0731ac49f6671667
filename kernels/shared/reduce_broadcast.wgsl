// A sum for narrow subgroups of a software adapter: the values go round by
// broadcast, which takes less time there than subgroupAdd. A workgroup is one
// subgroup; the including kernel declares `const BLOCK`, its size.

/// The sum of `value` over the workgroup, returned to every thread of it.
fn row_sum(value: f32, thread: u32) -> f32 {
  var sum = 0.0;
  for (var lane = 0u; lane < BLOCK; lane++) { sum += subgroupBroadcast(value, lane); }
  return sum;
}
