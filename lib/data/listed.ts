/**
 * Many problems in one line.
 *
 * @module
 */

/** The first few problems, and how many more there are. */
export function listed(problems: readonly string[], most = 5): string {
  const shown = problems.slice(0, most).join("; ");
  const left = problems.length - most;
  return left > 0 ? `${shown}; and ${left} more` : shown;
}
