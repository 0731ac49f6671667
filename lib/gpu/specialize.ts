/**
 * Settles what a WGSL source leaves open before it is compiled.
 *
 * Every `override` becomes a `const`, constants get the values and aliases the
 * types that a caller asked for, so that sizes of local arrays and workgroup
 * memory are known (and can be checked: wgpu does not).
 *
 * @module
 */

import { evaluate } from "./expression.ts";

/** Values for the constants of a source, by name. */
export type Constants = Readonly<Record<string, number | boolean>>;

/** What aliases of a source stand for, by name. */
export type Types = Readonly<Record<string, "f32" | "f16" | "vec4f" | "vec4h">>;

const ALIAS = /^\s*alias\s+(\w+)\s*=\s*(\w+)\s*;/gm;
const DECLARATION =
  /^\s*(?:override|const)\s+(\w+)\s*(?::\s*(\w+)\s*)?=\s*([^;]+);/gm;

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
