#!/bin/sh
# Measures everything there is to measure and writes the figures into
# docs/benchmarks.md. Takes about twenty minutes on two cores; leave the
# machine alone meanwhile. The libraries beside ours are downloaded at first;
# PyTorch takes part where python3 has it.
#
#   sh runs/benchmarks.sh            # everything
#   sh runs/benchmarks.sh --quick    # something tiny, to see that it runs
set -eu
cd "$(dirname "$0")/.."
mkdir -p out
failed=0
deno task --quiet bench all --json "$@" >out/benchmarks.jsonl || failed=1
[ $# -eq 0 ] || exit $failed
cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1)
deno run --allow-read --allow-write=docs bench/markdown.ts docs/benchmarks.md \
  "${cpu:-$(uname -m)}" <out/benchmarks.jsonl
deno fmt --quiet docs/benchmarks.md
exit $failed
