/**
 * How a text is cut into words before byte pairs are merged within each.
 *
 * @module
 */

import { Finder } from "./finder.ts";
import { toJavaScript } from "./regex_dialect.ts";
import { byteLevelForm, type PreTokenizerJson } from "./tokenizer_form.ts";

/** A split pattern that goes by a name; "none" leaves a text whole. */
export type SplitName = "gpt2" | "cl100k" | "o200k" | "none";

/** A named split pattern, or a regular expression in Oniguruma's dialect. */
export type SplitSource = SplitName | { readonly regex: string };

/** Cuts texts into words; `[...split(text)].join("") === text`. */
export class SplitPattern {
  /** The pattern's name, if it is a known one. */
  readonly name: SplitName | undefined;

  readonly #regex: string;
  readonly #finder: Finder;

  /** Throws a RangeError on a regular expression that JavaScript cannot match exactly. */
  constructor(source: SplitSource) {
    if (typeof source === "string" && !Object.hasOwn(REGEXES, source)) {
      throw new RangeError(
        `Cannot split by ${JSON.stringify(source)}: the named patterns are ${
          Object.keys(REGEXES).join(", ")
        }`,
      );
    }
    this.#regex = typeof source === "string" ? REGEXES[source] : source.regex;
    this.#finder = new Finder(new RegExp(toJavaScript(this.#regex), "u"));
    const names = Object.keys(REGEXES) as SplitName[];
    this.name = names.find((name) => REGEXES[name] === this.#regex);
  }

  /** The words of a text: each match, and what lies between matches. */
  *split(text: string): Generator<string> {
    if (this.name === "none") {
      if (text !== "") yield text;
      return;
    }
    const finder = this.#finder;
    let start = 0;
    let from = 0;
    while (finder.find(text, from)) {
      const { index, end } = finder;
      from = finder.next;
      if (index === end) continue;
      if (index > start) yield text.slice(start, index);
      yield text.slice(index, end);
      start = end;
    }
    if (start < text.length) yield text.slice(start);
  }

  /** The pre-tokenizer of a Hugging Face tokenizer.json. */
  toJSON(): PreTokenizerJson {
    if (this.name === "none") return byteLevelForm(false);
    if (this.name === "gpt2") return byteLevelForm(true);
    return {
      type: "Sequence",
      pretokenizers: [
        {
          type: "Split",
          pattern: { Regex: this.#regex },
          behavior: "Isolated",
          invert: false,
        },
        byteLevelForm(false),
      ],
    };
  }
}

// As OpenAI published them, less the possessive quantifiers, which change speed
// and not matches. `(?![\s\S])` is the end of the text in every dialect.
const REGEXES: Readonly<Record<SplitName, string>> = {
  gpt2: alternatives(
    `'s|'t|'re|'ve|'m|'ll|'d`,
    String.raw` ?\p{L}+`,
    String.raw` ?\p{N}+`,
    String.raw` ?[^\s\p{L}\p{N}]+`,
    String.raw`\s+(?!\S)`,
    String.raw`\s+`,
  ),
  cl100k: alternatives(
    `'(?i:[sdmt]|ll|ve|re)`,
    String.raw`[^\r\n\p{L}\p{N}]?\p{L}+`,
    String.raw`\p{N}{1,3}`,
    String.raw` ?[^\s\p{L}\p{N}]+[\r\n]*`,
    String.raw`\s+(?![\s\S])`,
    String.raw`\s*[\r\n]`,
    String.raw`\s+(?!\S)`,
    String.raw`\s`,
  ),
  o200k: alternatives(
    String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*` +
      String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?`,
    String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+` +
      String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?`,
    String.raw`\p{N}{1,3}`,
    String.raw` ?[^\s\p{L}\p{N}]+[\r\n/]*`,
    String.raw`\s*[\r\n]+`,
    String.raw`\s+(?!\S)`,
    String.raw`\s+`,
  ),
  none: String.raw`[\s\S]+`,
};

function alternatives(...parts: readonly string[]): string {
  return parts.join("|");
}
