/**
 * Leaving out of a WGSL source what is not asked of it.
 *
 * Kernels that belong together share a file, and several share helpers; naga reads,
 * checks and writes all functions of a source, whoever calls them. Sources are
 * without comments.
 *
 * @module
 */

import { closing } from "./brackets.ts";

/** The text of a function, with its attributes. */
interface Text {
  readonly name: string;
  /** Up to its body. */
  readonly head: string;
  readonly body: string;
}

/**
 * A source without the functions that `entry` does not call, itself or through
 * others. Throws a `SyntaxError` for a body that is never closed.
 */
export function reachable(source: string, entry: string): string {
  const functions = functionsOf(source);
  const needed = callees(functions, entry);
  return without(source, functions.filter(({ name }) => !needed.has(name)));
}

/**
 * A source whose entry points only name the bindings that they reach, in no other
 * functions: as short as can be for those who ask for nothing else. It stays as it
 * is where a function declares a binding's name anew, which takes a parser to tell
 * apart. Throws a `SyntaxError` for a body that is never closed.
 */
export function outline(source: string): string {
  const functions = functionsOf(source);
  const declarations = without(source, functions);
  const bindings = [
    ...declarations.matchAll(/@binding\s*\([^)]*\)[^;:]*\b(\w+)\s*:/g),
  ].map(([, name]) => name);
  const locals = functions.flatMap(({ body }) =>
    [...body.matchAll(/\b(?:let|var|const)\s+(\w+)/g)].map(([, name]) => name)
  );
  if (locals.some((name) => bindings.includes(name))) return source;
  const entries = functions.filter(({ head }) => head.includes("@compute"));
  return declarations + entries.map(({ name, head }) => {
    const called = callees(functions, name);
    const words = new Set(
      functions.filter(({ name }) => called.has(name))
        .flatMap(({ body }) => body.match(/(?<![.\w])\w+/g) ?? []),
    );
    const used = bindings.filter((binding) => words.has(binding));
    return `${head}{ ${used.map((each) => `_ = ${each};`).join(" ")} }\n`;
  }).join("");
}

/** The names of a function and of those it calls, itself or through others. */
function callees(functions: readonly Text[], name: string): Set<string> {
  const bodies = new Map(functions.map(({ name, body }) => [name, body]));
  const needed = new Set([name]);
  for (const each of needed) {
    for (const [word] of bodies.get(each)?.matchAll(/\w+(?=\s*\()/g) ?? []) {
      if (bodies.has(word)) needed.add(word);
    }
  }
  return needed;
}

function without(source: string, functions: readonly Text[]): string {
  return functions.reduce(
    (rest, { head, body }) => rest.replace(head + body, () => ""),
    source,
  );
}

function functionsOf(source: string): Text[] {
  const start = /(?:@\w+\s*(?:\([^)]*\))?\s*)*\bfn\s+(\w+)[^{]*\{/g;
  const functions = [];
  for (;;) {
    const match = start.exec(source);
    if (match === null) return functions;
    const open = start.lastIndex;
    const close = closing(source, open, "{}");
    if (close === null) {
      throw new SyntaxError(
        `Cannot find what is called: the body of ${match[1]} is never closed`,
      );
    }
    functions.push({
      name: match[1],
      head: source.slice(match.index, open - 1),
      body: source.slice(open - 1, close + 1),
    });
    start.lastIndex = close + 1;
  }
}
