/** The part of `npm:deno-std` that `sources.ts` uses. */
export function globToRegExp(
  glob: string,
  options?: { readonly extended?: boolean; readonly globstar?: boolean },
): RegExp;
