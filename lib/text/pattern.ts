/**
 * What a step of a tokenizer.json looks for.
 *
 * @module
 */

import type { JsonCursor } from "./json_cursor.ts";
import { toJavaScript } from "./regex_dialect.ts";

/** Reads `{"String": …}` or `{"Regex": …}` as an expression that finds every match. */
export function readPattern(pattern: JsonCursor): RegExp {
  pattern.only("String", "Regex");
  if (pattern.at("Regex").absent) {
    const text = pattern.at("String");
    if (text.string() === "") throw text.expected("some text to look for");
    return new RegExp(RegExp.escape(text.string()), "gu");
  }
  return readRegex(pattern.at("Regex"));
}

/** Reads a regular expression in Oniguruma's dialect. */
function readRegex(regex: JsonCursor): RegExp {
  try {
    return new RegExp(toJavaScript(regex.string()), "gu");
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw regex.refused(`is refused: ${error.message}`);
  }
}
