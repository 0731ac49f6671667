/**
 * Reading JSON that may be anything: each step says where it is when it fails.
 *
 * @module
 */

/** A value in a JSON file, with the way to it. */
export class JsonCursor {
  /** The value. */
  readonly value: unknown;
  readonly #source: string;
  readonly #parent: JsonCursor | undefined;
  readonly #key: string | number;

  /** Use {@linkcode JsonCursor.parse}. */
  private constructor(
    value: unknown,
    source: string,
    parent?: JsonCursor,
    key: string | number = "",
  ) {
    this.value = value;
    this.#source = source;
    this.#parent = parent;
    this.#key = key;
  }

  /** Parses JSON; `source` is what errors call it, such as a file's name. */
  static parse(json: string, source: string): JsonCursor {
    try {
      return new JsonCursor(JSON.parse(json), source);
    } catch (error) {
      // The message quotes the text, line ends and all.
      const problem = (error as SyntaxError).message.replace(/\s+/g, " ");
      throw new SyntaxError(`Cannot read ${source}: not JSON: ${problem}`);
    }
  }

  /** Whether the value is missing or null. */
  get absent(): boolean {
    return this.value === undefined || this.value === null;
  }

  /** The member of an object, which may be absent. */
  at(key: string): JsonCursor {
    const object = this.object();
    return this.#step(
      Object.hasOwn(object, key) ? object[key] : undefined,
      key,
    );
  }

  /** The value, which must be an object. */
  object(): Readonly<Record<string, unknown>> {
    const { value } = this;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
    throw this.expected("an object");
  }

  /** The members of an object that must have no others than these. */
  only(...keys: readonly string[]): void {
    const other = Object.keys(this.object()).find((key) => !keys.includes(key));
    if (other !== undefined) {
      throw this.#step(undefined, other).refused("is not known here");
    }
  }

  /** The members of an object. */
  entries(): [string, JsonCursor][] {
    return Object.entries(this.object())
      .map(([key, value]) => [key, this.#step(value, key)]);
  }

  /** The elements of an array. */
  elements(): JsonCursor[] {
    if (!Array.isArray(this.value)) throw this.expected("an array");
    return this.value.map((value, i) =>
      new JsonCursor(value, this.#source, this, i)
    );
  }

  /** The value, which must be a string. */
  string(): string {
    if (typeof this.value !== "string") throw this.expected("a string");
    return this.value;
  }

  /** The value, which must be a string of one character. */
  character(): string {
    if (typeof this.value === "string" && [...this.value].length === 1) {
      return this.value;
    }
    throw this.expected("a single character");
  }

  /** The value, which must be a whole number that is not negative. */
  count(): number {
    const { value } = this;
    if (
      typeof value === "number" && Number.isSafeInteger(value) && value >= 0
    ) {
      return value;
    }
    throw this.expected("a whole number, zero or more");
  }

  /** The value, which must be true, false, or absent with a default. */
  boolean(absent?: boolean): boolean {
    if (typeof this.value === "boolean") return this.value;
    if (this.value === undefined && absent !== undefined) return absent;
    throw this.expected("true or false");
  }

  /** The value, which must be one of those given; undefined means absent or null. */
  oneOf<const T extends string | boolean | undefined>(...allowed: T[]): T {
    const value = this.absent ? undefined : this.value;
    if ((allowed as unknown[]).includes(value)) return value as T;
    const names = allowed.map((one) => JSON.stringify(one) ?? "null");
    throw this.expected(names.join(" or "));
  }

  /** An error: the value is not what it should be. */
  expected(what: string): SyntaxError {
    const shown = JSON.stringify(this.value) ?? "missing";
    const short = shown.length > 60 ? `${shown.slice(0, 57)}...` : shown;
    return this.refused(`is ${short}, expected ${what}`);
  }

  /** An error about the value. */
  refused(problem: string): SyntaxError {
    const where = this.#parent === undefined ? "the file" : this.#path;
    return new SyntaxError(`Cannot read ${this.#source}: ${where} ${problem}`);
  }

  #step(value: unknown, key: string): JsonCursor {
    return new JsonCursor(value, this.#source, this, key);
  }

  /** The way from the top, only put together where something is wrong. */
  get #path(): string {
    if (this.#parent === undefined) return "";
    const parent = this.#parent.#path;
    if (typeof this.#key === "number") return `${parent}[${this.#key}]`;
    const name = /^\w+$/.test(this.#key)
      ? this.#key
      : JSON.stringify(this.#key);
    return parent === "" ? name : `${parent}.${name}`;
  }
}
