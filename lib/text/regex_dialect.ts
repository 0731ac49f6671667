/**
 * Split patterns are published in the dialect of Oniguruma (Hugging Face) or
 * Rust (tiktoken). This is the part of it that JavaScript can match exactly.
 *
 * The trap is `\s`: JavaScript's holds U+FEFF and lacks U+0085, the others' is
 * Unicode's White_Space.
 *
 * @module
 */

/**
 * The same regular expression in JavaScript's dialect, for the `u` flag.
 * Throws a RangeError that names what has no equal there.
 */
export function toJavaScript(pattern: string): string {
  let source = "";
  let inClass = false;
  for (const [token] of pattern.matchAll(TOKENS)) {
    const refused = inClass ? REFUSED_IN_CLASS : REFUSED;
    if (refused.has(token)) throw unsupported(pattern, token);
    if (token === "[" || token === "[^") inClass = true;
    if (token === "]") inClass = false;
    source += token.startsWith("\\") ? escape(pattern, token) : token;
  }
  try {
    new RegExp(source, "u");
  } catch (error) {
    throw new RangeError(
      `Cannot split by ${JSON.stringify(pattern)}: ${
        (error as SyntaxError).message
      }`,
    );
  }
  return source;
}

const TOKENS = /\\[pP]\{[^}]*\}|\\u\{[^}]*\}|\\[^]|\[\^|&&|[^]/gu;

// The ends of a text or of its lines, and all but a newline: each dialect has
// its own idea of them. The sets of Oniguruma nest and intersect.
const REFUSED = new Set(["^", "$", "."]);
const REFUSED_IN_CLASS = new Set(["[", "[^", "&&"]);

function escape(pattern: string, token: string): string {
  if (token === "\\s") return "\\p{White_Space}";
  if (token === "\\S") return "\\P{White_Space}";
  if (/^\\([pPuxrntfv]|[\^$\\.*+?()[\]{}|/\-])/.test(token)) {
    return token === "\\-" ? "\\x2d" : token; // \- only stands in classes
  }
  if (/^\\[!-/:-@[-`{-~ ]$/.test(token)) return token.slice(1);
  throw unsupported(pattern, token);
}

function unsupported(pattern: string, token: string): RangeError {
  return new RangeError(
    `Cannot split by ${JSON.stringify(pattern)}: ${token} has no exact equal ` +
      `in JavaScript here`,
  );
}
