/**
 * Command lines that make sense, of files that do not.
 *
 * @module
 */

import { type Case, TRAIN } from "./case.ts";

/** Each ends with 1. */
export const FAILED: readonly Case[] = [
  {
    args: `${TRAIN} --data @missing.txt`,
    says: ["Cannot read ", "missing.txt: there is no such file or folder"],
  },
  { args: `${TRAIN} --data @empty.txt`, says: ["empty.txt: it is empty"] },
  {
    args: `${TRAIN} --data @binary.txt`,
    says: ["binary.txt: byte 5 is NUL, so it is no text file"],
  },
  {
    args: `${TRAIN} --data @latin.txt`,
    says: ["latin.txt: byte 3 (0xe9) is not valid UTF-8"],
  },
  { args: `${TRAIN} --data @nothing`, says: ["nothing: ", ".txt"] },
  { args: `${TRAIN} --data @none-*.txt`, says: ["no file matches"] },
  {
    args: `${TRAIN} --data @short.txt`,
    says: ["Cannot split 3 tokens", "each side needs 17"],
  },
  {
    args: "train --data @text.txt --out @new --vocab-size 90000",
    says: ["Cannot train a vocabulary of 90000", "ask for at most"],
  },
  {
    args: "train --data @text.txt --out @new --tokenizer @nowhere",
    says: ["Cannot load a tokenizer from ", "there is no such file or folder"],
  },
  {
    args: "train --data @text.txt --out @new --tokenizer @tokenizer.json",
    says: ["Cannot ", "tokenizer.json"],
  },
  {
    args: `${TRAIN} --data @text.txt --out @text.txt`,
    says: ["Cannot make the folder ", "text.txt"],
  },
  {
    args: `${TRAIN} --data @text.txt --out @text.txt/run`,
    says: ["part of its path is a file, not a folder"],
  },
  {
    args: `${TRAIN} --data @text.txt --out @model`,
    says: ["model: it holds one; --resume continues it"],
  },
  { args: "train --resume --out @new", says: ["new holds no run"] },
  {
    args: "train --init-from @nowhere --data @text.txt --out @new",
    says: ["Cannot find the model ", "nowhere"],
  },
  {
    args: "train --init-from @nothing --data @text.txt --out @new",
    says: ["Cannot load", "nothing"],
  },
  {
    args: "train --init-from @changed-config.json --data @text.txt --out @new",
    says: ["config.json"],
  },
  {
    args: "train --resume --out @changed-model.safetensors",
    says: ["model.safetensors", "it is truncated"],
  },
  {
    args: "train --resume --out @changed-optimizer.safetensors",
    says: ["optimizer.safetensors", "it was altered, its SHA-256"],
  },
  {
    args: "train --resume --out @changed-training_state.json",
    says: ["training_state.json", "altered or cut short"],
  },
  {
    args: "train --resume --out @changed-tokenizer.json",
    says: ["Cannot ", "tokenizer.json"],
  },
  {
    args: "generate --model @nowhere",
    says: ["Cannot find the model ", "nowhere"],
  },
  {
    args: "generate --model @nothing",
    says: ["there is no config.json in it"],
  },
  { args: "generate --model @changed-config.json", says: ["config.json"] },
  {
    args: "generate --model @changed-model.safetensors",
    says: ["Cannot ", "model.safetensors"],
  },
  {
    args: "generate --model @changed-tokenizer.json",
    says: ["Cannot ", "tokenizer.json"],
  },
  {
    args: "generate --model @model --prompt Ωmega",
    says: ['Cannot encode "Ω" (U+03A9) at index 0'],
  },
  {
    args: "eval --model @model --data @missing.txt",
    says: ["missing.txt: there is no such file or folder"],
  },
  {
    args: "eval --model @nothing --data @text.txt",
    says: ["there is no config.json in it"],
  },
  {
    args: "eval --model @model --data @text.txt --stride 17",
    says: ["stride 17", "16"],
  },
  {
    args: "convert --model @model --out @model",
    says: ["into itself", "--out has to be another folder"],
  },
  {
    args: "convert --model @model --out @changed-config.json",
    says: ["changed-config.json: the folder is not empty"],
  },
  {
    args: "convert --model @model --out @text.txt",
    says: ["text.txt: it is a file, not a folder"],
  },
  {
    args: "convert --model @model --out @text.txt/new",
    says: ["part of its path is a file, not a folder"],
  },
  {
    args: "convert --model @nothing --out @new",
    says: ["there is no config.json in it"],
  },
  {
    args: "convert --model @changed-model.safetensors --out @new/deep",
    says: ["Cannot ", "model.safetensors"],
  },
  {
    args: "eval --model @model --data @text.txt --block-size 17",
    says: ["--block-size is 17, the model's block 16"],
  },
  {
    args: "eval --model @model --choices @text.txt",
    says: ["text.txt: line 1: "],
  },
  {
    args: "chat --model @model",
    says: ["it has no chat template"],
  },
];
