/**
 * The environment, as far as a command may look at it.
 *
 * @module
 */

/** A variable, or null if it is not set or may not be read; nothing is asked. */
export function variable(name: string): string | null {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) ?? null : null;
}

/** Whether `DEBUG` asks for more words. */
export function isDebugging(): boolean {
  return Boolean(variable("DEBUG"));
}
