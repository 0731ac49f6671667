/**
 * Where documents that lie side by side begin.
 *
 * @module
 */

/**
 * Throws a `RangeError` that names the first token whose document begins neither
 * at it nor where that of the token before does. `starts` is `[rows, time]`.
 */
export function checkStarts(
  starts: Uint32Array,
  [rows, time]: readonly [rows: number, time: number],
): void {
  if (starts.length !== rows * time) {
    throw new RangeError(
      `Cannot read documents side by side: there are ${starts.length} starts, expected ${rows} x ${time}`,
    );
  }
  for (const [at, start] of starts.entries()) {
    const t = at % time;
    const before = t === 0 ? 0 : starts[at - 1];
    if (start === t || start === before) continue;
    const expected = t === 0 ? "0" : `${before} or ${t}`;
    throw new RangeError(
      `Cannot read documents side by side: token ${t} of row ${
        Math.floor(at / time)
      } is of a document that begins at ${start}, expected ${expected}`,
    );
  }
}
