/**
 * The error of a command line that cannot be understood.
 *
 * @module
 */

/** Thrown for wrong flags or arguments: the program ends with status 2. */
export class UsageError extends Error {
  /** Which error this is. */
  override readonly name = "UsageError";
}
