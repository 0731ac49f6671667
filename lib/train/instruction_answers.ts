/**
 * What a model answers to instructions it has not learned from.
 *
 * @module
 */

import type { InstructionExample } from "../data/instruction_shapes.ts";
import { generate, type Generative } from "../generate/generate.ts";
import type { SamplingOptions } from "../generate/sample.ts";
import type { Device } from "../gpu/device.ts";
import { Random } from "../random.ts";
import { type AnswerScores, scoreAnswer } from "../text/answer_scores.ts";
import type { ChatTemplate } from "../text/chat_template.ts";
import { answerEnd } from "../text/prompt_style.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { chatMessages } from "./instructions.ts";

/** What answering needs. */
export interface AnswerOptions extends SamplingOptions {
  /** Where it runs. */
  readonly device: Device;
  /** What answers. */
  readonly model: Generative;
  /** How its text becomes ids. */
  readonly tokenizer: Tokenizer;
  /** How it wants a conversation written. */
  readonly template: ChatTemplate;
  /** What is answered: the last answer of each, from what leads to it. */
  readonly examples: Iterable<InstructionExample>;
  /** Tokens of an answer at most. (Default 256.) */
  readonly maxNewTokens?: number;
  /** What ends an answer, beside {@linkcode answerEnd}. */
  readonly stopTokens?: Iterable<number>;
  /** What tokens are drawn from, where `temperature` is not 0, as it is by default. */
  readonly random?: Random;
}

/** An answer beside the expected one. */
export interface InstructionAnswer extends AnswerScores {
  /** The number of the example's row, from 1. */
  readonly at: number;
  /** What leads to the answer, as the model reads it. */
  readonly prompt: string;
  /** The answer in the data. */
  readonly expected: string;
  /** The model's. */
  readonly answer: string;
  /** Whether the model ended it, or else it was cut off. */
  readonly ended: boolean;
}

/**
 * Answers examples in their order, and scores the answers. Those whose prompt
 * fills the model's block are passed over.
 */
export async function* answerInstructions(
  options: AnswerOptions,
): AsyncGenerator<InstructionAnswer> {
  const { device, model, tokenizer, template, examples, ...how } = options;
  const { maxNewTokens = 256, random = new Random(0), ...sampling } = how;
  const stops = new Set(options.stopTokens);
  stops.add(answerEnd(template, tokenizer));
  const hidden = new Set(tokenizer.specialTokens.values());
  for (const example of examples) {
    const messages = chatMessages(example, template);
    const last = messages.findLastIndex(({ role }) => role === "assistant");
    const before = messages.slice(0, last);
    const { tools } = example;
    const asked = { addGenerationPrompt: true, tools };
    const ids = template.encode(tokenizer, before, asked);
    const most = Math.min(maxNewTokens, model.config.blockSize - ids.length);
    if (most < 1) continue;

    const decoder = tokenizer.stream({ skipUnknown: true });
    for (const id of ids) decoder.push(id);
    let answer = "";
    let count = 0;
    const written = generate({
      temperature: 0,
      ...sampling,
      ...{ device, model, prompt: ids, maxNewTokens: most, random },
      stopTokens: stops,
      drawnBelow: tokenizer.vocabSize,
    });
    for await (const id of written) {
      count++;
      if (!hidden.has(id)) answer += decoder.push(id);
    }
    answer += decoder.end();
    const expected = String(messages[last].content);
    yield {
      at: example.at,
      prompt: template.render(before, asked),
      ...{ expected, answer, ended: count < most },
      ...scoreAnswer(answer, expected),
    };
  }
}

/** The means of the scores of answers; NaN of none. */
export function meanScores(answers: readonly AnswerScores[]): AnswerScores {
  const mean = (of: (scores: AnswerScores) => number) =>
    answers.reduce((sum, scores) => sum + of(scores), 0) / answers.length;
  return {
    exactMatch: mean(({ exactMatch }) => exactMatch),
    f1: mean(({ f1 }) => f1),
  };
}
