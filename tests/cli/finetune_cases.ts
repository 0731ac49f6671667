/**
 * What fine-tuning that cannot work is told.
 *
 * @module
 */

import type { Case } from "./case.ts";

const CLASSIFY = "finetune classify --model @gpt2 --out @new";
const INSTRUCT = "finetune instruct --model @gpt2 --out @new";

/** Fine-tuning that makes no sense: each ends with 2. */
export const WRONG_USAGE: readonly Case[] = [
  { args: "finetune", says: ["expected classify or instruct (see --help)"] },
  {
    args: "finetune clasify",
    says: ['got "clasify"', "did you mean classify?"],
  },
  {
    args: "finetune classify --out @new",
    says: ["--model is missing; --data is missing"],
  },
  {
    args: "finetune instruct --learning-rte 3 @rows.jsonl",
    says: ["did you mean --learning-rate?", "--model is missing"],
  },
  {
    args: `finetune classify --resume --overwrite --epochs 2 --max-iters 3`,
    says: [
      "--resume and --overwrite exclude each other",
      "--epochs and --max-iters exclude each other",
    ],
  },
  {
    args:
      `${CLASSIFY} --lora-r 4 --use-dora --modules-to-save wte --min-lr 1 --dropout 1 --beta1 1 --train-split 0.9`,
    says: [
      "--data is missing",
      "--lora-r, --modules-to-save, --use-dora need --trainable-layers lora",
      "--min-lr 1 is above --learning-rate 0.00005",
      "--dropout is 1, expected below 1",
      "--beta1 and --beta2 must be below 1",
      "--train-split and --validation-split leave nothing for the test part",
    ],
  },
  {
    args: `${CLASSIFY} @texts.csv --lora-dropout 0.5 --trainable-layers head`,
    says: ["--lora-dropout needs --trainable-layers lora"],
  },
  {
    args:
      `${CLASSIFY} @texts.csv --validation-data @few.csv --test-data @few.csv --train-split 0.5`,
    says: ["--train-split divide nothing"],
  },
  {
    args: `${CLASSIFY} @texts.csv --trainable-token first-one --epochs -1`,
    says: ['--trainable-token is "first-one"', '--epochs is "-1"'],
  },
  {
    args: `${CLASSIFY} @texts.csv --warmup-iters 9 --lr-decay-iters 5`,
    says: ["--warmup-iters 9 leaves no step before --lr-decay-iters 5"],
  },
  {
    args:
      `${INSTRUCT} @rows.jsonl --packing --group-by-length --prompt-style alpacca`,
    says: [
      '--prompt-style is "alpacca"',
      "did you mean alpaca?",
      "--packing fills its rows, so --group-by-length means nothing",
    ],
  },
];

/** Fine-tuning that makes sense, of files that do not: each ends with 1. */
export const FAILED: readonly Case[] = [
  ...["empty.csv: it is empty", "header.csv: there are no rows below"]
    .map((says) => ({
      args: `${CLASSIFY} @${says.split(":")[0]}`,
      says: [says],
    })),
  { args: `${CLASSIFY} @nowhere.csv`, says: ["nowhere.csv: there is no such"] },
  { args: `${CLASSIFY} @texts.txt`, says: ["texts.txt"] },
  { args: `${CLASSIFY} @ragged.csv`, says: ["ragged.csv", "line 3"] },
  {
    args: `${CLASSIFY} @holes.csv`,
    says: ["holes.csv: line 2 has no text; line 4 has no label"],
  },
  {
    args: `${CLASSIFY} @three.csv`,
    says: ["three.csv: which column has the texts, which the labels?"],
  },
  {
    args: `${CLASSIFY} @texts.csv --text-column sms`,
    says: ['texts.csv: there is no column "sms"'],
  },
  {
    args: `${CLASSIFY} @one.csv`,
    says: ['all examples have the label "ham", expected two labels or more'],
  },
  {
    args: `${CLASSIFY} @few.csv`,
    says: ["Cannot divide 2 examples: none would be left for the"],
  },
  {
    args: `${CLASSIFY} @few.csv --test-data @few.csv`,
    says: ["Cannot divide 2 examples: none would be left for the validation"],
  },
  {
    args:
      `${CLASSIFY} @few.csv --validation-data @few.csv --test-data @strange.csv`,
    says: ['strange.csv: line 3 has the label "eggs"', '"ham", "spam"'],
  },
  {
    args: `${CLASSIFY} @texts.csv --max-length 97`,
    says: ["--max-length is 97, the model's block 96"],
  },
  {
    args: `${CLASSIFY} @texts.csv --trainable-layers h.7`,
    says: ['Cannot choose what trains: "h.7" is neither all, head'],
  },
  {
    args: `${CLASSIFY} @texts.csv --trainable-layers last-3`,
    says: ["the last 3 blocks: the model has 2"],
  },
  {
    args:
      `${CLASSIFY} @texts.csv --trainable-layers lora --lora-target-modules q_proj`,
    says: ["Cannot adapt", "q_proj"],
  },
  {
    args:
      `${CLASSIFY} @texts.csv --trainable-layers lora --modules-to-save lm_hat`,
    says: ['Cannot train "lm_hat" whole'],
  },
  {
    args:
      "finetune classify --model @llama --dropout 0.1 --out @new @texts.csv",
    says: ["a model of type llama has none"],
  },
  {
    args: "finetune classify --model @nowhere --out @new @texts.csv",
    says: ["Cannot find the model ", "nowhere"],
  },
  {
    args: "finetune classify --model @adapter/best --out @new @texts.csv",
    says: ["it holds an adapter, no model", "deno task convert --model "],
  },
  {
    args: "finetune classify --model @gpt2 --out @gpt2 @texts.csv",
    says: ["into itself: --out has to be another folder"],
  },
  {
    args: `finetune classify --model @gpt2 --out @adapter @texts.csv`,
    says: ["adapter: it holds one; --resume continues it"],
  },
  {
    args: "finetune classify --resume --out @new",
    says: ["new holds no run"],
  },
  {
    args: `${INSTRUCT} @broken.jsonl`,
    says: ["broken.jsonl: line 2: ", "line 3: expected an object"],
  },
  {
    args: `${INSTRUCT} @mixed.jsonl`,
    says: ["mixed.jsonl: line 3: it has the shape prompt/completion"],
  },
  {
    args: `${INSTRUCT} @other.jsonl`,
    says: ["line 1 has the columns question, reply, expected messages"],
  },
  {
    args: `${INSTRUCT} @answerless.jsonl`,
    says: ["answerless.jsonl: every answer in it is empty"],
  },
  {
    args: `${INSTRUCT} @few.jsonl`,
    says: ["Cannot divide 2 examples: none would be left for the"],
  },
  {
    args:
      `${INSTRUCT} --data @long.jsonl --validation-data @few.jsonl --test-data @few.jsonl`,
    says: [
      "in all 4, the answers begin after the first 96 tokens",
      "the longest has",
    ],
  },
  {
    args: `${INSTRUCT} @rows.jsonl --max-length 97`,
    says: ["--max-length is 97, the model's block 96"],
  },
  {
    args: `${INSTRUCT} @rows.jsonl --prompt-style own`,
    says: ["in the style own", "gpt2 has no chat template"],
  },
  {
    args:
      `${INSTRUCT} @turns.jsonl --validation-data @turns.jsonl --test-data @turns.jsonl`,
    says: ["line 1: ", "the alpaca style has no tool here"],
  },
  {
    args: "finetune instruct --model @endless --out @new @rows.jsonl",
    says: [
      "Cannot teach a model to end its answers: its tokenizer has no special token",
    ],
  },
  {
    args:
      `${INSTRUCT} @rows.jsonl --trainable-layers lm_head --prompt-style plain`,
    says: ['Cannot choose what trains: "lm_head"'],
  },
];
