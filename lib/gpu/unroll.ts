/**
 * Writes a settled WGSL source out before it is compiled.
 *
 * Loops whose trip count is constant become text: naga guards every loop with a
 * counter that keeps compilers from doing so, and takes only a constant lane in
 * `subgroupBroadcast`. Branches that constants rule out are left out and indices
 * computed, because naga's time goes by the length of the text.
 *
 * @module
 */

import { closing } from "./brackets.ts";
import { evaluate } from "./expression.ts";

const MOST_TRIPS = 64;

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

function closingBrace(source: string, from: number): number {
  const at = closing(source, from, "{}");
  if (at !== null) return at;
  throw new SyntaxError("Cannot unroll: a loop is never closed");
}
