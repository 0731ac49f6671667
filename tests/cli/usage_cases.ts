/**
 * Command lines that make no sense.
 *
 * @module
 */

import { type Case, TRAIN } from "./case.ts";

/** Each ends with 2. */
export const WRONG_USAGE: readonly Case[] = [
  {
    args: `${TRAIN} --learning-rte 1e-3`,
    says: ["unknown flag --learning-rte, did you mean --learning-rate?"],
  },
  { args: `${TRAIN} -n 3`, says: ["unknown flag -n"] },
  {
    args: `${TRAIN} --n-layer 0`,
    says: ['--n-layer is "0", expected a whole number from 1'],
  },
  { args: `${TRAIN} --batch-size 2.5`, says: ['--batch-size is "2.5"'] },
  { args: `${TRAIN} --max-iters many`, says: ['--max-iters is "many"'] },
  {
    args: `${TRAIN} --learning-rate 1e400`,
    says: ['--learning-rate is "1e400"'],
  },
  { args: `${TRAIN} --learning-rate NaN`, says: ['--learning-rate is "NaN"'] },
  { args: `${TRAIN} --dropout 1`, says: ["--dropout is 1, expected below 1"] },
  {
    args: `${TRAIN} --dropout -0.1`,
    says: ['--dropout is "-0.1", expected a number from 0 to 1'],
  },
  {
    args: `${TRAIN} --n-embd 10 --n-head 3`,
    says: ["--n-embd 10 is not a multiple of --n-head 3"],
  },
  {
    args: `${TRAIN} --min-lr 1 --learning-rate 0.1`,
    says: ["--min-lr 1 is above --learning-rate 0.1"],
  },
  {
    args: `${TRAIN} --warmup-iters 20 --lr-decay-iters 10`,
    says: ["--warmup-iters 20", "--lr-decay-iters 10"],
  },
  {
    args: `${TRAIN} --dtype bf16`,
    says: ['--dtype is "bf16"', "f32, f16"],
  },
  {
    args: `${TRAIN} --recompute all`,
    says: ['--recompute is "all"', "none, mlp, block"],
  },
  { args: `${TRAIN} --preset gpt5`, says: ['--preset is "gpt5"', "gpt2-xl"] },
  { args: `${TRAIN} --seed= `, says: ['--seed is ""'] },
  { args: "train --out --data @text.txt", says: ["--out needs a DIR"] },
  { args: "train --data", says: ["--data needs a FILE|DIR|GLOB|URL"] },
  {
    args: "train --resume --overwrite --out @model",
    says: ["--resume and --overwrite exclude each other"],
  },
  {
    args: "train --init-from @model --n-layer 2 --no-bias --out @new",
    says: ["--init-from", "--n-layer, --bias"],
  },
  {
    args: `${TRAIN} --bogus 3 --vocab-size 2 --n-embd 10 --n-head 3 --min-lr 9`,
    says: [
      "unknown flag --bogus",
      '--vocab-size is "2"',
      "--n-embd 10 is not a multiple of --n-head 3",
      "--min-lr 9 is above --learning-rate",
    ],
  },
  {
    args:
      "train --resume --out @model --n-layer 3 --tokenizer byte --n-embd 99",
    says: [
      '--tokenizer is "byte", the run has "char"',
      "--n-layer is 3, the run has 1",
      "--n-embd is 99, the run has 16",
    ],
  },
  {
    args: "train --resume --out @model --data @other.txt",
    says: ["--data is [", "other.txt", "the run has [", "text.txt"],
  },
  {
    args: "train --resume --out @model --max-iters 1",
    says: ["--max-iters is 1, the run has taken 2 steps"],
  },
  {
    args: "generate --model @model --prompt=",
    says: ["--prompt needs a TEXT"],
  },
  {
    args: "generate --model @model Once upon",
    says: ['unexpected "Once"; quote a prompt of several words'],
  },
  {
    args: "generate --model @model --temperature -1",
    says: ["temperature is -1"],
  },
  { args: "generate --model @model --top-p 1.5", says: ["1.5"] },
  { args: "generate --model @model --stop=", says: ["--stop needs a TEXT"] },
  { args: "eval --model @model", says: ["--data is missing"] },
  {
    args: "eval --model @model --choices @rows.jsonl --data @text.txt",
    says: ["--choices and --data exclude each other"],
  },
  {
    args: "eval --model @model --choices @rows.jsonl --stride 2",
    says: ["--stride is not for --choices"],
  },
  {
    args: "eval --model @model --data @text.txt --limit 2",
    says: ["--limit is for --choices"],
  },
  {
    args: "chat --model @model Hello --min-p 2",
    says: ['unexpected "Hello"; messages come from stdin', "min-p is 2"],
  },
  { args: "eval --modle @model", says: ["--model?", "--data is missing"] },
  { args: "convert --model @model", says: ["--out is missing"] },
  {
    args: "convert --model @model --out @new --dtype f8",
    says: ['--dtype is "f8"', "f32, f16, bf16"],
  },
  {
    args: "convert --model @model --out @new --max-shard-size 5XB more",
    says: ['--max-shard-size is "5XB"', 'unexpected "more"'],
  },
];
