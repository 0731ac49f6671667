// Each row of a batch is one document. The including kernel declares `params`.

/// Where the document of a position begins.
fn document_start(b: u32, t: u32) -> u32 {
  return 0u;
}

/// The first position beyond the document of a position.
fn document_end(b: u32, t: u32) -> u32 {
  return params.time;
}
