// What all ends of a product share. The including kernel declares `params` with
// the flag `biased`, and includes the one of finish*.wgsl that it ends with.

alias StoredC = vec4f;
const ADD: bool = false; // whether to add to what is there

@group(0) @binding(3) var<storage, read> bias: array<vec4f>; //          [cols]
@group(0) @binding(4) var<storage, read_write> c: array<StoredC>; //     [batch, rows, cols]

/// What the columns 4 v .. 4 v + 3 of every row are shifted by.
fn shift_of(v: u32) -> vec4f {
  if params.biased != 0u { return bias[v]; }
  return vec4f();
}
