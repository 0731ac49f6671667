/**
 * Instructions as what a model reads and learns.
 *
 * @module
 */

import { type InstructionData, problemList } from "../data/instructions.ts";
import type { RowProblem } from "../data/instructions.ts";
import type { InstructionExample } from "../data/instruction_shapes.ts";
import { type LearnedSequence, targetsOf } from "../data/learned_sequences.ts";
import type { ChatMessage, ChatTemplate } from "../text/chat_template.ts";
import {
  maskConversation,
  type MaskedConversation,
} from "../text/masked_conversation.ts";
import { joinInput } from "../text/prompt_style.ts";
import type { Tokenizer } from "../text/tokenizer.ts";

/** How instructions become ids. */
export interface EncodeInstructionsOptions {
  /** How the model wants them written. */
  readonly template: ChatTemplate;
  /** How that becomes ids. */
  readonly tokenizer: Tokenizer;
  /** The most tokens that are read; one more is a target. */
  readonly blockSize: number;
  /** Only the answers, each with the token that ends it; or all. (Default "answers".) */
  readonly learn?: "answers" | "all";
}

/** An example as ids. */
export interface InstructionSequence extends LearnedSequence {
  /** The number of its row in the file, from 1. */
  readonly at: number;
}

/** Instructions as ids, and what became of those that were too long. */
export interface EncodedInstructions {
  /** What is learned from. */
  readonly sequences: readonly InstructionSequence[];
  /** Rows of which the end is cut off, and with it a part of an answer. */
  readonly truncated: readonly number[];
  /** Rows that are left out: all that could be learned of them is cut off. */
  readonly dropped: readonly number[];
  /** Rows with a sequence for each answer, because the template does not write them as one. */
  readonly divided: readonly number[];
  /** The tokens of the longest conversation, uncut. */
  readonly longest: number;
  /** Tokens that are read, in one epoch. */
  readonly tokens: number;
  /** Of these, the ones whose next token is learned. */
  readonly targets: number;
}

/**
 * Encodes examples, cuts them at the block, and counts what that takes away.
 *
 * @throws {Error} Naming the rows that the template refuses.
 * @throws {RangeError} When nothing is left to learn.
 */
export function encodeInstructions(
  data: Pick<InstructionData, "examples" | "unit">,
  options: EncodeInstructionsOptions,
): EncodedInstructions {
  const encoded = encodeRows(data, options);
  requireLearned(encoded, {
    examples: data.examples.length,
    blockSize: options.blockSize,
  });
  return encoded;
}

/** Refuses examples of which nothing is left to learn. */
export function requireLearned(
  { sequences, longest }: Pick<EncodedInstructions, "sequences" | "longest">,
  { examples, blockSize }: { examples: number; blockSize: number },
): void {
  if (sequences.length > 0) return;
  throw new RangeError(
    examples === 0
      ? "Cannot learn from instructions: there are none"
      : `Cannot learn from instructions: in all ${examples}, the answers begin after the first ${blockSize} tokens; allow more, the longest has ${longest}`,
  );
}

/**
 * Does as {@linkcode encodeInstructions}, where other files may have what is
 * learned: of these examples nothing may be left.
 *
 * @throws {Error} Naming the rows that the template refuses.
 */
export function encodeRows(
  { examples, unit }: Pick<InstructionData, "examples" | "unit">,
  options: EncodeInstructionsOptions,
): EncodedInstructions {
  const { blockSize } = options;
  const sequences: InstructionSequence[] = [];
  const truncated: number[] = [];
  const dropped: number[] = [];
  const divided: number[] = [];
  const lengths: number[] = [];
  const problems: RowProblem[] = [];
  for (const example of examples) {
    const { at } = example;
    let whole: readonly MaskedConversation[];
    try {
      whole = encodeExample(example, options);
    } catch (error) {
      problems.push({ at, problem: (error as Error).message });
      continue;
    }
    const cut = whole.map(({ ids, learned }) => ({
      at,
      ids: ids.slice(0, blockSize + 1),
      learned: learned.slice(0, blockSize + 1),
    }));
    const kept = cut.filter((sequence) => targetsOf(sequence) > 0);
    sequences.push(...kept);
    lengths.push(...whole.map(({ ids }) => ids.length));
    if (whole.length > 1) divided.push(at);
    if (kept.length === 0) dropped.push(at);
    else if (whole.some(({ ids }) => ids.length > blockSize + 1)) {
      truncated.push(at);
    }
  }
  if (problems.length > 0) {
    throw new Error(
      `Cannot write the instructions: ${problemList(unit, problems)}`,
    );
  }
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  return {
    ...{ sequences, truncated, dropped, divided, longest },
    tokens: sequences.reduce((sum, { ids }) => sum + ids.length - 1, 0),
    targets: sequences.reduce((sum, one) => sum + targetsOf(one), 0),
  };
}

function encodeExample(
  example: InstructionExample,
  { template, tokenizer, learn }: EncodeInstructionsOptions,
): MaskedConversation[] {
  const { learnFrom, tools } = example;
  const messages = chatMessages(example, template);
  const options = { template, tokenizer, learn, learnFrom, tools };
  return maskConversation(messages, options);
}

/** The messages of an example, as a template takes them. */
export function chatMessages(
  { messages }: InstructionExample,
  template: ChatTemplate,
): ChatMessage[] {
  return messages.map((message) => {
    const { input: _, ...rest } = message;
    return { ...rest, content: joinInput(template, message) };
  });
}
