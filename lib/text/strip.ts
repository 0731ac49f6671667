/**
 * Leaving out characters at the start of a text, such as the space that
 * SentencePiece puts there.
 *
 * @module
 */

import type { Strip } from "./decoder.ts";
import type { StreamDecoder } from "./tokenizer.ts";

/** A text less what is to be left out at its start. */
export function stripText(text: string, strip: Strip | undefined): string {
  if (strip === undefined) return text;
  let at = 0;
  for (let i = 0; i < strip.count && text.startsWith(strip.char, at); i++) {
    at += strip.char.length;
  }
  return text.slice(at);
}

/** A stream of text less what is to be left out at its start. */
export class StripStream implements StreamDecoder {
  readonly #stream: StreamDecoder;
  readonly #char: string;
  #left: number;

  /** The text of a stream, which comes in whole characters. */
  constructor(stream: StreamDecoder, { char, count }: Strip) {
    this.#stream = stream;
    this.#char = char;
    this.#left = count;
  }

  /** The text that an id completes. */
  push(id: number): string {
    return this.#strip(this.#stream.push(id));
  }

  /** The rest of the text. */
  end(): string {
    return this.#strip(this.#stream.end());
  }

  #strip(text: string): string {
    const stripped = stripText(text, { char: this.#char, count: this.#left });
    // Once other text has come, the start is over.
    this.#left = stripped === ""
      ? this.#left - (text.length - stripped.length) / this.#char.length
      : 0;
    return stripped;
  }
}
