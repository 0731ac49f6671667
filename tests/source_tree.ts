/** The modules of the project and what they import, for tests about both. */

const ROOT = new URL("../", import.meta.url);
const NOT_SOURCE = new Set([".git", "coverage", "node_modules", "out"]);

/** The paths, from the root, of all files that end so, in order. */
export function filesEndingIn(ending: string, folder = ""): string[] {
  return [...Deno.readDirSync(new URL(folder || ".", ROOT))]
    .toSorted((a, b) => a.name < b.name ? -1 : 1)
    .flatMap(({ name, isDirectory }) =>
      isDirectory
        ? NOT_SOURCE.has(name) ? [] : filesEndingIn(ending, `${folder}${name}/`)
        : name.endsWith(ending)
        ? [folder + name]
        : []
    );
}

/** The text of a file, by its path from the root. */
export function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}

/**
 * The specifiers a module names, whatever the form: import and export from,
 * for side effects, dynamic, of types.
 *
 * Comments, strings and templates are stepped over, so that an example in a doc
 * comment is no import.
 */
export function specifiersIn(source: string): string[] {
  const token =
    /\/\*[\s\S]*?\*\/|\/\/.*|`(?:\\.|[^`\\])*`|\b(?:from|import)\s*\(?\s*(["'])((?:(?!\1).)+)\1|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g;
  return [...source.matchAll(token)].flatMap(([, , specifier]) =>
    specifier ?? []
  );
}

/** The path, from the root, of what a relative specifier in a module names. */
export function resolve(specifier: string, module: string): string {
  return new URL(specifier, new URL(module, ROOT)).href.slice(ROOT.href.length);
}

/** What every module imports from within the project. */
export function importGraph(): ReadonlyMap<string, readonly string[]> {
  return new Map(
    filesEndingIn(".ts").map((module) => [
      module,
      specifiersIn(read(module))
        .filter((specifier) => specifier.startsWith("."))
        .map((specifier) => resolve(specifier, module)),
    ]),
  );
}
