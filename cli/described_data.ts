/**
 * What is said of data before they are learned.
 *
 * @module
 */

/** What people are told of data. */
export interface Described {
  /** Batches of an epoch. */
  readonly batches: number;
  /** What they are, by name. */
  readonly facts: Readonly<Record<string, string | number>>;
  /** What may be wrong with them. */
  readonly warnings: readonly string[];
}

/** The facts, a line each. */
export function factLines({ facts }: Described): string[] {
  return Object.entries(facts).map(([name, fact]) => `${name}: ${fact}`);
}

/** The warnings, a line each. */
export function warningLines({ warnings }: Described): string[] {
  return warnings.map((warning) => `warning: ${warning}`);
}

/** Facts and warnings as a report shows them. */
export function reportedFacts(
  { facts, warnings }: Described,
): Record<string, string | number> {
  if (warnings.length === 0) return { ...facts };
  return { ...facts, "warnings": warnings.join("; ") };
}
