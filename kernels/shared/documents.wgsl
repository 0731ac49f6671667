// Rows of a batch are documents side by side. The including kernel declares
// `params`.

@group(0) @binding(10) var<storage, read> starts: array<u32>; //   [B, T], never falling in a row

/// Where the document of a position begins.
fn document_start(b: u32, t: u32) -> u32 {
  return starts[b * params.time + t];
}

/// The first position beyond the document of a position, found by halving: the
/// first whose document begins after it.
fn document_end(b: u32, t: u32) -> u32 {
  var end = t + 1u; // all before it belong to this document or earlier ones
  var beyond = params.time;
  while end < beyond {
    let middle = (end + beyond) / 2u;
    if starts[b * params.time + middle] > t {
      beyond = middle;
    } else {
      end = middle + 1u;
    }
  }
  return end;
}
