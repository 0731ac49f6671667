#!/bin/sh
# Instruction tuning of a small model pretrained here, whole and with LoRA.
#
#     sh runs/instructions.sh FOLDER [OUT]
#
# FOLDER holds instruction-data.json (of "Build a Large Language Model (From
# Scratch)"), tinyshakespeare.txt, the-verdict.txt and sms-spam.tsv.
set -eu
cd "$(dirname "$0")/.."
from=$1
out=${2:-out/instructions}
mkdir -p "$out/text"
deno run --allow-read --allow-write runs/split_instructions.ts "$from/instruction-data.json" "$out/text"
cut -f2- "$from/sms-spam.tsv" > "$out/text/sms.txt"

deno task train --out "$out/base" --overwrite \
  --data "$out/text/stories.txt" --data "$out/text/instructions.txt" --data "$out/text/sms.txt" \
  --data "$from/tinyshakespeare.txt" --data "$from/the-verdict.txt" \
  --vocab-size 2048 --n-layer 4 --n-head 4 --n-embd 128 --block-size 256 \
  --batch-size 8 --max-iters 3000 --learning-rate 2e-3 --eval-interval 500

tune() {
  name=$1
  shift
  deno task finetune instruct --model "$out/base" --out "$out/$name" --overwrite \
    --data "$out/text/train.json" --validation-data "$out/text/validation.json" \
    --test-data "$out/text/test.json" --answers 110 --eval-interval 50 "$@"
}
tune full --epochs 3 --learning-rate 5e-4
tune lora --epochs 3 --trainable-layers lora --lora-r 6 --lora-alpha 12 --learning-rate 5e-3
