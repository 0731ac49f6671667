/**
 * The fields of a JSON object, read with everything that is wrong with them.
 *
 * @module
 */

/** What a JSON object holds. */
export type Fields = Readonly<Record<string, unknown>>;

/** Reads fields, and notes what is wrong with them. */
export class FieldReader {
  /** What is wrong, a phrase each. */
  readonly problems: string[] = [];
  /** The names that were asked for. */
  readonly known = new Set<string>();
  readonly #json: Fields;

  /** Reads these. */
  constructor(json: Fields) {
    this.#json = json;
  }

  /** A field's value; undefined, and a problem, where it is not as expected. */
  required<T>(
    name: string,
    expected: string,
    fits: (value: unknown) => value is T,
  ): T | undefined;
  required(
    name: string,
    expected: string,
    fits: (value: unknown) => boolean,
  ): unknown;
  required(
    name: string,
    expected: string,
    fits: (value: unknown) => boolean,
  ): unknown {
    this.known.add(name);
    const value = this.#json[name];
    if (fits(value)) return value;
    this.problems.push(`${name} is ${shown(value)}, expected ${expected}`);
  }

  /** The same for a field that may be null or missing. */
  optional<T>(
    name: string,
    expected: string,
    fits: (value: unknown) => value is T,
  ): T | undefined {
    this.known.add(name);
    return (this.#json[name] ?? null) === null
      ? undefined
      : this.required(name, expected, fits);
  }
}

/**
 * The fields in the text of a JSON object. Throws a `SyntaxError` of one line that
 * names `path`.
 */
export function parseFields(text: string, path: string): Fields {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    const reason = (error as Error).message.replace(/\s*\n\s*/g, " ");
    throw new SyntaxError(`Cannot read ${path}: ${reason}`, { cause: error });
  }
  if (typeof json === "object" && json !== null && !Array.isArray(json)) {
    return json as Fields;
  }
  throw new SyntaxError(`Cannot read ${path}: expected an object`);
}

/** A value as it stands in JSON, cut if it is long. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "missing";
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
