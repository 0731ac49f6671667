/**
 * How a command that writes draws tokens.
 *
 * @module
 */

import { checkSampling, type SamplingOptions } from "../lib/generate/sample.ts";
import type { Values } from "./args.ts";

/** The flags of every command that writes. */
export const SAMPLING_FLAGS = {
  "max-new-tokens": {
    kind: "number",
    integer: true,
    least: 1,
    default: 200,
    help: "Tokens to write at most",
  },
  "temperature": {
    kind: "number",
    default: 0.8,
    help: "Below 1 favors likely tokens; 0 takes the likeliest",
  },
  "top-k": {
    kind: "number",
    default: 200,
    help: "Draw among so many likeliest tokens; 0 for all",
  },
  "top-p": {
    kind: "number",
    default: 1,
    help: "Draw among the fewest tokens with this probability",
  },
  "min-p": {
    kind: "number",
    default: 0,
    help: "Drop tokens less than this times as likely as the first",
  },
  "repetition-penalty": {
    kind: "number",
    default: 1,
    help: "Divides the score of tokens already there",
  },
  "seed": {
    kind: "number",
    integer: true,
    least: 0,
    default: 1337,
    help: "The same seed writes the same text",
  },
  "stop": {
    kind: "texts",
    value: "TEXT",
    help: "End where this text comes; may come again",
  },
  "dtype": {
    kind: "text",
    value: "f32|f16",
    choices: ["f32", "f16"],
    default: "f32",
    help:
      "What weights, activations and the cache are kept in; f16 needs an adapter that has it",
  },
} as const;

/** The values of the flags. */
type SamplingValues = Values<typeof SAMPLING_FLAGS>;

/** How tokens are drawn by the flags. */
export function samplingOptions(values: SamplingValues): SamplingOptions {
  return {
    temperature: values.temperature,
    topK: values["top-k"],
    topP: values["top-p"],
    minP: values["min-p"],
    repetitionPenalty: values["repetition-penalty"],
  };
}

/** What is wrong with the flags beyond each by itself. */
export function samplingProblems(values: SamplingValues): string[] {
  const sampling = samplingOptions(values);
  if (Object.values(sampling).some(Number.isNaN)) return [];
  try {
    checkSampling(sampling);
  } catch (error) {
    return [(error as Error).message.replace("Cannot sample: ", "")];
  }
  return [];
}
