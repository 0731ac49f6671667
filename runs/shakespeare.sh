#!/bin/sh
# nanoGPT's character-level Shakespeare in its configuration for a CPU: 4 layers,
# 4 heads, 128 channels, block 64, batch 12, 2000 steps. nanoGPT publishes a
# validation loss of 1.88 for it.
#
#   sh runs/shakespeare.sh path/to/tinyshakespeare.txt [OUT]
set -eu
data=${1:?"usage: sh runs/shakespeare.sh TEXT [OUT]"}
out=${2:-out/shakespeare}
deno task train --data "$data" --tokenizer char --n-layer 4 --n-head 4 \
  --n-embd 128 --block-size 64 --batch-size 12 --max-iters 2000 --dropout 0 \
  --learning-rate 1e-3 --out "$out"
deno task generate --model "$out" --prompt "ROMEO:" --max-new-tokens 300
