/**
 * Finding one's way in the text of a WGSL source.
 *
 * @module
 */

/** Where the bracket closes that opens just before `from`, or null if nowhere. */
export function closing(
  source: string,
  from: number,
  [open, close]: "{}" | "[]",
): number | null {
  let depth = 1;
  for (let at = from; at < source.length; at++) {
    if (source[at] === open) depth++;
    else if (source[at] === close && --depth === 0) return at;
  }
  return null;
}
