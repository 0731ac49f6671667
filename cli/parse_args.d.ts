// The part of @std/cli's parse_args that the command line calls.

/** What {@linkcode parseArgs} is told about the flags. */
export interface ParseOptions {
  /** Flags that take a text. */
  string: readonly string[];
  /** Flags that take none. */
  boolean: readonly string[];
  /** Flags that may come more than once. */
  collect: readonly string[];
  /** Boolean flags that `--no-` turns off. */
  negatable: readonly string[];
  /** Called with what is not a known flag; `false` drops it. */
  unknown: (arg: string, key?: string, value?: unknown) => unknown;
}

/** Splits arguments into flags by name and, under `_`, the others. */
export function parseArgs(
  args: string[],
  options: ParseOptions,
): Record<string, unknown> & { _: (string | number)[] };
