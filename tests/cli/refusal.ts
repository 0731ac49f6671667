/**
 * What a refusal looks like: one line, the right exit code, no trace on the disk.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Case } from "./case.ts";
import { run, wordsIn, type Workplace } from "./program.ts";

/** Runs what cannot work in a place, and checks how that is said. */
export async function assertRefused(
  place: Workplace,
  code: number,
  { args, says }: Case,
): Promise<void> {
  const before = place.files();
  const { out, err, ...outcome } = await run(...wordsIn(place, args));
  assertEquals({ ...outcome, out }, { code, out: "" }, err);
  assertEquals(place.files(), before);
  const lines = err.trimEnd().split("\n").filter((line) =>
    !line.startsWith("adapter: ")
  );
  assertEquals(lines.length, 1, err);
  assert(lines[0].startsWith("error: Cannot "), err);
  for (const words of says) assertStringIncludes(lines[0], words);
  assert(!/undefined|\[object|\s{2}/.test(lines[0]), err);
}
