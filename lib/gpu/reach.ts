/**
 * Leaving out of a WGSL source what one of its entry points does not need.
 *
 * Kernels that belong together share a file, and several share helpers; naga reads,
 * checks and writes all functions of a source, whoever calls them.
 *
 * @module
 */

import { closing } from "./brackets.ts";

/**
 * A source without comments, and without the functions that `entry` does not call,
 * itself or through others. Throws a `SyntaxError` for a body that is never closed.
 */
export function reachable(source: string, entry: string): string {
  const functions = functionsOf(source);
  const bodies = new Map(functions.map((each) => [each.name, each.text]));
  const needed = new Set([entry]);
  for (const name of needed) {
    for (const [word] of (bodies.get(name) ?? "").matchAll(/\w+/g)) {
      if (bodies.has(word)) needed.add(word);
    }
  }
  return functions.filter(({ name }) => !needed.has(name))
    .reduce((rest, { text }) => rest.replace(text, () => ""), source);
}

/** The functions of a source, with their attributes. */
function functionsOf(source: string): { name: string; text: string }[] {
  const head = /(?:@\w+\s*(?:\([^)]*\))?\s*)*\bfn\s+(\w+)[^{]*\{/g;
  const functions = [];
  for (;;) {
    const match = head.exec(source);
    if (match === null) return functions;
    const close = closing(source, head.lastIndex, "{}");
    if (close === null) {
      throw new SyntaxError(
        `Cannot find what is called: the body of ${match[1]} is never closed`,
      );
    }
    functions.push({
      name: match[1],
      text: source.slice(match.index, close + 1),
    });
    head.lastIndex = close + 1;
  }
}
