/**
 * The few pieces of JSON that safetensors headers and indices are made of.
 *
 * `JSON.parse` would keep the last of two equal keys and round numbers beyond
 * 2^53, which makes two readers see two different things in one file.
 *
 * @module
 */

/** What may follow a backslash, before the four digits of a `\u`. */
const escapes = '"\\/bfnrtu';

/** What makes a string more than the characters between its quotes. */
// deno-lint-ignore no-control-regex
const special = /[\\\u0000-\u001f]/;

/** Longest list of numbers we read: nobody has tensors of 64 dimensions. */
const maxNumbers = 64;

/** How deep a value may be nested that is stepped over. */
const maxDepth = 64;

/** What a value can be that is neither text, nor list, nor object. */
const plainValue =
  /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/**
 * Reads objects, strings and lists of whole numbers from JSON bytes, strictly,
 * from its first character to its last.
 *
 * Every method throws a `SyntaxError` naming the position if something else is
 * there. Nesting is the caller's, so hostile depth is refused at once.
 */
export class JsonScanner {
  readonly #text: string;
  readonly #named: string;
  #at = 0;

  /** Starts at the first character of `bytes`, which messages call `named`. */
  constructor(bytes: Uint8Array, named: string) {
    this.#named = named;
    try {
      const options = { fatal: true, ignoreBOM: true };
      this.#text = new TextDecoder("utf-8", options).decode(bytes);
    } catch {
      throw new SyntaxError(`${named} is not valid UTF-8`);
    }
  }

  /** Reads an object, calling `readValue` where each key's value begins. */
  object(readValue: (key: string) => void): void {
    this.#expect("{");
    if (this.#accept("}")) return;
    do {
      const key = this.string();
      this.#expect(":");
      readValue(key);
    } while (this.#accept(","));
    this.#expect("}");
  }

  /** Reads a string. */
  string(): string {
    this.#expect('"');
    const start = this.#at;
    const quoted = this.#text.indexOf('"', start);
    if (quoted >= 0) {
      const plain = this.#text.slice(start, quoted);
      if (!special.test(plain)) {
        this.#at = quoted + 1;
        return plain;
      }
    }
    return this.#escapedString();
  }

  /** Reads a list of whole numbers in [0, 2^53). */
  numbers(): number[] {
    const numbers: number[] = [];
    this.#list(() => {
      if (numbers.length === maxNumbers) {
        throw this.#unexpected(`at most ${maxNumbers} numbers`);
      }
      numbers.push(this.#number());
    });
    return numbers;
  }

  /** Steps over a value of any kind. */
  skip(depth = 0): void {
    if (depth > maxDepth) throw this.#unexpected("something less deep");
    this.#skipSpace();
    const first = this.#text.charAt(this.#at);
    if (first === '"') {
      this.string();
    } else if (first === "{") {
      this.object(() => this.skip(depth + 1));
    } else if (first === "[") {
      this.#list(() => this.skip(depth + 1));
    } else {
      plainValue.lastIndex = this.#at;
      if (!plainValue.test(this.#text)) throw this.#unexpected("a value");
      this.#at = plainValue.lastIndex;
    }
  }

  /** Checks that nothing but white space is left. */
  end(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#unexpected("the end");
  }

  #list(readValue: () => void) {
    this.#expect("[");
    if (this.#accept("]")) return;
    do readValue(); while (this.#accept(","));
    this.#expect("]");
  }

  #number(): number {
    this.#skipSpace();
    const start = this.#at;
    let value = 0;
    for (;; this.#at++) {
      const digit = this.#text.charCodeAt(this.#at) - 0x30;
      if (!(digit >= 0 && digit <= 9)) break;
      value = 10 * value + digit;
      if (value > Number.MAX_SAFE_INTEGER) {
        throw this.#unexpected("a number below 2^53");
      }
    }
    const digits = this.#at - start;
    const leadingZero = digits > 1 && this.#text.charAt(start) === "0";
    if (digits === 0 || leadingZero) {
      this.#at = start;
      throw this.#unexpected("a whole number");
    }
    return value;
  }

  #escapedString(): string {
    const start = this.#at - 1;
    for (;; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 0x22) break;
      if (!(code >= 0x20)) throw this.#unexpected("a closing quote");
      if (code !== 0x5c) continue;
      this.#at++;
      if (!escapes.includes(this.#text.charAt(this.#at) || " ")) {
        throw this.#unexpected("an escaped character");
      }
    }
    this.#at++;
    const literal = this.#text.slice(start, this.#at);
    let text: unknown;
    try {
      text = JSON.parse(literal);
    } catch {
      throw this.#unexpected("a string");
    }
    if (typeof text === "string" && text.isWellFormed()) return text;
    throw this.#unexpected("a string of whole characters");
  }

  #accept(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #expect(character: string) {
    if (!this.#accept(character)) throw this.#unexpected(character);
  }

  #skipSpace() {
    for (;; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      const space = code === 0x20 || code === 0x0a || code === 0x0d ||
        code === 0x09;
      if (!space) return;
    }
  }

  #unexpected(wanted: string): SyntaxError {
    const found = this.#text.charAt(this.#at);
    return new SyntaxError(
      `${this.#named} has ${
        found ? quote(found) : "its end"
      } at character ${this.#at}, where ${wanted} should be`,
    );
  }
}

/** A text from a file as it may be shown: quoted, cut, without control codes. */
export function quote(text: string): string {
  const cut = text.length > 80 ? `${text.slice(0, 79)}…` : text;
  return JSON.stringify(cut).replace(
    // What a terminal or a reader's eye could be led astray by.
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) =>
      `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
