/**
 * What was said so far, and as much of it as a model can read.
 *
 * @module
 */

import type { ChatMessage, ChatTemplate } from "../lib/text/chat_template.ts";
import type { Tokenizer } from "../lib/text/tokenizer.ts";

/** What a conversation is written by, and what fits. */
export interface ConversationOptions {
  /** How the model wants it written. */
  readonly template: ChatTemplate;
  /** How that becomes ids. */
  readonly tokenizer: Tokenizer;
  /** What the model is told before all else. */
  readonly system?: string;
  /** The most tokens of it that the model reads. */
  readonly room: number;
}

/** A conversation whose oldest turns fall away where it grows too long. */
export class Conversation {
  readonly #options: ConversationOptions;
  #messages: ChatMessage[] = [];

  /** One in which nothing is said yet but what `system` says. */
  constructor(options: ConversationOptions) {
    this.#options = options;
    this.reset();
  }

  /** What was said and has not fallen away, in order. */
  get messages(): readonly ChatMessage[] {
    return this.#messages;
  }

  /** Forgets what was said. */
  reset(): void {
    const { system } = this.#options;
    this.#messages = system === undefined
      ? []
      : [{ role: "system", content: system }];
  }

  /**
   * Adds what the user says, and gives the ids to answer from and how many turns
   * fell away for it. Throws, and adds nothing, where the template refuses it or
   * where it does not fit alone.
   */
  ask(content: string): { ids: Uint32Array<ArrayBuffer>; dropped: number } {
    const { template, tokenizer, system, room } = this.#options;
    const first = system === undefined ? 0 : 1;
    const messages = [...this.#messages, { role: "user", content }];
    for (let dropped = 0;; dropped++) {
      const ids = template.encode(tokenizer, messages, {
        addGenerationPrompt: true,
      });
      if (ids.length <= room) {
        this.#messages = messages;
        return { ids, dropped };
      }
      if (messages.length <= first + 1) {
        throw new RangeError(
          `Cannot answer: this alone has ${ids.length} tokens, the model has room for ${room}`,
        );
      }
      messages.splice(first, 2); // a question and its answer
    }
  }

  /** Adds what the model has answered. */
  answer(content: string): void {
    this.#messages.push({ role: "assistant", content });
  }
}
