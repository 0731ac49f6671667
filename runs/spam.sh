#!/bin/sh
# Spam or not: a small GPT-2 pretrained here on the messages' text, then taught
# to tell them apart; 747 of each, 70 % to learn from, 10 % to choose by, 20 % to
# be judged by.
#
#     sh runs/spam.sh path/to/sms-spam.tsv [OUT]
#
# With published weights: deno task finetune classify --model openai-community/gpt2
# (or a folder of them), --trainable-layers last-block as in the book.
set -eu
data=${1:?"usage: sh runs/spam.sh TSV [OUT]"}
out=${2:-out/spam}
mkdir -p "$out"
cut -f2- "$data" > "$out/messages.txt"
deno task train --data "$out/messages.txt" --vocab-size 1024 --n-layer 3 \
  --n-head 4 --n-embd 96 --block-size 128 --max-iters 500 --learning-rate 3e-3 \
  --out "$out/base" --overwrite
deno task finetune classify --model "$out/base" --data "$data" --balance \
  --epochs 3 --learning-rate 5e-4 --dropout 0.1 --out "$out/classifier" \
  --overwrite
echo "WINNER! A 1000 cash prize is yours, call 09061701461 now" |
  deno task classify --model "$out/classifier/best"
