/**
 * Arithmetic in the text of a WGSL source.
 *
 * @module
 */

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
