/**
 * Matching split patterns without a stack.
 *
 * V8 keeps a place to come back to for each character that a repetition takes,
 * and gives up after some millions. Here a repetition only counts, since all its
 * characters are of one kind and it can go back the way it came. It takes several
 * times as long, and so it is only asked where V8 has given up.
 *
 * @module
 */

/** Where a pattern matched. */
export interface Match {
  /** The index where it begins. */
  readonly index: number;
  /** The index where it ends. */
  readonly end: number;
}

/** A pattern of alternatives whose repetitions are of single characters. */
export class LongMatcher {
  readonly #match: Step;
  #text = "";

  /** Takes the source of an expression with the flag u. Throws a RangeError on what is not supported. */
  constructor(source: string) {
    const parts = source.match(PARTS) ?? [];
    const read = new Reader(parts);
    const alternatives = read.alternatives(false);
    if (!read.done) throw new RangeError(`Cannot match ${source} at length`);
    this.#match = this.#anyOf(alternatives, (at) => at);
  }

  /** The first match at an index or after it. */
  find(text: string, from: number): Match | undefined {
    this.#text = text;
    for (let index = from; index <= text.length; index++) {
      const end = this.#match(index);
      if (end >= 0) return { index, end };
      if (isPair(text, index)) index++;
    }
    return undefined;
  }

  #anyOf(alternatives: readonly Item[][], next: Step): Step {
    const steps = alternatives.map((items) =>
      items.reduceRight((next, item) => this.#step(item, next), next)
    );
    return (at) => {
      for (const step of steps) {
        const end = step(at);
        if (end >= 0) return end;
      }
      return -1;
    };
  }

  #step(item: Item, next: Step): Step {
    if (item.is === "character") return this.#repeat(item, next);
    if (item.is === "group") {
      const inside = this.#anyOf(item.alternatives, next);
      if (!item.optional) return inside;
      return (at) => {
        const end = inside(at);
        return end >= 0 ? end : next(at);
      };
    }
    const inside = this.#anyOf(item.alternatives, (at) => at);
    return (at) => inside(at) >= 0 === item.wanted ? next(at) : -1;
  }

  #repeat({ test, least, most }: Characters, next: Step): Step {
    return (start) => {
      const text = this.#text;
      let at = start;
      let count = 0;
      while (count < most && at < text.length) {
        const code = text.codePointAt(at)!;
        if (!test(code)) break;
        at += code > 0xffff ? 2 : 1;
        count++;
      }
      for (; count >= least; count--) {
        const end = next(at);
        if (end >= 0) return end;
        at -= isPair(text, at - 2) ? 2 : 1;
      }
      return -1;
    };
  }
}

/** The end of a match that goes on at an index, or -1. */
type Step = (at: number) => number;

interface Characters {
  readonly is: "character";
  readonly test: (codePoint: number) => boolean;
  readonly least: number;
  readonly most: number;
}

type Item =
  | Characters
  | {
    readonly is: "group";
    readonly alternatives: readonly Item[][];
    readonly optional: boolean;
  }
  | {
    readonly is: "lookahead";
    readonly alternatives: readonly Item[][];
    readonly wanted: boolean;
  };

// Classes, escapes, the starts of groups, quantifiers, and single characters.
const PARTS =
  /\[(?:\\[^]|[^\]\\])*\]|\\[pP]\{[^}]*\}|\\u\{[^}]*\}|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\[^]|\(\?[^:=!]*[:=!]|\{\d+(?:,\d*)?\}|[^]/gu;

/** Reads the parts of an expression. */
class Reader {
  readonly #parts: readonly string[];
  #at = 0;

  constructor(parts: readonly string[]) {
    this.#parts = parts;
  }

  get done(): boolean {
    return this.#at === this.#parts.length;
  }

  /** Alternatives up to the end of their group. */
  alternatives(ignoreCase: boolean): Item[][] {
    const alternatives: Item[][] = [[]];
    while (!this.done && this.#parts[this.#at] !== ")") {
      if (this.#parts[this.#at] === "|") {
        this.#at++;
        alternatives.push([]);
      } else alternatives.at(-1)!.push(this.#item(ignoreCase));
    }
    return alternatives;
  }

  #item(ignoreCase: boolean): Item {
    const part = this.#parts[this.#at++];
    if (!part.startsWith("(")) {
      const test = tester(part, ignoreCase);
      return { is: "character", test, ...this.#quantifier() };
    }
    if (!["(", "(?:", "(?i:", "(?=", "(?!"].includes(part)) {
      throw new RangeError(`Cannot match ${part} at length`);
    }
    const alternatives = this.alternatives(ignoreCase || part === "(?i:");
    this.#at++; // the closing bracket
    const { least, most } = this.#quantifier();
    if (most !== 1) {
      throw new RangeError("Cannot match a repeated group at length");
    }
    return part === "(?=" || part === "(?!"
      ? { is: "lookahead", alternatives, wanted: part === "(?=" }
      : { is: "group", alternatives, optional: least === 0 };
  }

  #quantifier(): { least: number; most: number } {
    const part = this.#parts[this.#at] ?? "";
    const range = /^(?:([?*+])|\{(\d+)(,?)(\d*)\})$/.exec(part);
    if (range === null) return { least: 1, most: 1 };
    this.#at++;
    if (this.#parts[this.#at] === "?") {
      throw new RangeError("Cannot match a lazy repetition at length");
    }
    const [, sign, first, comma, last] = range;
    if (sign === "?") return { least: 0, most: 1 };
    if (sign !== undefined) {
      return { least: sign === "+" ? 1 : 0, most: Infinity };
    }
    const least = Number(first);
    if (comma === "") return { least, most: least };
    return { least, most: last === "" ? Infinity : Number(last) };
  }
}

/** Whether a character is of a kind, remembered for each. */
function tester(part: string, ignoreCase: boolean): (code: number) => boolean {
  const expression = new RegExp(`^${part}`, ignoreCase ? "iu" : "u");
  const known = new Map<number, boolean>();
  return (code) => {
    let is = known.get(code);
    if (is === undefined) {
      is = expression.test(String.fromCodePoint(code));
      known.set(code, is);
    }
    return is;
  };
}

/** Whether the two code units at an index are one character. */
function isPair(text: string, index: number): boolean {
  return (text.codePointAt(index) ?? 0) > 0xffff;
}
