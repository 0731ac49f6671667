/**
 * How a text is cut into words, as a tokenizer.json says it.
 *
 * @module
 */

import { cut } from "./cut.ts";
import { Finder } from "./finder.ts";
import type { JsonCursor } from "./json_cursor.ts";
import { readPattern } from "./pattern.ts";
import { type SplitName, SplitPattern } from "./split_pattern.ts";
import { stepType } from "./step.ts";
import type { StepJson } from "./tokenizer_form.ts";

/** Cuts texts into the words within which byte pairs are merged. */
export interface PreTokenizer {
  /** The name of the pattern, if it is a known one and there is nothing more. */
  readonly name: SplitName | undefined;
  /** The words of a text; `first` says that it stands at the start of all. */
  split(text: string, first?: boolean): Iterable<string>;
  /** The pre-tokenizer of a Hugging Face tokenizer.json. */
  toJSON(): StepJson | null;
}

/** What words are made of: bytes in GPT-2's alphabet, or characters. */
export type Alphabet = "bytes" | "characters";

/** Reads the pre-tokenizer of a tokenizer.json. */
export function readPreTokenizer(
  step: JsonCursor,
): { readonly preTokenizer: PreTokenizer; readonly alphabet: Alphabet } {
  if (step.absent) {
    return { preTokenizer: new Steps([], null), alphabet: "characters" };
  }
  const steps = stepType(step, ...TYPES) === "Sequence"
    ? step.at("pretokenizers").elements()
    : [step];
  const types = steps.map((step) =>
    stepType(step, ...TYPES.filter((type) => type !== "Sequence"))
  );
  const bytes = types.indexOf("ByteLevel");
  if (bytes >= 0 && bytes < steps.length - 1) {
    throw steps[bytes].refused("is ByteLevel, which is only supported last");
  }
  const alphabet = bytes < 0 ? "characters" : "bytes";
  const cuts = steps.map((step, i) => readStep(step, types[i]));
  return {
    preTokenizer: named(steps, types) ??
      new Steps(cuts, step.value as StepJson),
    alphabet,
  };
}

const TYPES = [
  "ByteLevel",
  "Split",
  "Digits",
  "Metaspace",
  "Sequence",
] as const;

/** One step: the pieces of a piece, empty where something is left out. */
type Cut = (text: string, first: boolean) => Iterable<string>;

/** Steps one after another, each within the pieces of those before it. */
class Steps implements PreTokenizer {
  readonly name = undefined;
  readonly #steps: readonly Cut[];
  readonly #json: StepJson | null;

  constructor(steps: readonly Cut[], json: StepJson | null) {
    this.#steps = steps;
    this.#json = json;
  }

  split(text: string, first = true): Iterable<string> {
    return this.#split(text, first, 0);
  }

  toJSON(): StepJson | null {
    return this.#json;
  }

  *#split(text: string, first: boolean, index: number): Generator<string> {
    if (text === "") return;
    if (index === this.#steps.length) {
      yield text;
      return;
    }
    for (const piece of this.#steps[index](text, first)) {
      if (index === this.#steps.length - 1) {
        if (piece !== "") yield piece;
      } else yield* this.#split(piece, first, index + 1);
      first = false;
    }
  }
}

/** The pattern of steps that are one of the forms in which patterns are written here. */
function named(
  steps: readonly JsonCursor[],
  types: readonly string[],
): SplitPattern | undefined {
  const bytes = steps[steps.length - 1];
  if (types.at(-1) !== "ByteLevel") return undefined;
  if (bytes.at("add_prefix_space").boolean(true)) return undefined;
  const gpt2 = bytes.at("use_regex").boolean(true);
  if (steps.length === 1) return new SplitPattern(gpt2 ? "gpt2" : "none");

  const [split] = steps;
  if (steps.length !== 2 || types[0] !== "Split" || gpt2) return undefined;
  if (split.at("behavior").value !== "Isolated") return undefined;
  if (split.at("invert").value === true) return undefined;
  const regex = split.at("pattern").at("Regex");
  return regex.absent ? undefined : new SplitPattern({ regex: regex.string() });
}

function readStep(step: JsonCursor, type: string): Cut {
  if (type === "Split") return readSplit(step);
  if (type === "Digits") return readDigits(step);
  if (type === "Metaspace") return readMetaspace(step);
  return readByteLevel(step);
}

function readSplit(step: JsonCursor): Cut {
  step.only("type", "pattern", "behavior", "invert");
  const options = {
    finder: new Finder(readPattern(step.at("pattern"))),
    behavior: step.at("behavior").oneOf(
      "Isolated",
      "Removed",
      "MergedWithPrevious",
      "MergedWithNext",
      "Contiguous",
    ),
    invert: step.at("invert").boolean(false),
  };
  return (text) => cut(text, options);
}

function readDigits(step: JsonCursor): Cut {
  step.only("type", "individual_digits");
  const each = step.at("individual_digits").boolean(false);
  const behavior = each ? "Isolated" : "Contiguous";
  const finder = new Finder(DIGIT);
  return (text) => cut(text, { finder, behavior });
}

// What Rust's char::is_numeric takes for a number. Its Unicode is a version
// younger than that of regular expressions here: hence the last two ranges.
const DIGIT = /[\p{N}\u{11de0}-\u{11de9}\u{16ff4}-\u{16ff6}]/u;

/** SentencePiece's way: spaces become a visible character, which begins words. */
function readMetaspace(step: JsonCursor): Cut {
  step.only(
    "type",
    "replacement",
    "add_prefix_space",
    "prepend_scheme",
    "split",
    "str_rep",
  );
  const space = step.at("replacement").character();
  const scheme =
    step.at("prepend_scheme").oneOf("always", "first", "never", undefined) ??
      "always";
  if (!step.at("add_prefix_space").boolean(true) && scheme !== "never") {
    throw step.refused(
      `has add_prefix_space false, but prepend_scheme ${scheme}`,
    );
  }
  const finder = new Finder(new RegExp(RegExp.escape(space), "u"));
  const divides = step.at("split").boolean(true);
  return (text, first) => {
    const spaced = text.replaceAll(" ", space);
    const begins = scheme === "always" || scheme === "first" && first;
    const whole = begins && !spaced.startsWith(space) ? space + spaced : spaced;
    return divides
      ? cut(whole, { finder, behavior: "MergedWithNext" })
      : [whole];
  };
}

/** What ByteLevel does to a text before it writes bytes as characters. */
function readByteLevel(step: JsonCursor): Cut {
  step.only("type", "add_prefix_space", "trim_offsets", "use_regex");
  const prefix = step.at("add_prefix_space").boolean(true) ? " " : "";
  const pattern = new SplitPattern(
    step.at("use_regex").boolean(true) ? "gpt2" : "none",
  );
  return (text) => pattern.split(text.startsWith(" ") ? text : prefix + text);
}
