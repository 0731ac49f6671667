/** The part of `npm:deno-std` that `table.ts` uses. */
export function parse(
  input: string,
  options?: { readonly separator?: string; readonly lazyQuotes?: boolean },
): string[][];
