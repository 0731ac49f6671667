/**
 * Which command a run belongs to.
 *
 * @module
 */

import type { Checkpoint } from "../lib/io/checkpoint.ts";
import { usageError } from "./args.ts";

/** Refuses to go on with a run that another command began. */
export function requireRunOf(
  command: string,
  { state }: Checkpoint,
  out: string,
): void {
  const began = typeof state.command === "string" ? state.command : "train";
  if (began === command) return;
  throw usageError("resume", [
    `${out} holds a run of \`${began}\`, not of \`${command}\`; deno task ${began} --resume --out ${out} continues it`,
  ]);
}
