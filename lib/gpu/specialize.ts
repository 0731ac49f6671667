/**
 * Settles what a WGSL source leaves open before it is compiled.
 *
 * Two steps, both from WGSL to WGSL. {@linkcode settle} turns every `override`
 * into a `const` and gives constants the values, and aliases the types, that a
 * caller asked for, so that sizes of local arrays and workgroup memory are known
 * (and can be checked: wgpu does not). {@linkcode unroll} writes out loops whose trip count is
 * constant: naga guards every loop with a counter that keeps compilers from
 * doing so, and takes only a constant lane in `subgroupBroadcast`. Branches that
 * constants rule out are left out and indices computed, because naga's time goes
 * by the length of the text.
 *
 * @module
 */

/** Values for the constants of a source, by name. */
export type Constants = Readonly<Record<string, number | boolean>>;

/** What aliases of a source stand for, by name. */
export type Types = Readonly<Record<string, "f32" | "f16" | "vec4f" | "vec4h">>;

const ALIAS = /^\s*alias\s+(\w+)\s*=\s*(\w+)\s*;/gm;
const DECLARATION =
  /^\s*(?:override|const)\s+(\w+)\s*(?::\s*(\w+)\s*)?=\s*([^;]+);/gm;
const MOST_TRIPS = 64;

/** A source whose constants are settled, and what they are. */
export interface Settled {
  /** WGSL without overrides and comments; `enable f16` leads it if needed. */
  readonly source: string;
  /** The module-scope constants: whole numbers, and 1 or 0 for truths. */
  readonly values: ReadonlyMap<string, number>;
  /** Bytes of workgroup memory the source declares. */
  readonly workgroupBytes: number;
}

/** Turns overrides into constants; sets what `constants` and `types` name. */
export function settle(
  source: string,
  constants: Constants = {},
  types: Types = {},
): Settled {
  const values = new Map<string, number>();
  const unknown = new Set([...Object.keys(constants), ...Object.keys(types)]);
  let half = false;
  const settled = source.replace(/\/\/.*$/gm, "").replace(
    DECLARATION,
    (_, name: string, type: string | undefined, initial: string) => {
      unknown.delete(name);
      const given = constants[name];
      const text = given === undefined
        ? initial.trim()
        : literal(given, type, initial);
      const value = /^(?:true|false)$/.test(text)
        ? Number(text === "true")
        : evaluate(text, values);
      if (value !== null) values.set(name, value);
      return `const ${name}${type ? `: ${type}` : ""} = ${text};`;
    },
  ).replace(ALIAS, (_, name: string, initial: string) => {
    unknown.delete(name);
    const type = types[name] ?? initial;
    half ||= type === "f16" || type.endsWith("h");
    return `alias ${name} = ${type};`;
  });
  if (unknown.size > 0) {
    throw new TypeError(
      `Cannot set ${
        [...unknown].join(", ")
      }: the source declares no such constant or alias`,
    );
  }
  return {
    source: half ? `enable f16;\n${settled}` : settled,
    values,
    workgroupBytes: workgroupBytes(settled, values),
  };
}

/**
 * Writes out every `for` loop that makes a constant number of trips, at most 64,
 * without branches that are never taken and sums that can be done beforehand.
 */
export function unroll(
  source: string,
  values: ReadonlyMap<string, number>,
): string {
  return fold(writeOut(prune(source, values), values), values);
}

/** Leaves out what `if`s rule out whose conditions are constants. */
function prune(source: string, values: ReadonlyMap<string, number>): string {
  const head = /\bif\s+([^{;]+?)\s*\{/g;
  let written = "";
  let at = 0;
  for (;;) {
    head.lastIndex = at;
    const match = head.exec(source);
    if (match === null) return written + source.slice(at);
    const close = closingBrace(source, head.lastIndex);
    const body = source.slice(head.lastIndex, close);
    const holds = truth(match[1], values);
    // Nothing may follow a block that leaves for good.
    const leaves = /\b(?:return|break|continue)\b/.test(body);
    if (holds === null || (holds && leaves)) {
      written += source.slice(at, head.lastIndex);
      at = head.lastIndex;
      continue;
    }
    written += source.slice(at, match.index);
    at = close + 1;
    const otherwise = elseAfter(source, at);
    if (holds) written += `{${prune(body, values)}}`;
    else if (otherwise !== null) {
      written += prune(source.slice(otherwise, endOfIf(source, at)), values);
    }
    at = endOfIf(source, at);
  }
}

/** Where the text after an `else` begins, if there is one at `at`. */
function elseAfter(source: string, at: number): number | null {
  const other = /\s*else\b\s*/y;
  other.lastIndex = at;
  return other.test(source) ? other.lastIndex : null;
}

/** Where an `if` ends whose first block ends at `at`. */
function endOfIf(source: string, at: number): number {
  const otherwise = elseAfter(source, at);
  if (otherwise === null) return at;
  const open = source.indexOf("{", otherwise) + 1;
  return endOfIf(source, closingBrace(source, open) + 1);
}

/** Whether a condition of constants holds, or null if it asks for more. */
function truth(
  condition: string,
  values: ReadonlyMap<string, number>,
): boolean | null {
  for (const [operator, decides] of [["||", true], ["&&", false]] as const) {
    if (!condition.includes(operator)) continue;
    if (/[()]/.test(condition)) return null;
    const sides = condition.split(operator).map((side) => truth(side, values));
    if (sides.includes(decides)) return decides;
    return sides.includes(null) ? null : !decides;
  }
  const [, not, name] = condition.match(/^\s*(!?)\s*(\w+)\s*$/) ?? [];
  const value = values.get(name);
  return value === undefined ? null : (value !== 0) !== (not === "!");
}

const PLAIN = String.raw`[\w\s+*/%-]`;
const ARGUMENT = new RegExp(
  String.raw`(?<=[[,])(?:${PLAIN}|\(${PLAIN}*\))+(?=[\],)])`,
  "g",
);

/** Computes indices and later arguments that are made of constants, some of them `u32`. */
function fold(source: string, values: ReadonlyMap<string, number>): string {
  return source.replace(ARGUMENT, (expression) => {
    if (!/\du\b.*[-+*/%]|[-+*/%].*\du\b/.test(expression)) return expression;
    const value = evaluate(expression, values);
    return value === null || value < 0
      ? expression
      : `${expression.match(/^\s*/)![0]}${value}u`;
  });
}

function writeOut(
  source: string,
  values: ReadonlyMap<string, number>,
): string {
  const head =
    /for\s*\(\s*var\s+(\w+)\s*=\s*([^;]+);\s*\1\s*<\s*([^;]+);\s*\1\s*(?:\+\+|\+=\s*([^;{)]+))\s*\)\s*\{/g;
  let written = "";
  let at = 0;
  for (;;) {
    head.lastIndex = at;
    const match = head.exec(source);
    if (match === null) return written + source.slice(at);
    const [, index, from, to, by = "1u"] = match;
    const start = evaluate(from, values);
    const end = evaluate(to, values);
    const step = evaluate(by, values);
    const open = head.lastIndex;
    const close = closingBrace(source, open);
    const body = source.slice(open, close);
    written += source.slice(at, match.index);
    const constant = start !== null && end !== null && step !== null &&
      step > 0 && (end - start) / step <= MOST_TRIPS &&
      !/\b(?:break|continue)\b/.test(body);
    if (!constant) {
      written += match[0];
      at = open;
      continue;
    }
    const name = new RegExp(`\\b${index}\\b`, "g");
    const suffix = /i\s*$/.test(from) ? "i" : "u";
    for (let trip = start; trip < end; trip += step) {
      const copy = body.replace(name, `${trip}${suffix}`);
      written += `{${writeOut(copy, values)}}\n`;
    }
    at = close + 1;
  }
}

/**
 * The value of an expression of whole numbers, names and `+ - * / % ( )`, or
 * null if it is anything else.
 */
export function evaluate(
  expression: string,
  values: ReadonlyMap<string, number>,
): number | null {
  const tokens = expression.match(/\d+[ui]?|\w+|[-+*/%()]|\S/g) ?? [];
  let at = 0;
  const factor = (): number => {
    const token = tokens[at++] ?? "";
    if (token === "(") {
      const value = sum();
      return tokens[at++] === ")" ? value : NaN;
    }
    if (/^\d+[ui]?$/.test(token)) return parseInt(token);
    return values.get(token) ?? NaN;
  };
  const product = (): number => {
    let value = factor();
    while (/^[*/%]$/.test(tokens[at] ?? "")) {
      const operator = tokens[at++];
      const right = factor();
      if (operator === "*") value *= right;
      else if (operator === "/") value = Math.trunc(value / right);
      else value %= right;
    }
    return value;
  };
  const sum = (): number => {
    let value = product();
    while (/^[-+]$/.test(tokens[at] ?? "")) {
      value += tokens[at++] === "+" ? product() : -product();
    }
    return value;
  };
  const value = sum();
  return at === tokens.length && Number.isSafeInteger(value) ? value : null;
}

/** Writes a value the way the type of its declaration wants it. */
function literal(
  value: number | boolean,
  type: string | undefined,
  initial: string,
): string {
  const kind = type ??
    (/^\d+u$/.test(initial.trim())
      ? "u32"
      : /^(true|false)$/.test(initial.trim())
      ? "bool"
      : "f32");
  if (kind === "bool") return String(Boolean(value));
  if (kind === "u32") return `${Number(value)}u`;
  if (kind === "i32") return `${Number(value)}i`;
  return `f32(${Number(value)})`;
}

const BYTES: Readonly<Record<string, number>> = {
  f16: 2,
  f32: 4,
  u32: 4,
  i32: 4,
  vec2f: 8,
  vec2u: 8,
  vec4h: 8,
  vec4f: 16,
  vec4u: 16,
  "atomic<u32>": 4,
};

function workgroupBytes(
  source: string,
  values: ReadonlyMap<string, number>,
): number {
  const aliases = new Map(
    [...source.matchAll(/alias\s+(\w+)\s*=\s*([^;]+);/g)].map((
      [, name, type],
    ) => [name, type.trim()]),
  );
  const bytesOf = (type: string): number => {
    const alias = aliases.get(type);
    if (alias !== undefined) return bytesOf(alias);
    const [, element, count] =
      type.match(/^array<\s*(.+)\s*,([^,]+?),?\s*>$/s) ??
        [];
    if (element === undefined) return BYTES[type] ?? NaN;
    return (evaluate(count, values) ?? NaN) * bytesOf(element.trim());
  };
  let bytes = 0;
  const declared = source.matchAll(/var<workgroup>\s+(\w+)\s*:\s*([^;]+);/g);
  for (const [, name, type] of declared) {
    const size = bytesOf(type.trim());
    if (Number.isNaN(size)) {
      throw new TypeError(`Cannot size the workgroup variable ${name}`);
    }
    bytes += size;
  }
  return bytes;
}

function closingBrace(source: string, from: number): number {
  let depth = 1;
  for (let at = from; at < source.length; at++) {
    if (source[at] === "{") depth++;
    else if (source[at] === "}" && --depth === 0) return at;
  }
  throw new SyntaxError("Cannot unroll: a loop is never closed");
}
