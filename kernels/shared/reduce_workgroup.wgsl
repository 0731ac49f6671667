// Reductions over a workgroup, for kernels that give one workgroup to each row.
// The including kernel declares `const BLOCK`, its threads, a power of two.

var<workgroup> partial: array<f32, BLOCK>;

/// The sum of `value` over the workgroup, returned to every thread of it.
fn row_sum(value: f32, thread: u32) -> f32 {
  partial[thread] = value;
  for (var half = BLOCK / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if thread < half {
      partial[thread] += partial[thread + half];
    }
  }
  return workgroupUniformLoad(&partial[0]);
}

/// The largest `value` in the workgroup, returned to every thread of it.
fn row_max(value: f32, thread: u32) -> f32 {
  partial[thread] = value;
  for (var half = BLOCK / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if thread < half {
      partial[thread] = max(partial[thread], partial[thread + half]);
    }
  }
  return workgroupUniformLoad(&partial[0]);
}
